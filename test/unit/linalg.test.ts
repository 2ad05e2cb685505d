// The linear algebra of the tools: against slow sums in f64, against numpy (linalg-oracle.py), and against itself on other numbers of lanes.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cholesky, inverseUpperFactor, invertLower } from "../../tools/compress/linalg/factor.ts";
import { Gram } from "../../tools/compress/linalg/gram.ts";
import { Linalg, type Matrix } from "../../tools/compress/linalg/linalg.ts";
import { energy, LOWER, part, timesTask, timesTransposedTask, WRITE } from "../../tools/compress/linalg/product.ts";
import { normal } from "../support/data.ts";
import { gramOf, greatestDifference, product, turned, wave } from "../support/linalg.ts";
import golden from "./linalg-golden.json";

let la: Linalg;
let many: Linalg;
beforeAll(async () => {
  la = await Linalg.open(1);
  many = await Linalg.open(3);
});
afterAll(() => {
  la.close();
  many.close();
});

const bits = (values: Float64Array) => new BigUint64Array(values.slice().buffer);

/** Symmetric, positive definite, eigenvalues about 0.1 … 4. */
function definite(n: number, seed: number): Float64Array {
  const g = gramOf(normal(2 * n * n, seed), 2 * n, n);
  return g.map((v, at) => v / (2 * n) + (at % (n + 1) === 0 ? 0.1 : 0));
}

describe("Gram matrices", () => {
  test.each([
    [1, 1],
    [63, 8],
    [64, 13],
    [65, 33],
    [300, 40],
  ])("of %i rows, %i columns, within the bound that the kernel states", (rows, k) => {
    const x = normal(rows * k, 1);
    la.scope(() => {
      const gram = new Gram(la, k);
      gram.add(x, rows);
      const [got, want] = [gram.values(), gramOf(x, rows, k)];
      const magnitudes = gramOf(x.map(Math.abs), rows, k);
      for (let i = 0; i < want.length; i++) expect(Math.abs(got[i] - want[i])).toBeLessThanOrEqual(65 * 2 ** -24 * magnitudes[i]);
      expect(greatestDifference(got, turned(got, k, k))).toBe(0);
    });
  });

  test("the error does not grow with the rows: a channel of 1e-4 beside one of 1e3 over 64 000 rows", () => {
    const rows = 64_000;
    const x = Float32Array.from({ length: 2 * rows }, (_, i) => (i % 2 ? 1e-4 : 1e3));
    la.scope(() => {
      const gram = new Gram(la, 2);
      for (let row = 0; row < rows; row += 1000) gram.add(x.subarray(2 * row), 1000);
      const want = gramOf(x, rows, 2);
      gram.values().forEach((v, i) => {
        expect(Math.abs(v / want[i] - 1)).toBeLessThan(4e-6);
      });
    });
  });

  test("rows may come in any pieces, on any number of lanes: the same bits", () => {
    const [rows, k] = [650, 50];
    const x = normal(rows * k, 2);
    const sums = [la, many].flatMap((on) =>
      [650, 77, 300].map((piece) =>
        on.scope(() => {
          const gram = new Gram(on, k);
          for (let row = 0; row < rows; row += piece) gram.add(x.subarray(row * k), Math.min(piece, rows - row));
          return bits(gram.values());
        }),
      ),
    );
    for (const s of sums) expect(s).toEqual(sums[0]);
  });
});

const SHAPES = [
  [1, 1, 1],
  [3, 5, 7],
  [4, 4, 4],
  [17, 66, 31],
  [70, 130, 9],
] as const;

describe.each(SHAPES)("products of %i × %i with %i between", (m, n, k) => {
  /** A matrix inside a wider one, so that strides matter; the frame is 9. */
  const framed = (on: Linalg, rows: number, cols: number, seed: number): Matrix => {
    const outer = on.from(new Float64Array((rows + 2) * (cols + 3)).fill(9), rows + 2, cols + 3);
    const inner = part(outer, 1, 2, rows, cols);
    normal(rows * cols, seed).forEach((v, i) => {
      on.view(outer)[(1 + Math.floor(i / cols)) * (cols + 3) + 2 + (i % cols)] = v;
    });
    return inner;
  };
  const values = (on: Linalg, x: Matrix) => {
    const outer = on.view({ ...x, at: x.at - 8 * (x.stride + 2), rows: x.rows + 2 });
    const inner = Float64Array.from({ length: x.rows * x.cols }, (_, i) => outer[(1 + Math.floor(i / x.cols)) * x.stride + 2 + (i % x.cols)]);
    return { inner, frame: outer.reduce((sum, v) => sum + v, 0) - inner.reduce((sum, v) => sum + v, 0) };
  };
  const close = (got: ArrayLike<number>, want: ArrayLike<number>) => expect(greatestDifference(got, want)).toBeLessThan(1e-13 * k * 40);

  test.each([
    ["times", timesTask, [k, n]],
    ["timesTransposed", timesTransposedTask, [n, k]],
  ] as const)("%s: c += alpha · a · b, nothing outside c is touched, the same bits on three lanes", (name, task, [rows, cols]) => {
    const results = [la, many].map((on) =>
      on.scope(() => {
        const [a, b, c] = [framed(on, m, k, 1), framed(on, rows, cols, 2), framed(on, m, n, 3)];
        const before = values(on, c);
        const flat = values(on, b).inner;
        const want = product(values(on, a).inner, name === "times" ? flat : turned(flat, n, k), m, k, n);
        on.run([task(a, b, c, -0.5)]);
        const after = values(on, c);
        close(
          after.inner,
          before.inner.map((v, i) => v - 0.5 * want[i]),
        );
        expect(after.frame).toBeCloseTo(before.frame, 6);
        on.run([task(a, b, c, 1, WRITE)]);
        close(values(on, c).inner, want);
        return bits(values(on, c).inner);
      }),
    );
    expect(results[1]).toEqual(results[0]);
  });

  test("LOWER makes what is on and below the diagonal", () => {
    la.scope(() => {
      const [a, b, c] = [framed(la, m, k, 1), framed(la, n, k, 2), framed(la, m, n, 3)];
      const want = product(values(la, a).inner, turned(values(la, b).inner, n, k), m, k, n);
      la.run([timesTransposedTask(a, b, c, 1, WRITE | LOWER)]);
      const got = values(la, c).inner;
      for (let i = 0; i < m; i++) for (let j = 0; j <= Math.min(i, n - 1); j++) expect(got[i * n + j]).toBeCloseTo(want[i * n + j], 10);
    });
  });
});

