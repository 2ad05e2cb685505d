// Hadamard transforms: for which lengths there are any, that they are orthonormal, and that folding one into weights changes nothing.
import { expect, test } from "vitest";
import { hadamard, hadamardOf } from "../../runtime/num/hadamard.ts";
import { normal } from "../support/data.ts";

const WHOLE = [4, 8, 64, 48, 96, 1536, 3072, 80, 160, 2560, 5120];

test.each(WHOLE)("length %i is transformed whole, and lengths and angles of vectors stay", (k) => {
  expect(hadamardOf(k)?.block).toBe(k);
  const [x, y] = [normal(k, 1), normal(k, 2)];
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, v, i) => sum + v * b[i], 0);
  const [hx, hy] = [hadamard(x), hadamard(y)];
  expect(dot(hx, hx) / dot(x, x)).toBeCloseTo(1, 5);
  expect(Math.abs(dot(hx, hy) - dot(x, y)) / Math.sqrt(dot(x, x) * dot(y, y))).toBeLessThan(1e-6);
});

test.each([16, 48, 80])("all elements of the matrix of order %i are ±1/√m, and every row has length 1", (k) => {
  for (let i = 0; i < k; i++) {
    const column = hadamard(Float32Array.from({ length: k }, (_, j) => (i === j ? 1 : 0)));
    for (const v of column) expect(Math.abs(v)).toBeCloseTo(1 / Math.sqrt(k), 6);
  }
});

test("folded into weights it leaves products as they were: below 1e-5", () => {
  const [n, k] = [24, 1536];
  const [w, x] = [normal(n * k, 3), normal(k, 4)];
  const hx = hadamard(x);
  let worst = 0;
  for (let r = 0; r < n; r++) {
    const row = w.subarray(r * k, (r + 1) * k);
    const folded = hadamard(row);
    let [want, got, size] = [0, 0, 0];
    for (let i = 0; i < k; i++) {
      want += row[i] * x[i];
      got += folded[i] * hx[i];
      size += Math.abs(row[i] * x[i]);
    }
    worst = Math.max(worst, Math.abs(got - want) / size);
  }
  expect(worst).toBeLessThan(1e-5);
});

test("one great value is spread over the row", () => {
  const x = normal(1536, 5, 0.01);
  x[700] = 40;
  expect(Math.max(...hadamard(x).map(Math.abs))).toBeLessThan(40 / Math.sqrt(1536) + 0.05);
});

test.each([
  [1600, 64],
  [112, 16],
  [208, 16],
])("length %i is cut into blocks of %i, each of its own", (k, block) => {
  expect(hadamardOf(k)).toEqual({ block, base: 1 });
  const x = new Float32Array(k).fill(0);
  x[block] = 1;
  const y = hadamard(x);
  expect(y.subarray(0, block).every((v) => v === 0)).toBe(true);
  expect(y.subarray(block, 2 * block).every((v) => v !== 0)).toBe(true);
  expect(y.subarray(2 * block).every((v) => v === 0)).toBe(true);
});

test.each([1, 2, 3, 7, 24, 36, 56, 100, 1000])("length %i has none", (k) => {
  expect(hadamardOf(k)).toBeUndefined();
});
