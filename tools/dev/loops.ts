// The inner loops of the products, counted in the text form of a build (after `npm run build`): vector operations for 16 multiply-adds are what a
// kernel is made of. test/device/loops.golden.txt holds the counts as reviewed text. An engine turns most of these operations into one instruction.
import { existsSync, readFileSync } from "node:fs";
import { type Func, functions } from "./wat.ts";

/** Multiply-adds of an instruction. The first kind that a loop holds is what it is for; the others then add up or scale. */
const MACS: readonly (readonly [instruction: RegExp, macs: number])[] = [
  [/^(?:i16x8\.relaxed_dot_i8x16_i7x16_s|i32x4\.relaxed_dot_i8x16_i7x16_add_s)$/, 16],
  [/^i32x4\.dot_i16x8_s$/, 8],
  [/^f32x4\.relaxed_madd$/, 4],
  [/^f32x4\.mul$/, 4],
];

const VECTOR = /^(?:v128|i8x16|i16x8|i32x4|i64x2|f32x4|f64x2)\./;
const LOAD = /^v128\.load/;
/** Neither arithmetic nor a load of its own: stores are counted apart, zero costs nothing. */
const FREE = /^(?:v128\.store|v128\.const)/;

export interface Loop {
  readonly macs: number;
  /** Vector operations but loads and stores. */
  readonly operations: number;
  readonly loads: number;
  readonly stores: number;
  /** Vectors that are read or written in it: more than an engine has registers for and it spills (V8 uses 15 on x64). */
  readonly vectors: number;
  /** What a hot loop should not hold: calls, choices, constants that are rebuilt each time. */
  readonly faults: readonly string[];
}

const word = (line: string) => /^\S+/.exec(line.trim())?.[0] ?? "";

/** Bodies of the loops of a function that hold no other loop. Binaryen indents bodies. */
export function innermost(body: readonly string[]): string[][] {
  const open: { indent: number; lines: string[]; inner: boolean }[] = [];
  const found: string[][] = [];
  const close = (indent: number) => {
    while (open.length && indent <= (open.at(-1) as { indent: number }).indent) {
      const { lines, inner } = open.pop() as (typeof open)[number];
      if (!inner) found.push(lines);
    }
  };
  for (const line of body) {
    const indent = line.search(/\S/);
    close(indent);
    for (const o of open) o.lines.push(line);
    if (word(line) !== "loop") continue;
    for (const o of open) o.inner = true;
    open.push({ indent, lines: [], inner: false });
  }
  close(0);
  return found;
}

function macsOf(words: readonly string[]): number {
  const sums = MACS.map(([instruction, macs]) => macs * words.filter((w) => instruction.test(w)).length);
  return sums.find((sum) => sum > 0) ?? 0;
}

/** Counts a loop; undefined if nothing is multiplied in it. */
export function count(lines: readonly string[], vectors: ReadonlySet<string>): Loop | undefined {
  const words = lines.map(word);
  const macs = macsOf(words);
  if (macs === 0) return undefined;
  const of = (test: RegExp) => words.filter((w) => test.test(w)).length;
  const locals = new Set(lines.flatMap((l) => /^\s*local\.(?:get|set|tee) (\$\S+)/.exec(l)?.[1] ?? []).filter((name) => vectors.has(name)));
  const constants = lines.filter((l) => /^\s*v128\.const/.test(l) && /0x0*[1-9a-f]/.test(l));
  const faults = [
    ...lines.flatMap((l) => /^\s*(call(?:_indirect)?\b.*)$/.exec(l)?.[1] ?? []),
    ...lines.flatMap((l) => /^\s*((?:select|v128\.bitselect)\b.*)$/.exec(l)?.[1] ?? []),
    ...constants.map((l) => l.trim()),
  ];
  const operations = words.filter((w) => VECTOR.test(w) && !LOAD.test(w) && !FREE.test(w)).length;
  return { macs, operations, loads: of(LOAD), stores: of(/^v128\.store/), vectors: locals.size, faults };
}

function loopsOf({ body }: Func): Loop[] {
  const vectors = new Set(body.flatMap((l) => /^\s*\(local (\$\S+) v128\)/.exec(l)?.[1] ?? []));
  return innermost(body).flatMap((lines) => count(lines, vectors) ?? []);
}

/** A function and all that it calls, each once. */
function reach(name: string, all: ReadonlyMap<string, Func>): Func[] {
  const found = new Map<string, Func>();
  const visit = (n: string) => {
    const f = all.get(n);
    if (!f || found.has(n)) return;
    found.set(n, f);
    for (const line of f.body) {
      const callee = /^\s*call \$(\S+)/.exec(line)?.[1];
      if (callee) visit(callee.replace(/"$/, ""));
    }
  };
  visit(name);
  return [...found.values()];
}

/** `assembly/lib/a.simd/T<assembly/lib/b.simd/U>#block` → `T<U>#block`. */
const short = (name: string) => name.replace(/assembly\/(?:[\w.-]+\/)+/g, "");

export interface Counted {
  readonly kernel: string;
  readonly loops: readonly { readonly place: string; readonly loop: Loop }[];
}

/** Loops of the vector kernels of a build whose folder is one of `families`, kernel by kernel. */
export function countLoops(wat: string, families: readonly string[]): Counted[] {
  const all = new Map(functions(wat).map((f) => [f.name, f]));
  return [...all.keys()].flatMap((name) => {
    const [, family, variant, isa] = /^assembly\/(\w+)\/(\w+)\.(\w+)\/kernel$/.exec(name) ?? [];
    if (!families.includes(family) || isa === "scalar") return [];
    const loops = reach(name, all).flatMap((f) => loopsOf(f).map((loop) => ({ place: short(f.name), loop })));
    return [{ kernel: `${family}_${variant}__${isa}`, loops }];
  });
}

const LINEAR = ["gemv", "gemm"];
const BUILDS = ["simd-threads", "relaxed-threads", "dot32-threads"];

/** Every vector kernel of linear steps, once, by name. Throws if a build is missing. */
export function countBuilds(): Counted[] {
  const found = new Map<string, Counted>();
  for (const build of BUILDS) {
    const path = `dist/core/${build}.wat`;
    if (!existsSync(path)) throw new Error(`${path} is missing; run npm run build`);
    for (const c of countLoops(readFileSync(path, "utf8"), LINEAR)) found.set(c.kernel, found.get(c.kernel) ?? c);
  }
  return [...found.values()].sort((a, b) => (a.kernel < b.kernel ? -1 : 1));
}

/** One line a loop, for people to compare. */
export function text(counted: readonly Counted[]): string {
  const line = ({ place, loop }: Counted["loops"][number]) => {
    const { macs, operations, loads, stores, vectors } = loop;
    const ratio = ((16 * operations) / macs).toFixed(2).padStart(6);
    return `  ${ratio} operations for 16   ${String(macs).padStart(4)} multiply-adds, ${operations} operations, ${loads} loads, ${stores} stores, ${vectors} vectors   ${place}`;
  };
  return counted.map(({ kernel, loops }) => [kernel, ...loops.map(line)].join("\n")).join("\n");
}
