// Reference of `attentionmerge` in f64.
import { BLOCK, blocksOf, partWords } from "../attention/parts.ts";
import type { Operands } from "../define.ts";

export function reference({ tensors, values: v }: Operands): void {
  const { parts, y } = tensors as Record<string, Float32Array>;
  const words = partWords(v.dh);
  for (let r = 0; r < v.rows; r++)
    for (let h = 0; h < v.heads; h++) {
      const last = v.pos + r;
      const first = v.window > 0 ? Math.max(0, last - v.window + 1) : 0;
      const n = Math.floor(last / BLOCK) - Math.floor(first / BLOCK) + 1;
      const at = (r * v.heads + h) * blocksOf(v.capacity) * words;
      const all = Array.from({ length: n }, (_, b) => parts.subarray(at + b * words, at + (b + 1) * words));
      const most = Math.max(...all.map((p) => p[0]));
      const share = all.map((p) => Math.exp(p[0] - most));
      const l = all.reduce((s, p, b) => s + share[b] * p[1], 0);
      for (let i = 0; i < v.dh; i++) y[r * v.ys + h * v.dh + i] = all.reduce((s, p, b) => s + share[b] * p[4 + i], 0) / l;
    }
}
