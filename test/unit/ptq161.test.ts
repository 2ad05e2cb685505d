// PTQ1.61: the order in which masks and scales cost outputs on a synthetic layer (specification: activation mask before weight mask before random
// mask before none, learned scales before analytic ones), edge cases, and that what is learned stands in the file.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { arrange, type Columns, greatestColumns, unarrange } from "../../runtime/graph/columns.ts";
import { scheme, splitOf } from "../../runtime/quant/q161.ts";
import { columnsFor } from "../../tools/compress/binarise.ts";
import { Linalg } from "../../tools/compress/linalg/linalg.ts";
import { method } from "../../tools/compress/methods/ptq161.ts";
import { statisticsOf } from "../support/calibrated.ts";
import { normal } from "../support/data.ts";
import { layerOf } from "../support/layer.ts";

let la: Linalg;
let layer: ReturnType<typeof layerOf>;
const [N, K] = [256, 512];
beforeAll(async () => {
  la = await Linalg.open();
  layer = layerOf(la, { n: N, k: K, tokens: 4096, held: 2048, channel: (_, v) => Math.exp(0.9 * v), column: (v) => Math.exp(0.1 * v) });
}, 120_000);
afterAll(() => la.close());

/** What the method makes of rows with given columns: f32 [n, k], and the bytes. */
async function packed(w: Float32Array, n: number, columns: Columns, rounds: number, inputs = layer.inputs, feedback = false): Promise<{ back: Float32Array; bytes: number }> {
  const { k } = inputs;
  const order = { salient: columns.salient, factors: columns.factors.map((f) => 1 / f) };
  const chunks: Uint8Array[] = [];
  await method.compress({
    name: "w", n, k, scheme, dtype: "F32", columns, settings: { ...method.settings, rounds, feedback }, calibrated: { inputs, la },
    async read(row, rows) {
      const out = new Float32Array(rows * k);
      for (let r = 0; r < rows; r++) out.set(arrange(w.subarray((row + r) * k, (row + r + 1) * k), order), r * k);
      return out;
    },
    write: async (b) => void chunks.push(b),
  }); // biome-ignore format: a table
  const bytes = Uint8Array.from(Buffer.concat(chunks));
  const back = scheme.decode(bytes, n, k);
  for (let r = 0; r < n; r++) back.set(unarrange(back.subarray(r * k, (r + 1) * k), columns), r * k);
  return { back, bytes: bytes.length };
}

const perRow = (w: Float32Array, f: (row: Float32Array) => Float32Array) => {
  const out = new Float32Array(w.length);
  for (let at = 0; at < w.length; at += K) out.set(f(w.subarray(at, at + K)), at);
  return out;
};

/** Every weight becomes ± the mean magnitude of its row. */
const binary = (row: Float32Array) => {
  const alpha = row.reduce((sum, v) => sum + Math.abs(v), 0) / K;
  return row.map((v) => (v < 0 ? -alpha : alpha));
};

/** Two bits a weight, to nearest, one range a row. */
const twoBits = (row: Float32Array) => {
  const [low, high] = [Math.min(...row), Math.max(...row)];
  const s = (high - low) / 3;
  return row.map((v) => low + s * Math.round((v - low) / s));
};

