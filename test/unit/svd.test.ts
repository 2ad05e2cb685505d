// Eigenvectors and factors of low rank: against numpy (linalg-oracle.py), against each other, and against the energy they say they take away.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { greatestEigen } from "../../tools/compress/linalg/eigen.ts";
import { cholesky } from "../../tools/compress/linalg/factor.ts";
import { Linalg } from "../../tools/compress/linalg/linalg.ts";
import { times } from "../../tools/compress/linalg/product.ts";
import { type LowRank, type Power, whitenedSvd } from "../../tools/compress/linalg/svd.ts";
import { eigenSymmetric } from "../../tools/compress/linalg/symmetric.ts";
import { normal } from "../support/data.ts";
import { correlated, gramOf, greatestDifference, product, turned, wave } from "../support/linalg.ts";
import golden from "./linalg-golden.json";

let la: Linalg;
beforeAll(async () => {
  la = await Linalg.open(2);
});
afterAll(() => la.close());

const POWERS: readonly Power[] = [0, 0.5, 1];
const productOf = (d: LowRank, n: number, k: number) => product(d.left, d.right, n, d.rank, k);

/** Σ of squares of (M − D) S^power: ‖·‖² through S^(2·power). */
function residual(m: ArrayLike<number>, d: ArrayLike<number>, s: Float64Array, n: number, k: number, power: Power): number {
  const left = Float64Array.from(m, (v, i) => v - d[i]);
  let weighed: Float64Array = left;
  for (let i = 0; i < 2 * power; i++) weighed = product(weighed, s, n, k, k);
  return left.reduce((sum, v, i) => sum + v * weighed[i], 0);
}

describe("eigenvectors", () => {
  test("as numpy has the values", () => {
    const n = 20;
    const h = gramOf(wave(3 * n, n, 0.5), 3 * n, n).map((v, at) => v + (at % (n + 1) === 0 ? 0.01 : 0));
    eigenSymmetric(h, n).values.forEach((v, i) => {
      expect(v).toBeCloseTo(golden.eigenvalues[i], 9);
    });
  });

  test.each([1, 2, 33])("of %i rows: A v = λ v, of length 1, at right angles, descending; negative ones too", (n) => {
    const a = new Float64Array(n * n);
    const v = normal(n * n, n);
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) a[i * n + j] = v[i * n + j] + v[j * n + i];
    const { values, vectors } = eigenSymmetric(a, n);
    const images = product(vectors, a, n, n, n);
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) expect(images[i * n + j]).toBeCloseTo(values[i] * vectors[i * n + j], 10);
    const angles = product(
      vectors,
      Float64Array.from({ length: n * n }, (_, at) => vectors[(at % n) * n + Math.floor(at / n)]),
      n,
      n,
      n,
    );
    angles.forEach((c, at) => {
      expect(c).toBeCloseTo(at % (n + 1) === 0 ? 1 : 0, 12);
    });
    expect([...values]).toEqual([...values].sort((x, y) => y - x));
  });

  test("the greatest few are those of all", () => {
    const n = 60;
    const a = gramOf(correlated(80, n, normal, 1), 80, n);
    const all = eigenSymmetric(a, n);
    const few = greatestEigen(la, (rows) => times(la, rows, la.from(a, n, n)), n, 5);
    for (let i = 0; i < 5; i++) expect(few.values[i] / all.values[i]).toBeCloseTo(1, 6);
  });
});

describe.each(POWERS)("factors with power %d", (power) => {
  test("as numpy has the singular values and the product", () => {
    const [n, k] = [9, 14];
    const w = wave(n, k, 1.5);
    const s = gramOf(wave(40, k, 2.5), 40, k);
    const d = whitenedSvd(la, w, s, n, k, power, 3);
    const want = golden.singular[`${power}`];
    for (let i = 0; i < 3; i++) expect(Math.sqrt(d.captured[i]) / want[i]).toBeCloseTo(1, 8);
    expect(d.total / want.reduce((sum, v) => sum + v * v, 0)).toBeCloseTo(1, 8);
    expect(greatestDifference(productOf(d, n, k), golden.product[`${power}`])).toBeLessThan(1e-6);
  });

  test.each([
    [20, 40],
    [150, 40],
    [120, 130],
  ])("n %i, k %i: what is left is the total less what was captured; more rank leaves less", (n, k) => {
    const m = Float64Array.from(normal(n * k, 3));
    const s = gramOf(correlated(4 * k, k, normal, 4), 4 * k, k).map((v) => v / (4 * k));
    let before = Number.POSITIVE_INFINITY;
    for (const rank of [1, 4, 16]) {
      const d = whitenedSvd(la, m, s, n, k, power, rank);
      const left = residual(m, productOf(d, n, k), s, n, k, power);
      expect(left / (d.total - d.captured.reduce((a, b) => a + b, 0))).toBeCloseTo(1, 6);
      expect(left).toBeLessThan(before);
      before = left;
    }
  });
});

