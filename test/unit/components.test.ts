// A matrix taken apart in the context of its inputs (CorDA): against numpy (linalg-oracle.py), against the whole, and against the energy the parts have.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TensorDef } from "../../runtime/graph/types.ts";
import { SCHEMES } from "../../runtime/quant/catalogue.gen.ts";
import type { InputStatistics } from "../../tools/compress/calibrate/statistics.ts";
import { componentsOf, damped, PARTS, type Part } from "../../tools/compress/linalg/context.ts";
import { cholesky, invertLower } from "../../tools/compress/linalg/factor.ts";
import { Linalg } from "../../tools/compress/linalg/linalg.ts";
import type { LowRank } from "../../tools/compress/linalg/svd.ts";
import { type FittedPath, hashOf, type PathJob } from "../../tools/compress/lowrank.ts";
import { refitPart, takePart } from "../../tools/compress/part.ts";
import { outputError, statisticsOf } from "../support/calibrated.ts";
import { normal } from "../support/data.ts";
import { correlated, gramOf, greatestDifference, product, turned, wave } from "../support/linalg.ts";
import golden from "./linalg-golden.json";

let la: Linalg;
beforeAll(async () => {
  la = await Linalg.open(2);
});
afterAll(() => la.close());

const productOf = (d: LowRank, n: number, k: number) => product(d.left, d.right, n, d.rank, k);
const squares = (m: ArrayLike<number>) => Array.from(m).reduce((sum, v) => sum + v * v, 0);

/** Of the golden file: w [9, 14] with a Gram matrix of 40 rows, and its transpose with one of its own. */
const w = wave(9, 14, 1.5);
const SIDES = {
  wide: { m: w, n: 9, k: 14, c: damped(gramOf(wave(40, 14, 2.5), 40, 14), 14) },
  tall: { m: turned(w, 9, 14), n: 14, k: 9, c: damped(gramOf(turned(w, 9, 14), 14, 9), 9) },
};

describe.each(["wide", "tall"] as const)("components of a %s matrix", (side) => {
  const { m, n, k, c } = SIDES[side];
  const want = golden.parts[side];

  test.each(PARTS)("%s: as numpy has them, with the energy they have in the context", (part) => {
    const d = componentsOf(la, m, c, n, k, part, 3);
    const sum = productOf(d, n, k);
    expect(greatestDifference(sum, want[part])).toBeLessThan(1e-8);
    const singular = part === "ipa" ? want.singular.slice(0, 3) : want.singular.slice(-3);
    d.captured.forEach((v, i) => {
      expect(v / d.total).toBeCloseTo(singular[i] ** 2 / squares(want.singular), 12);
    });
    expect(squares(product(sum, c, n, k, k)) / squares(singular)).toBeCloseTo(1, 6);
  });

  test("column i of the left factor is as long as row i of the right one", () => {
    const { left, right, rank } = componentsOf(la, m, c, n, k, "kpa", 4);
    for (let i = 0; i < rank; i++) expect(squares(left.filter((_, at) => at % rank === i)) / squares(right.subarray(i * k, (i + 1) * k))).toBeCloseTo(1, 10);
  });
});

test.each([
  [20, 40],
  [70, 40],
  [40, 40],
])("n %i, k %i: the strongest and the weakest together are the matrix; all of the energy is in them", (n, k) => {
  const m = Float64Array.from(normal(n * k, 3));
  const c = damped(gramOf(correlated(4 * k, k, normal, 4), 4 * k, k), k);
  const [few, others] = [7, Math.min(n, k) - 7];
  const [ipa, kpa] = [componentsOf(la, m, c, n, k, "ipa", few), componentsOf(la, m, c, n, k, "kpa", others)];
  const rest = productOf(kpa, n, k);
  expect(greatestDifference(productOf(ipa, n, k).map((v, i) => v + rest[i]), m)).toBeLessThan(1e-10); // biome-ignore format: one line
  expect([...ipa.captured, ...kpa.captured].reduce((a, b) => a + b, 0) / ipa.total).toBeCloseTo(1, 12);
  expect(Math.min(...ipa.captured)).toBeGreaterThanOrEqual(Math.max(...kpa.captured));
});

