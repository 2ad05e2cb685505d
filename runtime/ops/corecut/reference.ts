// Reference of `corecut`, bit-exact: one f32 multiplication a neuron, one for k.
import { roundEven } from "../../num/round.ts";
import type { Operands } from "../define.ts";
import { CONTROL, SIGNALS } from "../select/control.ts";

export function reference({ tensors, values: v }: Operands): void {
  const { s, u } = tensors as Record<string, Float32Array>;
  const cuts = tensors.cuts as Uint32Array;
  const control = tensors.control as Uint32Array;
  const signal = SIGNALS[control[CONTROL.signal]];
  if (signal === "none") return;
  const alpha = new Float32Array(control.buffer, control.byteOffset, control.length)[CONTROL.alpha];
  for (let r = 0; r < v.rows; r++) {
    const row = s.subarray(r * v.ss, r * v.ss + v.n);
    row.forEach((x, i) => {
      const h = Math.fround(u ? x * u[r * v.us + i] : x);
      const ranked = signal === "magnitude" ? Math.abs(h) : h;
      row[i] = Number.isNaN(ranked) ? 0 : Math.max(ranked, 0);
    });
    cuts.set(cutOf(row, alpha), r * v.cs);
  }
}

/** Bits of the least value of the core of a row without negative values, and the last neuron with these that is in. */
function cutOf(row: Float32Array, alpha: number): [number, number] {
  const fire = Array.from(row.keys()).filter((i) => row[i] > 0);
  if (fire.length === 0) return [0x7fffffff, 0];
  const k = Math.min(fire.length, Math.max(1, roundEven(Math.fround(alpha * fire.length))));
  const best = fire.sort((a, b) => row[b] - row[a] || a - b);
  const last = best[k - 1];
  return [new Uint32Array(row.slice(last, last + 1).buffer)[0], k < best.length && row[best[k]] === row[last] ? last : row.length - 1];
}