describe("factors", () => {
  test.each([1, 2, 47, 48, 49, 130])("Cholesky, its inverse and the inverse upper factor at %i rows", (n) => {
    const h = definite(n, n);
    la.scope(() => {
      const l = la.from(h, n, n);
      expect(cholesky(la, l)).toBe(-1);
      const lower = la.view(l).map((v, at) => (at % n > Math.floor(at / n) ? 0 : v));
      expect(greatestDifference(product(lower, turned(lower, n, n), n, n, n), h)).toBeLessThan(1e-12);
      const identity = product(la.view(invertLower(la, l)), lower, n, n, n);
      expect(
        greatestDifference(
          identity,
          identity.map((_, at) => (at % (n + 1) === 0 ? 1 : 0)),
        ),
      ).toBeLessThan(1e-12);
      const u = la.view(inverseUpperFactor(la, n, (i, j) => h[i * n + j]) as Matrix);
      u.forEach((v, at) => {
        if (at % n < Math.floor(at / n)) expect(v).toBe(0);
      });
      const again = product(product(turned(u, n, n), u, n, n, n), h, n, n, n);
      expect(
        greatestDifference(
          again,
          identity.map((_, at) => (at % (n + 1) === 0 ? 1 : 0)),
        ),
      ).toBeLessThan(1e-11);
    });
  });

  test("as numpy has them", () => {
    const n = 20;
    const x = wave(3 * n, n, 0.5);
    const h = gramOf(x, 3 * n, n).map((v, at) => v + (at % (n + 1) === 0 ? 0.01 : 0));
    la.scope(() => {
      const l = la.from(h, n, n);
      expect(cholesky(la, l)).toBe(-1);
      for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) expect(la.view(l)[i * n + j]).toBeCloseTo(golden.cholesky[i * n + j], 8);
      const u = la.view(inverseUpperFactor(la, n, (i, j) => h[i * n + j]) as Matrix);
      for (let i = 0; i < u.length; i++) expect(u[i]).toBeCloseTo(golden.inverseUpper[i], 6);
    });
  });

  test("the same bits on any number of lanes", () => {
    const h = definite(150, 4);
    const factor = (on: Linalg) => on.scope(() => bits(on.view(inverseUpperFactor(on, 150, (i, j) => h[i * 150 + j]) as Matrix)));
    expect(factor(many)).toEqual(factor(la));
  });

  test.each([
    ["below zero", -1, 57],
    ["zero", 0, 57],
    ["not a number", Number.NaN, 57],
    ["not a number", Number.NaN, 0],
  ])("a pivot that is %s is named", (_, value, row) => {
    const n = 100;
    la.scope(() => {
      const identity = new Float64Array(n * n).map((_v, at) => (at % (n + 1) === 0 ? 1 : 0));
      identity[row * n + row] = value;
      expect(cholesky(la, la.from(identity, n, n))).toBe(row);
      expect(inverseUpperFactor(la, n, (i, j) => identity[i * n + j])).toBeUndefined();
    });
  });

  test("energy is the sum of w S wᵀ over rows", () => {
    const [w, s] = [normal(5 * 12, 1), definite(12, 2)];
    const ws = product(w, s, 5, 12, 12);
    const want = w.reduce((sum, v, i) => sum + v * ws[i], 0);
    expect(la.scope(() => energy(la, la.from(w, 5, 12), la.from(s, 12, 12)))).toBeCloseTo(want, 10);
  });
});

test("what does not fit into 4 GiB is refused by size, and the room before it stays usable", () => {
  la.scope(() => {
    expect(() => la.matrix(30_000, 30_000)).toThrow(expect.objectContaining({ code: "plan.memory", message: expect.stringContaining("30000 × 30000") }));
    expect(la.view(la.from([1, 2], 1, 2))).toEqual(Float64Array.of(1, 2));
  });
});