test("power ½ leaves the least output error", () => {
  const [n, k, r] = [30, 50, 6];
  const m = Float64Array.from(normal(n * k, 5));
  const s = gramOf(correlated(200, k, normal, 6), 200, k);
  const left = POWERS.map((power) => residual(m, productOf(whitenedSvd(la, m, s, n, k, power, r), n, k), s, n, k, 0.5));
  expect(left[1]).toBeLessThan(left[0]);
  expect(left[1]).toBeLessThan(left[2]);
});

test("the forms by the Gram matrix, by its Cholesky factor and by its eigenvectors agree to 1e-8", () => {
  const [n, k, r] = [40, 50, 6];
  const m = Float64Array.from(normal(n * k, 5));
  const s = gramOf(correlated(300, k, normal, 6), 300, k).map((v) => v / 300);
  const { values, vectors } = eigenSymmetric(s, k);
  const byEigen = Float64Array.from({ length: k * k }, (_, at) => vectors[(at % k) * k + Math.floor(at / k)] * Math.sqrt(values[at % k]));
  const byCholesky = la.scope(() => {
    const factor = la.from(s, k, k);
    expect(cholesky(la, factor)).toBe(-1);
    return la.view(factor).map((v, at) => (at % k > Math.floor(at / k) ? 0 : v));
  });
  const direct = whitenedSvd(la, m, s, n, k, 0.5, r);
  for (const root of [byEigen, byCholesky]) {
    const d = whitenedSvd(la, product(m, root, n, k, k), new Float64Array(0), n, k, 0, r);
    d.captured.forEach((v, i) => {
      expect(v / direct.captured[i]).toBeCloseTo(1, 8);
    });
    expect(greatestDifference(productOf(d, n, k), product(productOf(direct, n, k), root, n, k, k))).toBeLessThan(1e-8);
  }
});

test("eigenvectors of a graded matrix, of zeros and of one that is nothing but a diagonal", () => {
  const n = 12;
  const graded = Float64Array.from({ length: n * n }, (_, at) => 10 ** (-2 * Math.max(Math.floor(at / n), at % n)));
  const { values, vectors } = eigenSymmetric(graded, n);
  expect(greatestDifference(product(turned(vectors, n, n), vectors.map((v, at) => v * values[Math.floor(at / n)]), n, n, n), graded)).toBeLessThan(1e-15); // biome-ignore format: one line
  expect([...eigenSymmetric(new Float64Array(n * n), n).values].every((v) => v === 0)).toBe(true);
  const diagonal = Float64Array.from({ length: n * n }, (_, at) => (at % (n + 1) ? 0 : (7 * (at % n)) % n));
  expect([...eigenSymmetric(diagonal, n).values]).toEqual(Array.from({ length: n }, (_, i) => n - 1 - i));
  expect([...eigenSymmetric(Float64Array.of(0, 1e-200, 1e-200, 0), 2).values]).toEqual([0, 0]);
});

test("sought near the factors of another matrix they are those of this one", () => {
  const [n, k, r] = [120, 60, 8];
  const s = gramOf(correlated(200, k, normal, 6), 200, k);
  const [m, other] = [5, 50].map((seed) => Float64Array.from(normal(n * k, seed)));
  const near = whitenedSvd(la, other, s, n, k, 0.5, r);
  const [anew, warm] = [whitenedSvd(la, m, s, n, k, 0.5, r), whitenedSvd(la, m, s, n, k, 0.5, r, near)];
  for (let i = 0; i < r; i++) expect(warm.captured[i] / anew.captured[i]).toBeCloseTo(1, 3);
});

test("a Gram matrix of few tokens, one of zeros, and a matrix of zeros", () => {
  const [n, k] = [12, 30];
  const m = Float64Array.from(normal(n * k, 7));
  const thin = whitenedSvd(la, m, gramOf(normal(3 * k, 8), 3, k), n, k, 0.5, 8);
  expect(thin.rank).toBe(3);
  expect([...thin.left, ...thin.right].every(Number.isFinite)).toBe(true);
  expect(whitenedSvd(la, m, new Float64Array(k * k), n, k, 0.5, 8)).toMatchObject({ rank: 0, total: 0 });
  expect(whitenedSvd(la, new Float64Array(n * k), gramOf(normal(9 * k, 9), 9, k), n, k, 0.5, 8).rank).toBe(0);
});
