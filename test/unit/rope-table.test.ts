// The table of rotations: right at every position of a long context.
import { expect, test } from "vitest";
import { fillRopeTable } from "../../runtime/ops/rope/table.ts";

const POSITIONS = 1 << 17;
const FREQUENCIES = [1, 0.5623, 0.01, 1e-4, 3.1];
const HALF = FREQUENCIES.length;

/** Largest difference to cos and sin in f64, over the table. */
function worst(scale: number): number {
  const table = new Float32Array(POSITIONS * 2 * HALF);
  fillRopeTable(table, POSITIONS, FREQUENCIES, scale);
  let most = 0;
  for (let p = 0; p < POSITIONS; p++)
    FREQUENCIES.forEach((f, i) => {
      const at = p * 2 * HALF + i;
      most = Math.max(most, Math.abs(table[at] - scale * Math.cos(p * f)), Math.abs(table[at + HALF] - scale * Math.sin(p * f)));
    });
  return most;
}

test("every entry is the nearest f32, or its neighbour at a tie", () => {
  expect(worst(1)).toBeLessThanOrEqual(2 ** -25 * (1 + 1e-3));
});

test("scaled", () => {
  expect(worst(2)).toBeLessThanOrEqual(2 ** -24 * (1 + 1e-3));
});
