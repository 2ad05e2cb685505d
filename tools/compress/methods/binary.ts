// Every weight a sign: plain binarisation with one scale a row, which PTQ1.61 is held against. Packed as q161, whose salient columns take the
// two codes that stand for the same.
import { emptyRows, type Q161Scheme, splitOf } from "../../../runtime/quant/q161.ts";
import { type Method, packInRuns } from "../method.ts";

/** Codes 0 and 14 about this zero are ∓7 steps. */
const ZERO = 7;

export const method: Method = {
  name: "binary",
  summary: "every weight a sign, one scale a row: the baseline of PTQ1.61",
  refuses: (scheme) => (scheme.arranged ? undefined : "it makes nothing but q161"),
  compress: (job) =>
    packInRuns(job, ({ scheme, k }, w, _row, rows, out) => {
      const { salient, binary } = splitOf(k);
      const made = emptyRows(rows, k);
      for (let r = 0; r < rows; r++) {
        const row = w.subarray(r * k, (r + 1) * k);
        const alpha = row.reduce((sum, v) => sum + Math.abs(v), 0) / k;
        made.p[r] = alpha;
        made.s[r] = alpha / ZERO;
        made.zeros[r] = ZERO;
        for (let i = 0; i < salient; i++) made.codes[r * salient + i] = row[i] < 0 ? 0 : 2 * ZERO;
        for (let i = 0; i < binary; i++) made.signs[r * binary + i] = row[salient + i] < 0 ? 0 : 1;
      }
      (scheme as Q161Scheme).pack(made, rows, k, out);
    }),
};
