// GPTQ against an implementation that is slow and shares nothing with it: after each column the inverse of what is left of H is computed anew.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SCHEMES } from "../../runtime/quant/catalogue.gen.ts";
import type { IntegerScheme } from "../../runtime/quant/scheme.ts";
import type { InputStatistics } from "../../tools/compress/calibrate/statistics.ts";
import { factorOf } from "../../tools/compress/feedback.ts";
import { Linalg } from "../../tools/compress/linalg/linalg.ts";
import { method } from "../../tools/compress/methods/gptq.ts";
import { method as rtn } from "../../tools/compress/methods/rtn.ts";
import { compressWith, outputError, statisticsOf } from "../support/calibrated.ts";
import { normal } from "../support/data.ts";
import { correlated } from "../support/linalg.ts";

let la: Linalg;
beforeAll(async () => {
  la = await Linalg.open(2);
});
afterAll(() => la.close());

/** Inverse by Gauss-Jordan elimination with pivots. */
function inverse(a: number[][]): number[][] {
  const n = a.length;
  const m = a.map((row, i) => [...row, ...row.map((_, j) => (i === j ? 1 : 0))]);
  for (let c = 0; c < n; c++) {
    let p = c;
    for (let r = c + 1; r < n; r++) if (Math.abs(m[r][c]) > Math.abs(m[p][c])) p = r;
    [m[c], m[p]] = [m[p], m[c]];
    m[c] = m[c].map((v) => v / m[c][c]);
    for (let r = 0; r < n; r++) if (r !== c) m[r] = m[r].map((v, j) => v - m[r][c] * m[c][j]);
  }
  return m.map((row) => row.slice(n));
}

/** What the codes of one row stand for: the update of optimal brain surgery, column after column, H⁻¹ of the columns that are left each time. */
function slowRow(w: Float32Array, h: number[][], order: readonly number[], scheme: IntegerScheme, early: boolean): number[] {
  const k = w.length;
  const group = scheme.group || k;
  const now = Float64Array.from(w);
  const groupOf = (c: number) => Math.floor(c / group);
  const scaleAt = (from: ArrayLike<number>, g: number) => scheme.scaleOf(Float32Array.from({ length: Math.min(group, k - g * group) }, (_, i) => from[g * group + i]));
  const scales = new Map<number, number>();
  if (early) for (let g = 0; g * group < k; g++) scales.set(g, scaleAt(w, g));
  const out: number[] = new Array(k);
  order.forEach((c, at) => {
    if (!early && c % group === 0) scales.set(groupOf(c), scaleAt(now, groupOf(c)));
    const scale = scales.get(groupOf(c)) as number;
    const code = Math.max(scheme.qmin, Math.min(scheme.qmax, Math.round(now[c] / scale)));
    out[c] = Math.fround(code * scale) + 0; // no -0
    const left = order.slice(at);
    const hinv = inverse(left.map((i) => left.map((j) => h[i][j])));
    left.slice(1).forEach((i, p) => {
      now[i] -= ((now[c] - out[c]) * hinv[0][p + 1]) / hinv[0][0];
    });
  });
  return out;
}

function damped({ gram, k }: InputStatistics, damping: number): number[][] {
  const g = gram as Float64Array;
  let mean = 0;
  for (let i = 0; i < k; i++) mean += g[i * k + i] / k;
  return Array.from({ length: k }, (_, i) => Array.from({ length: k }, (_, j) => g[i * k + j] + (i === j ? damping * mean : 0)));
}

describe.each(["q4g32", "q4g128", "q8", "q8g32"])("%s", (name) => {
  const scheme = SCHEMES[name] as IntegerScheme;

  test.each([
    [32, false],
    [70, false],
    [70, true],
  ])("k %i, activation order %s: the codes of the slow implementation", async (k, activationOrder) => {
    const [n, t] = [5, 3 * k];
    const inputs = statisticsOf(la, correlated(t, k, normal, 1), t, k);
    const w = normal(n * k, 2, 0.1);
    const { back } = await compressWith(method, la, inputs, scheme, w, n, { activationOrder });
    const h = damped(inputs, 0.01);
    const order = Array.from({ length: k }, (_, i) => i);
    if (activationOrder) order.sort((a, b) => h[b][b] - h[a][a]);
    for (let r = 0; r < n; r++) {
      const want = slowRow(w.subarray(r * k, (r + 1) * k), h, order, scheme, activationOrder);
      expect(Array.from(back.subarray(r * k, (r + 1) * k))).toEqual(want);
    }
  });
});

