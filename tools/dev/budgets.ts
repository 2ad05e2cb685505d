// Bytes of what the package ships, held against tools/dev/budgets.json. A budget is over the raw bytes; gzip is for information.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

export interface Budget {
  /** One file, or all files of a folder with one beginning and one ending: `folder/begin*.ending`. */
  readonly files: string;
  readonly bytes: number;
}

export interface Size {
  readonly file: string;
  readonly bytes: number;
  readonly gzip: number;
}

export interface Judged {
  readonly name: string;
  readonly budget: number;
  readonly bytes: number;
  readonly gzip: number;
  readonly files: readonly Size[];
  /** null: nothing is built that the budget is for. */
  readonly ok: boolean | null;
}

function match(root: string, pattern: string): string[] {
  const at = pattern.indexOf("*");
  if (at < 0) return existsSync(join(root, pattern)) ? [pattern] : [];
  const dir = pattern.slice(0, pattern.lastIndexOf("/", at) + 1);
  if (!existsSync(join(root, dir))) return [];
  return readdirSync(join(root, dir))
    .filter((f) => f.startsWith(pattern.slice(dir.length, at)) && f.endsWith(pattern.slice(at + 1)))
    .sort()
    .map((f) => dir + f);
}

/** What stands under `root`, budget by budget.  */
export function judgeSizes(root: string, budgets: Readonly<Record<string, Budget>>): Judged[] {
  return Object.entries(budgets).map(([name, { files: pattern, bytes: budget }]) => {
    const files = match(root, pattern).map((file) => {
      const data = readFileSync(join(root, file));
      return { file, bytes: data.length, gzip: gzipSync(data).length };
    });
    const bytes = files.reduce((sum, f) => sum + f.bytes, 0);
    return { name, budget, bytes, gzip: files.reduce((sum, f) => sum + f.gzip, 0), files, ok: files.length ? bytes <= budget : null };
  });
}
