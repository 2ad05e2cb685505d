// fx16 by hand: what the formula of the engine gives at halves, signs, ends and clamps, against 64-bit whole numbers.
import { expect, test } from "vitest";
import { FX16, FX16_ZERO, type Fx16, fx16, fx16Scales } from "../../runtime/num/fx16.ts";
import { createRandom } from "../../runtime/num/random.ts";

const plain: Fx16 = { scale: 1, shift: 8, bias: 128, relu: false };

/** The same formula word by word in whole numbers of any length. */
function word(acc: number, q: Fx16): number {
  const shift = BigInt(q.shift);
  let v = (BigInt(acc) * BigInt(q.scale) + (1n << (shift - 1n))) >> shift;
  v += BigInt(q.bias);
  if (q.relu && v < 0n) v = 0n;
  v -= 128n;
  return Number(v < -128n ? -128n : v > 127n ? 127n : v);
}

test.each([
  ["0", 0, 0],
  ["half a step goes up", 128, 1],
  ["just under half a step goes down", 127, 0],
  ["minus half a step goes up too", -128, 0],
  ["a little more than that goes down", -129, -1],
  ["one and a half goes to two", 384, 2],
  ["above the byte", 2 ** 22, 127],
  ["below the byte", -(2 ** 22), -128],
])("rounding: %s", (_, acc, y) => {
  expect(fx16(acc, plain)).toBe(y);
});

test("a ReLU keeps nothing below zero, whose byte is -128, and reaches 127 at 255", () => {
  const relu = { ...plain, bias: 0, relu: true };
  expect(fx16(-256 * 50, relu)).toBe(FX16_ZERO);
  expect(fx16(0, relu)).toBe(-128);
  expect(fx16(256 * 255, relu)).toBe(127);
  expect(fx16(256 * 300, relu)).toBe(127);
  expect(fx16(256 * 5, { ...relu, bias: -7 }), "bias counts before the ReLU").toBe(-128);
});

test("equal to the formula in whole numbers of any length, ends of every operand included", () => {
  const random = createRandom(16);
  const pick = ([low, high]: readonly [number, number]) => [low, high, low + Math.floor(random.f64() * (high - low + 1))][random.u32() % 3];
  const seen = new Set<number>();
  for (let i = 0; i < 20_000; i++) {
    const q = { scale: pick(FX16.scale), shift: pick(FX16.shift), bias: i % 2 ? pick(FX16.bias) : pick([-200, 400]), relu: i % 4 < 2 };
    // Half of the sums land inside the byte.
    const acc = i % 3 && q.scale ? Math.max(FX16.acc[0], Math.min(FX16.acc[1], Math.trunc(((random.f64() - 0.5) * 300 * 2 ** q.shift) / q.scale))) : pick(FX16.acc);
    const y = fx16(acc, q);
    expect(y, JSON.stringify({ acc, ...q })).toBe(word(acc, q));
    seen.add(y);
  }
  expect(seen.size, "nearly every byte came up").toBeGreaterThan(240);
});

test("scales: the largest factor takes 15 bits, the others follow at the same shift", () => {
  const { shift, scales } = fx16Scales([0.004, 0.001, -0.002]);
  expect(shift).toBe(22);
  expect([...scales]).toEqual([16777, 4194, -8389]);
  expect(fx16Scales([1]).shift).toBe(14);
  expect(fx16Scales([1e-12]).shift, "tiny factors stop at the greatest shift").toBe(31);
});

test("scales: what 16 bits cannot hold is an error, not a wrap", () => {
  expect(() => fx16Scales([200])).toThrow(/at most 127\.99/);
  expect(() => fx16Scales([Number.NaN])).toThrow(expect.objectContaining({ code: "recipe.invalid" }));
});
