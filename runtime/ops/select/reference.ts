// Reference of `select`; s as the reference of `activate` has it, the choice bit-exact for the s it is made of.

import { ACTIVATIONS } from "../activate/op.ts";
import { FUNCTIONS } from "../activate/reference.ts";
import type { Operands } from "../define.ts";
import { CONTROL, FFN_MODES } from "./control.ts";
import { isCompact, readList, writeList } from "./list.ts";

/** Numbers of the k greatest magnitudes that are not 0, ascending; NaN is greater than all. */
export function greatest(s: Float32Array, k: number): number[] {
  const key = (i: number) => (Number.isNaN(s[i]) ? Number.POSITIVE_INFINITY : Math.abs(s[i]));
  const some = Array.from(s.keys()).filter((i) => s[i] !== 0);
  return some
    .sort((a, b) => Number(Number.isNaN(s[b])) - Number(Number.isNaN(s[a])) || key(b) - key(a) || a - b)
    .slice(0, k)
    .sort((a, b) => a - b);
}

export function reference({ tensors, values: v }: Operands): void {
  const { g, s } = tensors as Record<string, Float32Array>;
  const control = tensors.control as Uint32Array;
  const only = tensors.only as Uint32Array | undefined;
  const mode = FFN_MODES[control[CONTROL.mode]];
  const relu = ACTIVATIONS[v.kind].startsWith("relu");
  const core = tensors.core && readList(tensors.core as Uint32Array);
  if (only && mode === "core" && core && isCompact(tensors.core as Uint32Array)) {
    s.set(Array.from(g.subarray(0, core.length), FUNCTIONS[ACTIVATIONS[v.kind]]));
    writeList(only, core.length, undefined, true);
    control[CONTROL.steps]++;
    control[CONTROL.firstRows] += core.length;
    control[CONTROL.upRows] += core.length;
    return;
  }
  for (let r = 0; r < v.rows; r++) {
    const row = s.subarray(r * v.ss, r * v.ss + v.n);
    row.set(Array.from(g.subarray(r * v.gs, r * v.gs + v.n), FUNCTIONS[ACTIVATIONS[v.kind]]));
    if (!only) {
      const kept = mode === "topk" ? new Set(greatest(row, control[CONTROL.topk])) : mode === "core" && core ? new Set(core) : undefined;
      if (kept) for (let i = 0; i < v.n; i++) if (!kept.has(i)) row[i] = 0;
      continue;
    }
    const listed =
      mode === "core" ? core : mode === "topk" ? greatest(row, control[CONTROL.topk]) : mode === "dense" || !relu ? undefined : Array.from(row.keys()).filter((i) => row[i] !== 0);
    const long = listed !== undefined && mode !== "core" && listed.length > control[CONTROL.limit];
    if (long && mode === "topk") for (const i of row.keys()) if (!(listed as number[]).includes(i)) row[i] = 0;
    writeList(only, v.n, long ? undefined : listed);
    control[CONTROL.steps]++;
    control[CONTROL.firstRows] += mode === "core" && core ? core.length : v.n;
    control[CONTROL.upRows] += only[0];
    if (long) control[CONTROL.fallbacks]++;
  }
}
