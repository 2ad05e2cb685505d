// Checks on the text form of every build of the core (after `npm run build`): what must never be in it and what must.
// Used by test/unit/wat.test.ts; each function judges one text, so that it can be shown to fire.
import { existsSync, readFileSync } from "node:fs";
import { KEPT_BUILDS } from "../gen/scan.ts";

export interface Func {
  readonly name: string;
  readonly body: readonly string[];
}

/** Helpers without a loop that kernels may still call in one: long, and called once for a tile, a row or several elements. */
const MAY_CALL = /^assembly\/.*\/(?:exp|finish4|finish8|finishPair|storeHalves)$/;

const STATIC_END = 64 * 1024;
const ALLOCATION = /^(?:~lib\/rt\/|~lib\/(?:array|string|typedarray|arraybuffer)\/)/;

/** Functions of a module with their bodies, line by line. */
export function functions(wat: string): Func[] {
  const found: { name: string; body: string[] }[] = [];
  // Names of generics are quoted.
  for (const line of wat.replaceAll('$"', "$").split("\n")) {
    const head = /^ \(func \$([^\s"]+)/.exec(line);
    if (head) found.push({ name: head[1], body: [] });
    else if (line.startsWith("  ")) found.at(-1)?.body.push(line);
  }
  return found;
}

const uses = (f: Func, word: RegExp) => f.body.some((line) => word.test(line));

/** The core never grows memory and never allocates: its heap pointer would be one per lane. */
export function allocates(wat: string): string[] {
  return functions(wat).flatMap((f) => [
    ...(uses(f, /^\s*memory\.grow/) ? [`${f.name} grows memory`] : []),
    ...(ALLOCATION.test(f.name) ? [`${f.name} is in the build: something allocates`] : []),
  ]);
}

/** A build without threads has no atomic instruction. */
export function usesAtomics(wat: string): string[] {
  return functions(wat).flatMap((f) => (uses(f, /^\s*(?:i\d+|memory)?\.?atomic\./) ? [`${f.name} uses atomics in a build without threads`] : []));
}

/** The walk calls kernels through the table; a loop that never returns must hold no kernel, or it stays in the slow tier. */
export function walkHoldsKernels(wat: string): string[] {
  const around = functions(wat).filter((f) => /\/(?:entry\.[\w-]+\.gen|executor)\//.test(f.name));
  const simd = around.filter((f) => uses(f, /^\s*(?:v128|[if]\d+x\d+)\./)).map((f) => `${f.name} holds vector code: a kernel was inlined into the walk`);
  const indirect = around.some((f) => /\/(?:walk|work)\w*$/.test(f.name) && uses(f, /^\s*call_indirect/));
  return indirect ? simd : [...simd, "no function of the walk calls through the table"];
}

/** Functions called from inside a loop of `f`. Binaryen indents bodies, so a loop ends where the indent falls back to its own. */
function calledInLoops(f: Func): Set<string> {
  const called = new Set<string>();
  const loops: number[] = [];
  for (const line of f.body) {
    const indent = line.search(/\S/);
    while (loops.length && indent <= (loops.at(-1) as number)) loops.pop();
    const callee = /^call \$([^\s"]+)/.exec(line.trim())?.[1];
    if (callee && loops.length) called.add(callee);
    if (/^loop\b/.test(line.trim())) loops.push(indent);
  }
  return called;
}

/** Small helpers must have been inlined into the loops of kernels; a callee that loops itself is worth its call. */
export function kernelsCall(wat: string): string[] {
  const all = functions(wat);
  const loops = new Set(all.filter((f) => uses(f, /^\s*loop\b/)).map((f) => f.name));
  const kernels = all.filter((f) => /^assembly\/(?!entry\.|executor\/)/.test(f.name));
  return kernels.flatMap((f) => {
    const small = [...calledInLoops(f)].filter((c) => !loops.has(c) && !MAY_CALL.test(c));
    return small.map((c) => `${f.name} calls ${c} in a loop; it was not inlined`);
  });
}

/** Static data stays in the first page, below everything the host places. */
export function staticDataEndsLate(wat: string): string[] {
  return [...wat.matchAll(/^ \(data \$\S+ \(i32\.const (\d+)\) "((?:[^"\\]|\\.)*)"\)/gm)].flatMap(([, at, text]) => {
    const end = Number(at) + text.replace(/\\[0-9a-f]{2}|\\./g, ".").length;
    return end > STATIC_END ? [`static data ends at byte ${end}, beyond the first ${STATIC_END}`] : [];
  });
}

/** V8 builds a vector constant anew at each use; zero alone is one instruction. */
export function rebuildsConstants(wat: string): string[] {
  const constants = /^\s*v128\.const (.*)$/;
  return functions(wat).flatMap((f) =>
    f.body.flatMap((line) => {
      const value = constants.exec(line)?.[1];
      return value && /0x0*[1-9a-f]/.test(value) ? [`${f.name} has the vector constant ${value}; load it from static data`] : [];
    }),
  );
}

export function judge(wat: string, threads: boolean): string[] {
  return [...rebuildsConstants(wat), ...allocates(wat), ...(threads ? [] : usesAtomics(wat)), ...walkHoldsKernels(wat), ...kernelsCall(wat), ...staticDataEndsLate(wat)];
}

/** Findings on every build in dist/. */
export function judgeBuilds(): string[] {
  return KEPT_BUILDS.flatMap(({ name, threads }) => {
    const path = `dist/core/${name}.wat`;
    if (!existsSync(path)) return [`${path} is missing; run npm run build`];
    return judge(readFileSync(path, "utf8"), threads).map((what) => `${name}: ${what}`);
  });
}