test.each([
  ["of 3 tokens", (k: number) => gramOf(normal(3 * k, 8), 3, k)],
  ["of channels that differ by 1e8", (k: number) => Float64Array.from({ length: k * k }, (_, at) => (at % (k + 1) ? 0 : 10 ** (-8 + (16 * (at % k)) / k)))],
  ["of nothing but zeros", (k: number) => new Float64Array(k * k)],
])("a context %s is damped until ‖C C⁻¹ − 1‖ < 0.05; parts of zeros are zeros", (_, of) => {
  const k = 30;
  const c = damped(of(k), k);
  const inverse = la.scope(() => {
    const factor = la.from(c, k, k);
    expect(cholesky(la, factor)).toBe(-1);
    return la.view(invertLower(la, factor)).slice();
  });
  const whole = product(c, product(turned(inverse, k, k), inverse, k, k, k), k, k, k);
  expect(Math.sqrt(squares(whole.map((v, at) => v - (at % (k + 1) ? 0 : 1))))).toBeLessThan(0.05);
  for (const n of [12, 50]) {
    const d = componentsOf(la, new Float64Array(n * k), c, n, k, "kpa", 4);
    expect([...productOf(d, n, k)].every((v) => v === 0)).toBe(true);
    expect([...d.left, ...d.right].every(Number.isFinite)).toBe(true);
  }
});

describe("a path that is a part of the weights", () => {
  const [N, K, T, RANK] = [48, 64, 400, 8];
  const x = correlated(T, K, normal, 1);
  const weights = normal(N * K, 10);
  const tensor = (name: string, format: string, shape: number[]): TensorDef => ({ name, role: "weight", format, shape });
  const jobOf = (inputs: InputStatistics, back: Float32Array, scheme = "f32"): PathJob => ({
    down: tensor("down", scheme, [RANK, K]),
    linears: [{ weight: "w", n: N, w: weights, back, up: tensor("up", scheme, [N, RANK]) }],
    power: 1,
    auto: false,
    inputs,
  });
  const statistics = (tokens: number) => statisticsOf(la, x.slice(0, tokens * K), tokens, K);
  /** The part, the rest rounded to a grid, and the path fitted to that. */
  function apart(inputs: InputStatistics, part: Part, scheme: string, grid: number): { taken: FittedPath; back: Float32Array; fitted: FittedPath } {
    const taken = takePart(la, jobOf(inputs, new Float32Array(N * K), scheme), part);
    const made = taken.beside("w");
    const back = weights.map((v, i) => (grid ? Math.round((v - made[i]) / grid) * grid : v - made[i]));
    return { taken, back, fitted: refitPart(la, jobOf(inputs, back, scheme), taken) };
  }
  const whole = (back: Float32Array, path: FittedPath) => path.beside("w").map((v, i) => v + back[i]);

  test.each(PARTS)("%s: rest and part are the weights again before anything is rounded", (part) => {
    const { taken, back, fitted } = apart(statistics(T), part, "f32", 0);
    expect(greatestDifference(whole(back, taken), weights)).toBeLessThan(1e-6);
    expect(greatestDifference(whole(back, fitted), weights)).toBeLessThan(1e-5);
    expect(fitted.reports.get("w")).toMatchObject({ rank: RANK, power: 1, fittedTo: hashOf(back) });
  });

  test("the strongest part makes most of the outputs, the weakest next to nothing", () => {
    const share = (part: Part) => {
      const made = apart(statistics(T), part, "f32", 0).taken.beside("w");
      return outputError(made, new Float32Array(N * K), N, x, T, K) / outputError(weights, new Float32Array(N * K), N, x, T, K);
    };
    expect(share("ipa")).toBeGreaterThan(0.3);
    expect(share("kpa")).toBeLessThan(0.03);
  });

  test.each(PARTS)("%s: `up` fitted anew wins back some of what rounding the rest cost; `down` stays what was taken", (part) => {
    const { taken, back, fitted } = apart(statistics(T), part, "q8", 0.5);
    expect(outputError(weights, whole(back, fitted), N, x, T, K)).toBeLessThan(outputError(weights, whole(back, taken), N, x, T, K));
    expect(fitted.packed.get("down")).toEqual(taken.packed.get("down"));
    expect(SCHEMES.q8.decode(fitted.packed.get("up") as Uint8Array, N, RANK)).not.toEqual(SCHEMES.q8.decode(taken.packed.get("up") as Uint8Array, N, RANK));
  });

  test.each(PARTS)("%s: what calibration of 3 tokens did not see is not lost", (part) => {
    const { back, fitted } = apart(statistics(3), part, "f32", 0);
    expect(greatestDifference(whole(back, fitted), weights)).toBeLessThan(1e-4);
  });
});
