// Rules on what must stand beside what: an op's files, a test for each error code, a reason for each dependency,
// a lock entry for each package.
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

interface Lock {
  readonly packages: Readonly<Record<string, Readonly<Record<string, Record<string, string> | undefined>>>>;
}

/** A registry that lacks some platform's package makes `npm install` drop its entry, and then `npm ci` refuses the lock everywhere. */
export function lockIsWhole(tree: Tree): Finding[] {
  const path = "package-lock.json";
  if (!tree.files.includes(path)) return [];
  const { packages } = JSON.parse(tree.read(path)) as Lock;
  const has = (from: string, name: string) => Object.hasOwn(packages, `node_modules/${name}`) || Object.hasOwn(packages, `${from}/node_modules/${name}`);
  const wanted = Object.entries(packages).flatMap(([from, p]) => Object.keys({ ...p.dependencies, ...p.optionalDependencies }).map((name) => ({ from, name })));
  const missing = wanted.filter(({ from, name }) => !has(from, name));
  return missing.map(({ from, name }) => ({ path, what: `has no entry for ${name}, which ${from || "package.json"} wants; npm ci would fail: put it back as it was` }));
}
