// Rules on what must stand beside what: an op's files, a test for each error code, a reason for each dependency.
import type { Finding, Tree } from "./tree.ts";

/** An op is its definition, its one reference and its cases. */
export function opsAreWhole(tree: Tree): Finding[] {
  const ops = new Set(tree.files.flatMap((f) => /^runtime\/ops\/(\w+)\//.exec(f)?.[1] ?? []));
  return [...ops].flatMap((op) =>
    [`runtime/ops/${op}/op.ts`, `runtime/ops/${op}/reference.ts`, `test/kernels/${op}.cases.ts`]
      .filter((f) => !tree.files.includes(f))
      .map((path) => ({ path, what: `is missing, but the op ${op} exists; see docs/adding-a-op.md` })),
  );
}

const ERRORS = "runtime/errors.ts";

export function errorCodesAreTested(tree: Tree): Finding[] {
  if (!tree.files.includes(ERRORS)) return [];
  const table = /ERROR_CODES = \{([\s\S]*?)\n\}/.exec(tree.read(ERRORS))?.[1] ?? "";
  const codes = [...table.matchAll(/^\s*"?([\w.]+)"?:/gm)].map((m) => m[1]);
  const tests = tree.files.filter((f) => /^test\/.*\.ts$/.test(f)).map((f) => tree.read(f));
  const untested = codes.filter((code) => !tests.some((t) => t.includes(`"${code}"`)));
  return untested.map((code) => ({ path: ERRORS, what: `no file under test/ names the code "${code}"; provoke the error in a test` }));
}

const DEPENDENCIES = "docs/dependencies.md";

export function dependenciesHaveReasons(tree: Tree): Finding[] {
  if (!tree.files.includes("package.json")) return [];
  const manifest = JSON.parse(tree.read("package.json")) as Record<string, Record<string, string> | undefined>;
  const names = ["dependencies", "devDependencies", "peerDependencies"].flatMap((kind) => Object.keys(manifest[kind] ?? {}));
  const lines = tree.files.includes(DEPENDENCIES) ? tree.read(DEPENDENCIES).split("\n") : [];
  const missing = names.filter((name) => !lines.some((l) => l.includes(`\`${name}\``)));
  return missing.map((name) => ({ path: DEPENDENCIES, what: `has no line for ${name}; say what it is for and why it is not ours` }));
}
