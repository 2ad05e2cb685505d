// 2:4: what stays, in any scheme with a code for zero, and the order in which methods cost outputs.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SCHEMES } from "../../runtime/quant/catalogue.gen.ts";
import { greatestTwo } from "../../runtime/quant/sparse24.ts";
import type { InputStatistics } from "../../tools/compress/calibrate/statistics.ts";
import { Linalg } from "../../tools/compress/linalg/linalg.ts";
import { METHODS } from "../../tools/compress/methods/catalogue.gen.ts";
import { pruned } from "../../tools/compress/prune.ts";
import { compressWith, statisticsOf } from "../support/calibrated.ts";
import { normal } from "../support/data.ts";
import { correlated } from "../support/linalg.ts";

let la: Linalg;
beforeAll(async () => {
  la = await Linalg.open(2);
});
afterAll(() => la.close());

const PRUNING = ["magnitude", "wanda", "sparsegpt"];

/** Of each 4 columns of a row, those that are not zero. */
function keptOf(back: Float32Array, n: number, k: number): number[][] {
  return Array.from({ length: n }, (_, r) =>
    Array.from({ length: Math.ceil(k / 4) }, (_v, g) => [0, 1, 2, 3].reduce((bits, i) => (4 * g + i < k && back[r * k + 4 * g + i] !== 0 ? bits | (1 << i) : bits), 0)),
  );
}

const count = (bits: number) => bits.toString(2).replaceAll("0", "").length;

test("the two greatest stay, the earlier ones on a tie, what there is of a short group", () => {
  expect(greatestTwo([1, 3, 2, 0])).toEqual([1, 2]);
  expect(greatestTwo([1, 1, 1, 1])).toEqual([0, 1]);
  expect(pruned(Float32Array.of(3, 1, 2, 4, 1, 5, 9), 1, 7, 1, Math.abs)).toEqual(Float32Array.of(3, 0, 0, 4, 0, 5, 9));
});

test("rows that share a mask keep the columns with the greatest sum of scores", () => {
  const w = Float32Array.of(9, 1, 0, 2, 0, 8, 7, 3, 1, 1, 2, 2);
  expect(pruned(w, 3, 4, 1, Math.abs)).toEqual(Float32Array.of(9, 0, 0, 2, 0, 8, 7, 0, 0, 0, 2, 2));
  expect(pruned(w, 3, 4, 2, Math.abs)).toEqual(Float32Array.of(9, 1, 0, 0, 0, 8, 0, 0, 0, 0, 2, 2));
});

describe.each(PRUNING)("%s", (name) => {
  test.each(["q8", "q4g32", "q4g128", "q8s24", "q4s24", "q8s24v", "q4s24v"])("%s: of each four columns of a row at most two are not zero", async (scheme) => {
    const [n, k, t] = [20, 70, 300];
    const { back, report } = await compressWith(METHODS[name], la, statisticsOf(la, correlated(t, k, normal, 1), t, k), SCHEMES[scheme], normal(n * k, 2), n);
    for (const row of keptOf(back, n, k)) for (const bits of row) expect(count(bits)).toBeLessThanOrEqual(2);
    expect(report.output?.predicted).toBeLessThan(0.6);
  });

  test.each(["q8s24v", "q4s24v"])("%s: rows that must share a mask do", async (scheme) => {
    const [n, k, t] = [24, 64, 300];
    const { back } = await compressWith(METHODS[name], la, statisticsOf(la, correlated(t, k, normal, 3), t, k), SCHEMES[scheme], normal(n * k, 4), n);
    const kept = keptOf(back, n, k);
    for (let first = 0; first < n; first += 8)
      for (let g = 0; g < k / 4; g++) {
        const union = kept.slice(first, first + 8).reduce((bits, row) => bits | row[g], 0);
        expect(count(union), `rows ${first} … ${first + 7}, columns ${4 * g} …`).toBe(2);
      }
  });

  test("refuses schemes where zero is no code", () => {
    expect(METHODS[name].refuses?.(SCHEMES.q4g32m)).toMatch(/zero/);
    expect(METHODS[name].refuses?.(SCHEMES.f32)).toMatch(/zero/);
    expect(METHODS[name].refuses?.(SCHEMES.q4g32)).toBeUndefined();
  });

  test("channels that are always zero, fewer tokens than channels", async () => {
    const [n, k, t] = [8, 64, 20];
    const x = normal(t * k, 5).map((v, i) => (i % k === 7 ? 0 : v));
    const { back } = await compressWith(METHODS[name], la, statisticsOf(la, x, t, k), SCHEMES.q4g32, normal(n * k, 6), n);
    expect(back.every(Number.isFinite)).toBe(true);
    if (name !== "magnitude") for (let r = 0; r < n; r++) expect(back[r * k + 7]).toBe(0);
  });
});

/** Inputs whose directions weigh 1, 1/2, 1/3 … in a random basis, five channels 8 times as loud. */
function loud(t: number, k: number, seed: number): Float32Array {
  const basis = normal(k * k, seed, 1 / Math.sqrt(k));
  const z = normal(t * k, seed + 1).map((v, i) => v / Math.sqrt((i % k) + 1));
  const x = new Float32Array(t * k);
  for (let r = 0; r < t; r++) for (let c = 0; c < k; c++) for (let i = 0; i < k; i++) x[r * k + c] += z[r * k + i] * basis[i * k + c];
  return x.map((v, i) => ((i % k) % 25 === 3 && i % k < 125 ? 8 * v : v));
}

describe("on loud channels and correlated inputs", () => {
  const [n, k, t, held] = [64, 128, 1200, 200];
  let inputs: InputStatistics;
  beforeAll(() => {
    inputs = statisticsOf(la, loud(t, k, 7), t, k, held);
  });
  const error = async (method: string, scheme = SCHEMES.q8) =>
    (await compressWith(METHODS[method], la, inputs, scheme, normal(n * k, 8), n)).report.output as { predicted: number; measured: number };

  test("SparseGPT costs outputs less than Wanda, Wanda less than magnitude, with int4 too: predicted and measured", async () => {
    for (const scheme of [SCHEMES.q8, SCHEMES.q4g32, SCHEMES.q8s24, SCHEMES.q4s24]) {
      const [magnitude, wanda, sparsegpt] = [await error("magnitude", scheme), await error("wanda", scheme), await error("sparsegpt", scheme)];
      for (const kind of ["predicted", "measured"] as const) {
        expect(sparsegpt[kind]).toBeLessThan(wanda[kind]);
        expect(wanda[kind]).toBeLessThan(magnitude[kind]);
      }
    }
  });

  test("a mask shared by 8 rows costs more than one for each row", async () => {
    for (const method of PRUNING) expect((await error(method, SCHEMES.q8s24v)).predicted, method).toBeGreaterThan((await error(method, SCHEMES.q8s24)).predicted);
  });
});
