// Reference of `hidden`, bit-exact: h = s · u, dropped where |h| · norm < eps, then h · scale, each one f32 multiplication.
import { ACTS } from "../../act/catalogue.gen.ts";
import { rowOffset, scheme } from "../../quant/q4n.ts";
import type { Operands } from "../define.ts";
import { CONTROL, FFN_MODES } from "../select/control.ts";
import { isCompact, readList, writeList } from "../select/list.ts";

export function reference(o: Operands): void {
  if (o.tensors.only && isCompact(o.tensors.only as Uint32Array)) ordered(o);
  else gathered(o);
}

/** Of rows of the compact matrix. */
function ordered({ tensors, values: v }: Operands): void {
  const { s, u, hidden } = tensors as Record<string, Float32Array>;
  const control = tensors.control as Uint32Array;
  const [many] = tensors.only as Uint32Array;
  const neurons = readList(tensors.core as Uint32Array) as Uint32Array;
  const { scales } = scheme.unpack(tensors.compact as Uint8Array, many, v.k);
  const h = Float32Array.from({ length: many }, (_, i) => (u ? s[i] * u[i] : s[i]));
  hidden?.fill(0, 0, v.n);
  if (hidden) for (const [i, j] of neurons.entries()) hidden[j] = h[i];
  const row = tensors.y as Uint8Array;
  const padded = new Float32Array(v.n);
  padded.set(h.map((x, i) => x * scales[i]));
  ACTS.i8tok.encode(padded, row, 0);
  control[CONTROL.downRows] += pick(tensors.picks as Uint32Array, row, { ...v, n: many }, true, Math.floor((control[CONTROL.limit] * many) / v.n), true);
}

function gathered({ tensors, values: v }: Operands): void {
  const { s, u, norms, hidden } = tensors as Record<string, Float32Array>;
  const y = tensors.y as Uint8Array;
  const control = tensors.control as Uint32Array;
  const mode = FFN_MODES[control[CONTROL.mode]];
  const eps = new Float32Array(control.buffer, control.byteOffset, control.length)[CONTROL.eps];
  const { scales } = scheme.unpack(tensors.w as Uint8Array, v.n, v.k);
  const only = tensors.only && readList(tensors.only as Uint32Array);
  for (let r = 0; r < v.rows; r++) {
    const h = new Float32Array(v.n);
    for (const j of only ?? h.keys()) {
      h[j] = u ? s[r * v.ss + j] * u[r * v.us + j] : s[r * v.ss + j];
      if (mode === "cett" && Math.fround(Math.abs(h[j]) * norms[j]) < eps) h[j] = 0;
    }
    hidden?.set(h, r * v.hs);
    const row = y.subarray(r * v.ys, (r + 1) * v.ys);
    ACTS.i8tok.encode(
      h.map((x, j) => x * scales[j]),
      row,
      0,
    );
    if (tensors.picks) control[CONTROL.downRows] += pick(tensors.picks as Uint32Array, row, v, only !== undefined || mode !== "dense", only ? v.n : control[CONTROL.limit]);
  }
}

/** Moves the codes of the rows picked to the front; returns how many there are. */
function pick(picks: Uint32Array, row: Uint8Array, v: Operands["values"], wanted: boolean, limit: number, compact = false): number {
  const { codes } = ACTS.i8tok.decode(row, v.n);
  const some = Array.from(codes.keys()).filter((j) => codes[j] !== 0);
  const listed = wanted && some.length <= limit;
  writeList(picks, v.n, listed ? some.map((j) => rowOffset(j, v.k)) : undefined, compact);
  if (listed) {
    row.fill(0, 64, 64 + v.n);
    row.set(
      some.map((j) => codes[j]),
      64,
    );
  }
  return picks[0];
}
