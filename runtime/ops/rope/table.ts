// The table of rotations that `rope` reads, computed with functions that give the same bits on every engine (runtime/num/det.ts).
import { cos, sin } from "../../num/det.ts";

/** Positions between two that are computed from scratch; the ones between follow by turning, which errs by at most 64 · 2^-52. */
const ANCHOR = 64;

/** Fills table f32 [positions, 2 · frequencies]: cos then sin of p · frequency_i, times `scale`. */
export function fillRopeTable(table: Float32Array, positions: number, frequencies: readonly number[], scale: number): void {
  const half = frequencies.length;
  for (let i = 0; i < half; i++) {
    const [turnCos, turnSin] = [cos(frequencies[i]), sin(frequencies[i])];
    let c = 1;
    let s = 0;
    for (let p = 0; p < positions; p++) {
      if (p % ANCHOR === 0) {
        c = cos(p * frequencies[i]);
        s = sin(p * frequencies[i]);
      }
      table[p * 2 * half + i] = c * scale;
      table[p * 2 * half + half + i] = s * scale;
      const next = c * turnCos - s * turnSin;
      s = s * turnCos + c * turnSin;
      c = next;
    }
  }
}
