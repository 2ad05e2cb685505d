// Reference of `tally`, bit-exact: f32 sums in the order of rows.
import type { Operands } from "../define.ts";
import { CONTROL } from "../select/control.ts";

export function reference({ tensors, values: v }: Operands): void {
  const { s, mass } = tensors as Record<string, Float32Array>;
  const { cuts, counts, control } = tensors as Record<string, Uint32Array>;
  if (control[CONTROL.signal] === 0) return;
  for (let r = 0; r < v.rows; r++) {
    const row = s.slice(r * v.ss, r * v.ss + v.n);
    const bits = new Uint32Array(row.buffer);
    const [cut, last] = cuts.subarray(r * v.cs);
    for (let i = 0; i < v.n; i++)
      if (bits[i] > cut || (bits[i] === cut && i <= last)) {
        counts[i]++;
        mass[i] = Math.fround(mass[i] + row[i]);
      }
  }
}
