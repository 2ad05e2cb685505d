// The order of methods on a synthetic layer, as the specification of EoRA tells it: eigenvalues of the inputs 1/i, five channels eight times as
// great, rows of different scale; errors are relative and of the outputs, on inputs that nothing was fitted to unless said otherwise.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TensorDef } from "../../runtime/graph/types.ts";
import { SCHEMES } from "../../runtime/quant/catalogue.gen.ts";
import type { InputStatistics } from "../../tools/compress/calibrate/statistics.ts";
import { cholesky } from "../../tools/compress/linalg/factor.ts";
import { Linalg } from "../../tools/compress/linalg/linalg.ts";
import { times } from "../../tools/compress/linalg/product.ts";
import { whitenedSvd } from "../../tools/compress/linalg/svd.ts";
import { fitPath } from "../../tools/compress/lowrank.ts";
import { METHODS } from "../../tools/compress/methods/catalogue.gen.ts";
import { compressWith } from "../support/calibrated.ts";
import { layerOf } from "../support/layer.ts";

/** The specification's 512 in the long tests. */
const K = process.env.SKINT_LONG ? 512 : 256;
const RANK = K / 16;

let la: Linalg;
let layer: ReturnType<typeof layerOf>;
const backs = new Map<string, Float32Array>();

/** Compressor and scheme of each base. */
const BASES: readonly (readonly [name: string, method: string, scheme: string])[] = [
  ["int4 to nearest", "rtn", "q4g128"],
  ["GPTQ int4", "gptq", "q4g128"],
  ["2:4 by magnitude", "magnitude", "q8s24"],
  ["2:4 by Wanda", "wanda", "q8s24"],
  ["2:4 by SparseGPT", "sparsegpt", "q8s24"],
  ["2:4 and int4 by SparseGPT", "sparsegpt", "q4s24"],
];

beforeAll(async () => {
  la = await Linalg.open();
  layer = layerOf(la, { n: K, k: K, tokens: 16 * K, held: 8 * K, channel: (i) => (i % Math.floor(K / 5) === 7 ? 8 : 1) });
  for (const [name, method, scheme] of BASES) backs.set(name, (await compressWith(METHODS[method], la, layer.inputs, SCHEMES[scheme], layer.w, K)).back);
}, 120_000);
afterAll(() => la.close());

const backOf = (base: string) => backs.get(base) as Float32Array;
const part = (name: string, format: string, shape: number[]): TensorDef => ({ name, role: "weight", format, shape });

/** W_c with a path beside it, f32 [k, k]. */
function withPath(
  base: string,
  { rank = RANK, power = 0.5, scheme = "f32", inputs = layer.inputs }: { rank?: number; power?: 0 | 0.5 | 1; scheme?: string; inputs?: InputStatistics } = {},
) {
  const back = backOf(base);
  const linear = { weight: "w", n: K, w: layer.w, back, up: part("up", scheme, [K, rank]) };
  const path = fitPath(la, { down: part("down", scheme, [rank, K]), linears: [linear], power, auto: false, inputs });
  const [down, up] = [SCHEMES[scheme].decode(path.packed.get("down") as Uint8Array, path.rank, K), SCHEMES[scheme].decode(path.packed.get("up") as Uint8Array, K, path.rank)];
  return la.scope(() => {
    const product = la.view(times(la, la.from(up, K, path.rank), la.from(down, path.rank, K)));
    return back.map((v, i) => v + product[i]);
  });
}

/** Statistics that know nothing but the mean magnitude of each channel: ACT-S. */
function byMagnitude(): InputStatistics {
  const mean = layer.inputs.channels?.mean as Float32Array;
  return { ...layer.inputs, gram: Float64Array.from({ length: K * K }, (_, at) => (at % (K + 1) === 0 ? mean[at % K] ** 2 : 0)) };
}

test("GPTQ < to nearest; SparseGPT < Wanda < magnitude", () => {
  const error = (base: string) => layer.unseen(backOf(base));
  expect(error("GPTQ int4")).toBeLessThan(error("int4 to nearest"));
  expect(error("2:4 by SparseGPT")).toBeLessThan(error("2:4 by Wanda"));
  expect(error("2:4 by Wanda")).toBeLessThan(error("2:4 by magnitude"));
});

describe.each(BASES.map(([name]) => name))("beside %s", (base) => {
  test("EoRA leaves less than a path by the weights, and than one by the channels' magnitudes", () => {
    const eora = layer.unseen(withPath(base));
    expect(eora).toBeLessThan(layer.unseen(withPath(base, { power: 0 })));
    expect(eora).toBeLessThan(layer.unseen(withPath(base, { inputs: byMagnitude() })));
    expect(eora).toBeLessThan(layer.unseen(backOf(base)));
  });

  test("error falls with rank; what is predicted is what is measured on the inputs it was fitted to", () => {
    let last = layer.trained(backOf(base));
    const whole = last;
    for (const rank of [4, 16, 64]) {
      const now = layer.trained(withPath(base, { rank }));
      expect(now).toBeLessThan(last);
      last = now;
      const residual = Float64Array.from(layer.w, (v, i) => v - backOf(base)[i]);
      const { captured, total } = whitenedSvd(la, residual, layer.inputs.gram as Float64Array, K, K, 0.5, rank);
      expect(now / whole / (1 - captured.reduce((a, b) => a + b, 0) / total)).toBeCloseTo(1, 4);
    }
  });

  test("int8 factors cost at most half a percent, int4 ones a fifth", () => {
    const f32 = layer.unseen(withPath(base, { rank: 64 }));
    expect(layer.unseen(withPath(base, { rank: 64, scheme: "q8" }))).toBeLessThan(1.005 * f32);
    expect(layer.unseen(withPath(base, { rank: 64, scheme: "q4g32" }))).toBeLessThan(1.2 * f32);
  });
});

test("after error feedback there is less for EoRA to win over the plain SVD than after rounding", () => {
  const win = (base: string) => layer.unseen(withPath(base)) / layer.unseen(withPath(base, { power: 0 }));
  expect(win("2:4 by magnitude")).toBeLessThan(win("2:4 by Wanda"));
  expect(win("2:4 by Wanda")).toBeLessThan(win("2:4 by SparseGPT"));
  expect(win("int4 to nearest")).toBeLessThan(win("GPTQ int4"));
});

test("the form without a root agrees with the one through Cholesky's factor", () => {
  const gram = layer.inputs.gram as Float64Array;
  const residual = Float64Array.from(layer.w, (v, i) => v - backOf("2:4 by magnitude")[i]);
  const energies = la.scope(() => {
    const factor = la.from(gram, K, K);
    expect(cholesky(la, factor)).toBe(-1);
    const l = la.view(factor);
    for (let i = 0; i < K; i++) for (let j = i + 1; j < K; j++) l[i * K + j] = 0;
    return Float64Array.from(la.view(times(la, la.from(residual, K, K), factor)));
  });
  const through = whitenedSvd(la, energies, new Float64Array(0), K, K, 0, 4);
  const direct = whitenedSvd(la, residual, gram, K, K, 0.5, 4);
  expect(through.total / direct.total).toBeCloseTo(1, 8);
  for (let i = 0; i < 4; i++) expect(through.captured[i] / direct.captured[i]).toBeCloseTo(1, 4);
});
