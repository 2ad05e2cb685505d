// Rules on single files: length, leftovers, paths of somebody's machine, vector constants in kernels, papers at the root.
import { code, eachLine, type Finding, type Tree, texts } from "./tree.ts";

const MAX_LINES = 400;

export function filesAreShort(tree: Tree): Finding[] {
  return code(tree).flatMap((path) => {
    const lines = tree.read(path).trimEnd().split("\n").length;
    return lines > MAX_LINES ? [{ path, what: `${lines} lines, the limit is ${MAX_LINES}; split it by what its parts are` }] : [];
  });
}

const ONLY = /\b(?:test|it|describe|suite|bench)(?:\.\w+)*\.only\b/;

export function noLoneTests(tree: Tree): Finding[] {
  const tests = code(tree).filter((f) => f.startsWith("test/"));
  return eachLine(tree, tests, (line) => (ONLY.test(line) ? "a lone test hides all others; remove it" : undefined));
}

const SKIP = /\b(?:test|it|describe|suite|bench)(?:\.\w+)*\.(?:skip|skipIf|runIf|todo)\b/;

/** A test that cannot run says why: `context.skip(reason)` inside it. */
export function skipsHaveReasons(tree: Tree): Finding[] {
  const tests = code(tree).filter((f) => f.startsWith("test/"));
  return eachLine(tree, tests, (line) => (SKIP.test(line) ? "skips without a reason; call context.skip(reason) inside the test" : undefined));
}

// Put together here so that this file does not find itself.
const LEFTOVER = new RegExp(`\\b(?:${["TO" + "DO", "FIX" + "ME"].join("|")})\\b`);

export function noLeftovers(tree: Tree): Finding[] {
  const written = texts(tree).filter((f) => /\.(ts|mjs|js|py|sh|md)$/.test(f));
  return eachLine(tree, written, (line) => (LEFTOVER.test(line) ? "do it now or file it; the tree keeps no reminders" : undefined));
}

const MACHINE_PATH = /(?<![\w.:/)\]}])\/(?:home|Users|root|work)\/[\w.]|\b[A-Z]:\\Users\\/;

export function noMachinePaths(tree: Tree): Finding[] {
  return eachLine(tree, texts(tree), (line) => (MACHINE_PATH.test(line) ? "a path of one machine; make it relative or take it as an argument" : undefined));
}

const LITERAL = String.raw`(?:<[\w\d]+>)?\s*-?(?:0x[\da-fA-F_]+|[\d._]+(?:e[-+]?\d+)?)`;
/** A named constant is a literal by the time that it is compiled. */
const SPLAT = new RegExp(String.raw`\bsplat(?:<\w+>)?\(\s*(${LITERAL}|[A-Z][A-Z0-9_]+)\s*\)`);
const VECTOR = new RegExp(String.raw`(?<![\w.])(?:i8x16|i16x8|i32x4|i64x2|f32x4|f64x2)\(\s*(${LITERAL}(?:\s*,\s*${LITERAL})*)\s*\)`);
const ZERO = /^(?:<\w+>)?\s*-?(?:0x0+|0+(?:\.0*)?)$/;
const isZero = (literals: string) => literals.split(",").every((l) => ZERO.test(l.trim()));

/** V8 builds a vector constant anew at each use, except zero, which is one instruction. */
export function noVectorConstants(tree: Tree): Finding[] {
  const kernels = code(tree).filter((f) => f.startsWith("assembly/") && !f.endsWith(".scalar.ts"));
  return eachLine(tree, kernels, (line) => {
    const text = line.replace(/\/\/.*$/, "");
    const literal = SPLAT.exec(text)?.[1] ?? VECTOR.exec(text)?.[1];
    if (!literal || isZero(literal)) return undefined;
    return `a vector of ${literal} is rebuilt at each use; load it from static data (memory.data and v128.load) at the head of the kernel`;
  });
}

export function papersArePresent(tree: Tree): Finding[] {
  const missing = ["LICENSE", "NOTICE"].filter((f) => !tree.files.includes(f));
  return missing.map((path) => ({ path, what: "is missing; the package may not be published without it" }));
}