describe("on a synthetic layer", () => {
  test("learned scales < analytic ones < mask by weights < random mask < no mask; all before two bits to nearest", async () => {
    const { w, inputs, unseen } = layer;
    const of = async (columns: Columns, rounds: number) => unseen((await packed(w, N, columns, rounds)).back);
    const energy = new Float64Array(K);
    for (let i = 0; i < w.length; i++) energy[i % K] += w[i] ** 2;
    const options = { byProduct: false };
    const learned = await of(columnsFor(la, w, N, inputs, { ...options, rounds: 12 }), 12);
    const analytic = await of(columnsFor(la, w, N, inputs, { ...options, rounds: 0 }), 0);
    const weights = await of(greatestColumns(energy), 0);
    const random = await of(greatestColumns(normal(K, 9)), 0);
    const none = unseen(perRow(w, binary));
    expect(learned).toBeLessThan(0.9 * analytic);
    expect(analytic).toBeLessThan(weights);
    expect(weights).toBeLessThan(random);
    expect(random).toBeLessThan(none);
    expect(learned).toBeLessThan(unseen(perRow(w, twoBits)));
  });

  test("more salient energy, less error: the more of the kept columns are those of the greatest inputs", async () => {
    const mean = layer.inputs.channels?.mean as Float32Array;
    const order = Array.from(mean.keys()).sort((a, b) => mean[b] - mean[a]);
    const kept = splitOf(K).salient;
    let before = Number.POSITIVE_INFINITY;
    for (const share of [0, 0.25, 0.5, 0.75, 1]) {
      const right = Math.round(share * kept);
      const chosen = new Set([...order.slice(0, right), ...order.slice(order.length - kept + right)]);
      const error = layer.unseen((await packed(layer.w, N, greatestColumns(Float64Array.from(mean, (_, i) => (chosen.has(i) ? 1 : 0))), 0)).back);
      expect(error).toBeLessThan(before);
      before = error;
    }
  });

  test("the mask by inputs takes the columns whose inputs are greatest", () => {
    const { salient } = columnsFor(la, layer.w, N, layer.inputs, { rounds: 0, byProduct: false });
    const mean = layer.inputs.channels?.mean as Float32Array;
    const least = Math.min(...mean.filter((_, i) => salient[i] === 1));
    expect(mean.filter((v, i) => salient[i] === 0 && v > least).length).toBe(0);
    expect(salient.reduce((a, b) => a + b, 0)).toBe(splitOf(K).salient);
  });

  test("each round of learning leaves less", async () => {
    const errors: number[] = [];
    for (const rounds of [1, 3, 12]) errors.push(layer.trained((await packed(layer.w, N, columnsFor(la, layer.w, N, layer.inputs, { rounds, byProduct: false }), rounds)).back));
    expect(errors[1]).toBeLessThan(errors[0]);
    expect(errors[2]).toBeLessThan(1.001 * errors[1]);
  });

  test("signs chosen one column after the other leave less than those of the weights", async () => {
    const columns = columnsFor(la, layer.w, N, layer.inputs, { rounds: 12, byProduct: false });
    const error = async (feedback: boolean) => layer.unseen((await packed(layer.w, N, columns, 12, layer.inputs, feedback)).back);
    expect(await error(true)).toBeLessThan(0.8 * (await error(false)));
  });

  test("bytes are the bits that the format says", async () => {
    const { bytes } = await packed(layer.w, N, columnsFor(la, layer.w, N, layer.inputs, { rounds: 0, byProduct: false }), 0);
    const { salient, binary } = splitOf(K);
    const bits = N * (4 * salient + binary + 3 * 16 + 8);
    expect((8 * bytes) / bits).toBeGreaterThanOrEqual(1);
    expect((8 * bytes) / bits).toBeLessThan(1.01);
  });
});

describe("edges", () => {
  const [n, k, t] = [16, 80, 200];
  const w = normal(n * k, 1);

  test("rows of zeros, channels that are always zero, and equal channels", async () => {
    const x = normal(t * k, 2).map((v, at) => (at % k < 10 ? 0 : v));
    const inputs = statisticsOf(la, x, t, k);
    const zeros = w.map((v, at) => (at < k ? 0 : v));
    const columns = columnsFor(la, zeros, n, inputs, { rounds: 6, byProduct: false });
    expect([...columns.salient.subarray(0, 10)]).toEqual(new Array(10).fill(0));
    expect([...columns.factors].every((f) => f >= 0.04 && f <= 20)).toBe(true);
    const { back } = await packed(zeros, n, columns, 6, inputs, true);
    expect(back.every(Number.isFinite)).toBe(true);
    expect(back.subarray(0, k).every((v) => Math.abs(v) < 1e-6)).toBe(true);
  });

  test("fewer tokens than channels", async () => {
    const inputs = statisticsOf(la, normal(5 * k, 3), 5, k);
    const { back } = await packed(w, n, columnsFor(la, w, n, inputs, { rounds: 6, byProduct: false }), 6, inputs, true);
    expect(back.every(Number.isFinite)).toBe(true);
  });

  test("no salient columns where k is short; a k that fills no words", async () => {
    for (const short of [24, 50]) {
      const inputs = statisticsOf(la, normal(t * short, 4), t, short);
      const some = normal(n * short, 5);
      const { back } = await packed(some, n, columnsFor(la, some, n, inputs, { rounds: 3, byProduct: true }), 3, inputs, true);
      expect(back.every(Number.isFinite)).toBe(true);
    }
  });

  test("other schemes are refused", () => {
    expect(method.refuses?.({ ...scheme, arranged: undefined })).toMatch(/nothing but q161/);
    expect(method.refuses?.(scheme)).toBeUndefined();
  });
});