describe.each(["q4g32", "q4g128", "q4g32m", "q8"])("%s", (name) => {
  test.each([1, 2, 3, 4, 5, 6])("seed %i: outputs err less than by rounding to nearest, as the report predicts and measures", async (seed) => {
    const [n, k, t, held] = [24, 100, 500, 100];
    const x = correlated(t, k, normal, 10 * seed);
    const inputs = statisticsOf(la, x, t, k, held);
    const w = normal(n * k, seed, 0.05);
    const scheme = SCHEMES[name];
    const [got, plain] = [await compressWith(method, la, inputs, scheme, w, n), await compressWith(rtn, la, inputs, scheme, w, n)];
    const seen = x.subarray(0, (t - held) * k);
    const unseen = x.subarray((t - held) * k);
    const none = new Float32Array(n * k);
    const relative = (back: Float32Array, rows: Float32Array) => outputError(w, back, n, rows, rows.length / k, k) / outputError(w, none, n, rows, rows.length / k, k);
    for (const { back, report } of [got, plain]) {
      expect(report.output?.predicted).toBeCloseTo(relative(back, seen), 8);
      expect(report.output?.measured).toBeCloseTo(relative(back, unseen), 8);
    }
    expect(relative(got.back, seen)).toBeLessThan(0.8 * relative(plain.back, seen));
    expect(relative(got.back, unseen)).toBeLessThan(relative(plain.back, unseen));
  });
});

test("the same bytes on any number of lanes", async () => {
  const [n, k, t] = [40, 130, 200];
  const x = correlated(t, k, normal, 3);
  const packed = await Promise.all(
    [1, 2, 3].map(async (lanes) => {
      const on = await Linalg.open(lanes);
      const c = await compressWith(method, on, statisticsOf(on, x, t, k), SCHEMES.q4g32, normal(n * k, 4), n);
      on.close();
      return Buffer.from(c.packed).toString("hex");
    }),
  );
  expect(packed[1]).toBe(packed[0]);
  expect(packed[2]).toBe(packed[0]);
});

describe("inputs that are not as one would like", () => {
  test("channels that are always zero: their weights become zero, nothing else suffers", async () => {
    const [n, k, t] = [8, 64, 200];
    const x = correlated(t, k, normal, 5).map((v, i) => (i % k === 3 || i % k === 40 ? 0 : v));
    const { back, report } = await compressWith(method, la, statisticsOf(la, x, t, k), SCHEMES.q4g32, normal(n * k, 6), n);
    for (let r = 0; r < n; r++) for (const dead of [3, 40]) expect(back[r * k + dead]).toBe(0);
    expect(back.every(Number.isFinite)).toBe(true);
    expect(report.output?.predicted).toBeLessThan(0.02);
  });

  test("all channels zero", async () => {
    const { back, report } = await compressWith(method, la, statisticsOf(la, new Float32Array(640), 20, 32), SCHEMES.q4g32, normal(64, 1), 2);
    expect(back.every((v) => v === 0)).toBe(true);
    expect(report.output).toEqual({ predicted: 0, measured: 0 });
  });

  test("fewer tokens than channels, and rows of zeros among the weights", async () => {
    const [n, k, t] = [6, 96, 10];
    const w = normal(n * k, 7).fill(0, k, 3 * k);
    const { back } = await compressWith(method, la, statisticsOf(la, normal(t * k, 8), t, k), SCHEMES.q4g32, w, n);
    expect(back.every(Number.isFinite)).toBe(true);
    expect(back.subarray(k, 3 * k).every((v) => v === 0)).toBe(true);
  });

  const withGram = (gram: number[]): InputStatistics => ({ ...statisticsOf(la, normal(4, 1), 2, 2), gram: Float64Array.from(gram) });

  test("a Gram matrix that none can be: more damping, in the end an error that names the place", () => {
    expect(factorOf(la, withGram([1, 1.05, 1.05, 1]), 0.01, false).u[0]).toBeGreaterThan(0);
    expect(() => factorOf(la, withGram([1, 1e9, 1e9, 1]), 0.01, false)).toThrow(
      expect.objectContaining({ code: "calibration.text", place: { what: "test.in" }, message: expect.stringContaining("longer text") }),
    );
  });

  test.each([0, -1, 101, Number.NaN])("a damping of %d is refused", (damping) => {
    expect(() => factorOf(la, withGram([1, 0, 0, 1]), damping, false)).toThrow(expect.objectContaining({ code: "recipe.invalid", place: { what: "damping" } }));
  });

  test("not finite: the channel is named", () => {
    expect(() => factorOf(la, withGram([1, 0, 0, Number.NaN]), 0.01, false)).toThrow(
      expect.objectContaining({ code: "session.nan", message: expect.stringContaining("channel 1") }),
    );
  });

  test("schemes without codes are refused", () => {
    expect(method.refuses?.(SCHEMES.f16)).toMatch(/integer codes/);
    expect(method.refuses?.(SCHEMES.q4g32m)).toBeUndefined();
  });
});
