// The table of rotations that `rope` reads, computed with functions that give the same bits on every engine (runtime/num/det.ts).
import { cos, sin } from "../../num/det.ts";

/** Fills table f32 [positions, 2 · frequencies]: cos then sin of p · frequency_i, times `scale`. */
export function fillRopeTable(table: Float32Array, positions: number, frequencies: readonly number[], scale: number): void {
  const half = frequencies.length;
  for (let p = 0; p < positions; p++)
    for (let i = 0; i < half; i++) {
      table[p * 2 * half + i] = cos(p * frequencies[i]) * scale;
      table[p * 2 * half + half + i] = sin(p * frequencies[i]) * scale;
    }
}
