// What a house rule sees: paths and texts. The real tree reads the disk, a test hands over a few made-up files.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface Tree {
  /** Every file, relative to the root, with forward slashes, sorted. */
  readonly files: readonly string[];
  read(path: string): string;
}

export interface Finding {
  readonly path: string;
  readonly line?: number;
  /** What is wrong and what to do about it. */
  readonly what: string;
}

export type Rule = (tree: Tree) => Finding[];

const SKIPPED = new Set(["node_modules", ".git", "dist", "coverage", "__pycache__"]);
const CODE = /\.(ts|mjs|js|py|sh|html|css|wgsl|v|c|h)$/;
const TEXT = /\.(ts|mjs|js|py|sh|html|css|wgsl|v|c|h|md|json|txt|yml|yaml|toml)$|(^|\/)(setup|run|LICENSE|NOTICE)$/;

function walk(root: string, dir: string, into: string[]): void {
  for (const e of readdirSync(join(root, dir), { withFileTypes: true })) {
    if (SKIPPED.has(e.name)) continue;
    const path = dir ? `${dir}/${e.name}` : e.name;
    if (e.isDirectory()) walk(root, path, into);
    else if (e.isFile()) into.push(path);
  }
}

export function realTree(root = "."): Tree {
  const files: string[] = [];
  walk(root, "", files);
  return { files: files.sort(), read: (path) => readFileSync(join(root, path), "utf8") };
}

export function fakeTree(texts: Readonly<Record<string, string>>): Tree {
  return { files: Object.keys(texts).sort(), read: (path) => texts[path] };
}

/** Files written by hand that are program text. */
export function code(tree: Tree): string[] {
  return tree.files.filter((f) => CODE.test(f) && !f.endsWith(".gen.ts"));
}

/** Files that people read, generated ones included. */
export function texts(tree: Tree): string[] {
  return tree.files.filter((f) => TEXT.test(f) && f !== "package-lock.json");
}

/** One finding for each line of `paths` that `test` gives a message for. */
export function eachLine(tree: Tree, paths: readonly string[], test: (line: string, path: string) => string | undefined): Finding[] {
  return paths.flatMap((path) =>
    tree
      .read(path)
      .split("\n")
      .flatMap((text, i) => {
        const what = test(text, path);
        return what ? [{ path, line: i + 1, what }] : [];
      }),
  );
}
