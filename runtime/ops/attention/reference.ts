// Reference of `attention` in f64, over caches as `kvappend` writes them.
import { f16ToF32 } from "../../num/half.ts";
import type { Operands } from "../define.ts";

/** Element i of cache row `row` (head · capacity + position). */
type Element = (row: number, i: number) => number;

function reader(cache: Uint8Array, variant: string, rows: number, dh: number): Element {
  const view = new DataView(cache.buffer, cache.byteOffset, cache.byteLength);
  if (variant === "f32") return (row, i) => view.getFloat32(4 * (row * dh + i), true);
  if (variant === "f16") return (row, i) => f16ToF32(view.getUint16(2 * (row * dh + i), true));
  return (row, i) => view.getInt8(row * dh + i) * view.getFloat32(rows * dh + 4 * row, true);
}

/** Softmax of s. */
function softmax(s: readonly number[]): number[] {
  const most = s.reduce((a, b) => Math.max(a, b), -Infinity);
  const e = s.map((v) => Math.exp(v - most));
  const sum = e.reduce((a, b) => a + b, 0);
  return e.map((v) => v / sum);
}

export function reference({ tensors, values: v }: Operands, variant: string): void {
  const { q, y, pattern } = tensors as Record<string, Float32Array>;
  const key = reader(tensors.kcache as Uint8Array, variant, v.kvheads * v.capacity, v.dh);
  const value = reader(tensors.vcache as Uint8Array, variant, v.kvheads * v.capacity, v.dh);
  for (let r = 0; r < v.rows; r++)
    for (let h = 0; h < v.heads; h++) {
      const last = v.pos + r;
      const first = v.window > 0 ? Math.max(0, last - v.window + 1) : 0;
      const base = Math.floor(h / (v.heads / v.kvheads)) * v.capacity;
      const scores: number[] = [];
      for (let p = first; p <= last; p++) {
        let s = 0;
        for (let i = 0; i < v.dh; i++) s += q[r * v.qs + h * v.dh + i] * key(base + p, i);
        s *= v.scale;
        scores.push(v.softcap > 0 ? v.softcap * Math.tanh(s / v.softcap) : s);
      }
      const weights = softmax(scores);
      for (let i = 0; i < v.dh; i++) y[r * v.ys + h * v.dh + i] = weights.reduce((s, w, j) => s + w * value(base + first + j, i), 0);
      if (pattern) pattern.fill(0, (r * v.heads + h) * v.capacity, (r * v.heads + h + 1) * v.capacity).set(weights, (r * v.heads + h) * v.capacity + first);
    }
}
