// Keeps a quantised checkpoint as it is: 4-bit blocks of GGUF go into q4g32m bit for bit; everything else is rounded to nearest.
import { isExactQ4, q4g32mFromGguf } from "../../../runtime/quant/import.ts";
import { type Method, type PackRows, packInRuns } from "../method.ts";

const repack: PackRows = async ({ dtype, k, scheme, readBlocks }, w, row, rows, out) => {
  if (scheme.name === "q4g32m" && readBlocks && isExactQ4(dtype)) q4g32mFromGguf(dtype, await readBlocks(row, rows), rows, k, out);
  else scheme.encode(w, rows, k, out);
};

export const method: Method = { name: "source", summary: "4-bit blocks of GGUF bit for bit, the rest to nearest", compress: (job) => packInRuns(job, repack) };
