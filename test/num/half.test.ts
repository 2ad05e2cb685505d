// 16-bit floats: every f16, every rounding edge, against arithmetic in f64.
import { expect, test } from "vitest";
import { bf16ArrayToF32, f16ArrayToF32, f16ToF32, f32ArrayToF16, f32ToF16 } from "../../runtime/num/half.ts";

const ALL = Uint16Array.from({ length: 65536 }, (_, i) => i);

/** By the definition of binary16. */
function valueOfF16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 1023;
  if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? mantissa * 2 ** -24 : (1024 + mantissa) * 2 ** (exponent - 25));
}

test("every f16 widens to its value", () => {
  const wide = new Float32Array(65536);
  f16ArrayToF32(ALL, wide);
  const expected = Float32Array.from(ALL, valueOfF16);
  expect(wide).toEqual(expected);
  expect(Float32Array.from(ALL, f16ToF32)).toEqual(expected);
});

test("every f16 but NaN survives the way to f32 and back", () => {
  const wide = Float32Array.from(ALL, valueOfF16);
  const back = new Uint16Array(65536);
  f32ArrayToF16(wide, back);
  const expected = ALL.map((bits) => (Number.isNaN(valueOfF16(bits)) ? 0x7e00 : bits));
  expect(back.map((bits, i) => (Number.isNaN(wide[i]) ? bits & 0x7fff : bits))).toEqual(expected);
});

test("between two f16, f32 goes to the nearer, and halfway to the even one", () => {
  const bits = new Uint32Array(1);
  const float = new Float32Array(bits.buffer);
  const beside = (value: number, step: number) => {
    float[0] = value;
    bits[0] += step;
    return float[0];
  };
  for (let low = 0; low < 0x7bff; low++) {
    const middle = (valueOfF16(low) + valueOfF16(low + 1)) / 2;
    const even = low & 1 ? low + 1 : low;
    expect([f32ToF16(beside(middle, -1)), f32ToF16(middle), f32ToF16(beside(middle, 1))]).toEqual([low, even, low + 1]);
    expect(f32ToF16(-middle)).toBe(even | 0x8000);
  }
});

test.each([
  [65519.99, 0x7bff],
  [65520, 0x7c00],
  [1e38, 0x7c00],
  [Number.POSITIVE_INFINITY, 0x7c00],
  [Number.NEGATIVE_INFINITY, 0xfc00],
  [-0, 0x8000],
  [2 ** -25, 0],
  [2 ** -149, 0],
  [Number.NaN, 0x7e00],
])("%f becomes %i", (value, bits) => {
  expect(f32ToF16(value)).toBe(bits);
});

test("halves that stand in the upper half of the result widen in place", () => {
  for (const [widen, from] of [
    [f16ArrayToF32, ALL.slice(0, 31744)],
    [bf16ArrayToF32, ALL.slice(0, 32640)],
  ] as const) {
    const apart = new Float32Array(from.length);
    widen(from, apart);
    const out = new Float32Array(from.length);
    const upper = new Uint16Array(out.buffer, out.length * 2);
    upper.set(from);
    widen(upper, out);
    expect(out).toEqual(apart);
  }
});

test("bf16 is the upper half of f32", () => {
  const out = new Float32Array(4);
  bf16ArrayToF32(Uint16Array.of(0x3f80, 0xc040, 0x7f80, 0x0001), out);
  expect([...out]).toEqual([1, -3, Number.POSITIVE_INFINITY, 2 ** -133]);
});
