// Deterministic elementary functions: at most 2 ulp from the engine's own, special values as ECMAScript has them, and fixed bits.
import { expect, test } from "vitest";
import { cos, exp, log, pow, sin } from "../../runtime/num/det.ts";
import { createRandom } from "../../runtime/num/random.ts";

const view = new DataView(new ArrayBuffer(8));

/** Place of x among all doubles, so that neighbours differ by one. */
function place(x: number): bigint {
  view.setFloat64(0, x);
  const bits = view.getBigInt64(0);
  return bits < 0n ? -(bits & 0x7fffffffffffffffn) : bits;
}

function ulps(a: number, b: number): number {
  return Object.is(a, b) || (Number.isNaN(a) && Number.isNaN(b)) ? 0 : Math.abs(Number(place(a) - place(b)));
}

const random = createRandom(2024);
const between = (low: number, high: number) => low + (high - low) * random.f64();
/** Spread evenly over the exponents. */
const anySize = (low: number, high: number) => 2 ** between(low, high);

function worst(ours: (...x: number[]) => number, engine: (...x: number[]) => number, draw: () => number[], times = 50_000): number {
  let most = 0;
  for (let i = 0; i < times; i++) {
    const x = draw();
    most = Math.max(most, ulps(ours(...x), engine(...x)));
  }
  return most;
}

test.each<[string, (...x: number[]) => number, (...x: number[]) => number, () => number[]]>([
  ["exp over its whole range", exp, Math.exp, () => [between(-746, 710)]],
  ["exp near 0", exp, Math.exp, () => [between(-1, 1)]],
  ["exp of tiny numbers", exp, Math.exp, () => [-anySize(-80, 0)]],
  ["log of every size, subnormals too", log, Math.log, () => [anySize(-1074, 1023)]],
  ["log near 1", log, Math.log, () => [between(0.5, 2)]],
  ["sin over a few turns", sin, Math.sin, () => [between(-20, 20)]],
  ["sin of positions up to a million", sin, Math.sin, () => [between(-1.1e6, 1.1e6)]],
  ["cos over a few turns", cos, Math.cos, () => [between(-20, 20)]],
  ["cos of positions up to a million", cos, Math.cos, () => [between(-1.1e6, 1.1e6)]],
  ["sin of tiny numbers", sin, Math.sin, () => [anySize(-1074, 0)]],
  ["pow of moderate numbers", pow, Math.pow, () => [anySize(-40, 40), between(-20, 20)]],
  ["pow near 1 with large powers", pow, Math.pow, () => [between(0.5, 2), between(-700, 700)]],
  ["pow as RoPE tables use it", pow, Math.pow, () => [10_000, between(-1, 0)]],
])("%s: at most 2 ulp", (_, ours, engine, draw) => {
  expect(worst(ours, engine, draw)).toBeLessThanOrEqual(2);
});

test("sin and cos hold for arguments of any size, and next to multiples of π/2", () => {
  const large = () => [anySize(20, 1023) * (random.u32() & 1 ? 1 : -1)];
  expect(worst(sin, Math.sin, large, 3000)).toBeLessThanOrEqual(2);
  expect(worst(cos, Math.cos, large, 3000)).toBeLessThanOrEqual(2);
  const nearAxis = () => [Math.floor(between(1, 600_000)) * (Math.PI / 2)];
  expect(worst(sin, Math.sin, nearAxis)).toBeLessThanOrEqual(2);
  expect(worst(cos, Math.cos, nearAxis)).toBeLessThanOrEqual(2);
  // the double that comes closest to a multiple of π/2 (Muller, "Elementary Functions", table 11.1)
  const closest = 6381956970095103 * 2 ** 797;
  expect(ulps(cos(closest), -4.687165924254628e-19)).toBeLessThanOrEqual(2);
});

test("special values are ECMAScript's", () => {
  const odd = [Number.NaN, 0, -0, 1, -1, Infinity, -Infinity, 0.5, -0.5, 2, -2, 3, -3, 2 ** 53, -(2 ** 53) - 2, 5e-324, 1.7976931348623157e308, 1 + 2 ** -52, 1 - 2 ** -53];
  for (const x of odd) {
    for (const [ours, engine] of [
      [exp, Math.exp],
      [log, Math.log],
      [sin, Math.sin],
      [cos, Math.cos],
    ] as const)
      expect([x, ulps(ours(x), engine(x)) <= 2]).toEqual([x, true]);
    for (const y of odd) expect([x, y, ulps(pow(x, y), x ** y) <= 2]).toEqual([x, y, true]);
  }
  expect(exp(0)).toBe(1);
  expect(log(1)).toBe(0);
  expect(cos(0)).toBe(1);
  expect(Object.is(sin(-0), -0)).toBe(true);
});

test("whole powers of two are exact", () => {
  for (let n = -1074; n < 1024; n++) expect(pow(2, n)).toBe(2 ** n);
});

test("the bits never change: a digest over many arguments, the same on every engine", () => {
  const draw = createRandom(9);
  let digest = 0;
  for (let i = 0; i < 20_000; i++) {
    const x = draw.f64() * 200 - 100;
    for (const y of [exp(x), log(x * x), sin(x), cos(x * 1e5), pow(x * x, x / 50)]) {
      view.setFloat64(0, y);
      digest = (Math.imul(digest, 31) + view.getInt32(0)) | 0;
      digest = (Math.imul(digest, 31) + view.getInt32(4)) | 0;
    }
  }
  expect(digest).toBe(-1286099124);
});
