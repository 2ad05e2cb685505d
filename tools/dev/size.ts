// `npm run size`: bytes of every core build and bundle in dist/, and whether they keep to the budgets. Fails when one is over.
import { table } from "../cli/table.ts";
import budgets from "./budgets.json";
import { judgeSizes } from "./budgets.ts";

const judged = judgeSizes("dist", budgets);
const row = (name: string, bytes: number, gzip: number, rest: string[]) => [name, String(bytes), String(gzip), ...rest];
const lines = judged.flatMap((j) => [
  ...(j.files.length > 1 ? j.files.map((f) => row(`  ${f.file}`, f.bytes, f.gzip, ["", ""])) : []),
  row(j.name, j.bytes, j.gzip, [String(j.budget), j.ok === null ? "not built" : j.ok ? "ok" : "OVER"]),
]);
console.log(table(["", "bytes", "gzip", "budget", ""], lines, { right: [1, 2, 3] }));
if (judged.some((j) => j.ok === false)) {
  console.error("over budget: make it smaller, or raise tools/dev/budgets.json in a commit that says why");
  process.exitCode = 1;
}
