// Reference of `attention` in f64, over caches as `kvappend` writes them.
import { f16ToF32 } from "../../num/half.ts";
import type { Operands } from "../define.ts";
import { i8Cache } from "../kvappend/i8cache.ts";
import { BLOCK, blocksOf, partWords } from "./parts.ts";

/** Element i of a position of a head. */
type Element = (head: number, position: number, i: number) => number;

function reader(cache: Uint8Array, variant: string, which: "key" | "value", { kvheads, capacity, dh }: Readonly<Record<string, number>>): Element {
  const view = new DataView(cache.buffer, cache.byteOffset, cache.byteLength);
  const row = (head: number, p: number) => (head * capacity + p) * dh;
  if (variant === "f32") return (head, p, i) => view.getFloat32(4 * (row(head, p) + i), true);
  if (variant === "f16") return (head, p, i) => f16ToF32(view.getUint16(2 * (row(head, p) + i), true));
  const at = i8Cache(kvheads, capacity, dh);
  return (head, p, i) => view.getInt8(at[which](head, p, i)) * view.getFloat32(at.scale(head, p), true);
}

const sum = (v: readonly number[]) => v.reduce((a, b) => a + b, 0);

export function reference({ tensors, values: v }: Operands, variant: string): void {
  const { q, y, parts, pattern } = tensors as Record<string, Float32Array>;
  const key = reader(tensors.kcache as Uint8Array, variant, "key", v);
  const value = reader(tensors.vcache as Uint8Array, variant, "value", v);
  for (let r = 0; r < v.rows; r++)
    for (let h = 0; h < v.heads; h++) {
      const last = v.pos + r;
      const first = v.window > 0 ? Math.max(0, last - v.window + 1) : 0;
      const from = Math.floor(h / (v.heads / v.kvheads));
      const score = (p: number) => {
        const s = v.scale * sum(Array.from({ length: v.dh }, (_, i) => q[r * v.qs + h * v.dh + i] * key(from, p, i)));
        return v.softcap > 0 ? v.softcap * Math.tanh(s / v.softcap) : s;
      };
      /** m, weights and y of positions lo … hi − 1. */
      const attend = (lo: number, hi: number) => {
        const scores = Array.from({ length: hi - lo }, (_, j) => score(lo + j));
        const m = Math.max(...scores);
        const weights = scores.map((s) => Math.exp(s - m));
        return { m, weights, y: Array.from({ length: v.dh }, (_, i) => sum(weights.map((w, j) => w * value(from, lo + j, i)))) };
      };
      const head = r * v.heads + h;
      if (parts) {
        const words = partWords(v.dh);
        for (let lo = first, b = 0; lo <= last; lo = (Math.floor(lo / BLOCK) + 1) * BLOCK, b++) {
          const part = attend(lo, Math.min(last + 1, (Math.floor(lo / BLOCK) + 1) * BLOCK));
          const at = (head * blocksOf(v.capacity) + b) * words;
          parts.set([part.m, sum(part.weights)], at);
          parts.set(part.y, at + 4);
        }
        continue;
      }
      const whole = attend(first, last + 1);
      const l = sum(whole.weights);
      y.set(
        whole.y.map((s) => s / l),
        r * v.ys + h * v.dh,
      );
      if (pattern)
        pattern.fill(0, head * v.capacity, (head + 1) * v.capacity).set(
          whole.weights.map((w) => w / l),
          head * v.capacity + first,
        );
    }
}
