// The table of rotations that `rope` reads, computed with functions that give the same bits on every engine (runtime/num/det.ts).
import { cos, sin } from "../../num/det.ts";

/**
 * Fills table f32 [positions, 2 · frequencies]: cos then sin of p · frequency_i, times `scale`. Each position is the one before, turned
 * by the frequency in double precision: position p errs by about p · 2^-52, which an f32 does not see in any context.
 */
export function fillRopeTable(table: Float32Array, positions: number, frequencies: readonly number[], scale: number): void {
  const half = frequencies.length;
  for (let i = 0; i < half; i++) {
    const turnCos = cos(frequencies[i]);
    const turnSin = sin(frequencies[i]);
    let c = 1;
    let s = 0;
    for (let p = 0; p < positions; p++) {
      table[p * 2 * half + i] = c * scale;
      table[p * 2 * half + half + i] = s * scale;
      const next = c * turnCos - s * turnSin;
      s = s * turnCos + c * turnSin;
      c = next;
    }
  }
}
