// What a profile counts: CETT against its definition, cores of the golden vector, rules as the run-time has them, intervals, the break-even.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createRandom } from "../../runtime/num/random.ts";
import { crossing, drawn } from "../../runtime/session/breakeven.ts";
import type { Model } from "../../runtime/session/model.ts";
import { binOf, CettCurve, cettForSparsity, thresholdOf } from "../../tools/profile/cett.ts";
import { CoreCounter, tokenCore } from "../../tools/profile/cores.ts";
import { reportOf, sweep } from "../../tools/profile/curves.ts";
import { layersOf, normsOfRows, observe, rowsOf } from "../../tools/profile/layers.ts";
import { gini, LayerMeter } from "../../tools/profile/meter.ts";
import { Rules } from "../../tools/profile/rules.ts";
import { costOf, readWindows, scoreFrom, windowsOf } from "../../tools/profile/windows.ts";
import { normal } from "../support/data.ts";
import { mambaFolder } from "../support/mamba.ts";
import { open, pack, packFolder, tinyCheckpoint, tokensOf } from "../support/tiny.ts";

const [NEURONS, WIDTH, TOKENS] = [40, 12, 5];
const rows = normal(NEURONS * WIDTH, 1);
const norms = normsOfRows(rows, WIDTH);
const tokens = Array.from({ length: TOKENS }, (_, t) => normal(NEURONS, 10 + t).map((v) => (v < -0.5 ? 0 : v)));

describe("CETT", () => {
  const curve = new CettCurve(rows, norms);
  for (const h of tokens) curve.add(h);

  /** ‖what falls below eps‖ / ‖all‖ of one token, and how many neurons fall. */
  function defined(h: Float32Array, eps: number): { cett: number; dropped: number } {
    const [lost, all] = [new Float64Array(WIDTH), new Float64Array(WIDTH)];
    let dropped = 0;
    for (let i = 0; i < NEURONS; i++) {
      const drops = Math.fround(Math.abs(h[i]) * norms[i]) < eps;
      dropped += Number(drops);
      for (let c = 0; c < WIDTH; c++) {
        all[c] += h[i] * rows[i * WIDTH + c];
        if (drops) lost[c] += h[i] * rows[i * WIDTH + c];
      }
    }
    return { cett: Math.hypot(...lost) / Math.hypot(...all), dropped };
  }

  test("is the norm of what is dropped over that of all, mean over tokens, at every threshold", () => {
    for (const contribution of [0, 0.01, 0.3, 1, 2.5, 100]) {
      const eps = thresholdOf(binOf(contribution));
      const want = tokens.map((h) => defined(h, eps));
      expect(curve.cettAt(binOf(contribution))).toBeCloseTo(want.reduce((s, w) => s + w.cett, 0) / TOKENS, 6);
      expect(curve.sparsityAt(eps)).toBeCloseTo(want.reduce((s, w) => s + w.dropped, 0) / TOKENS / NEURONS, 12);
    }
  });

  test("a threshold keeps within its CETT, and the next one would not", () => {
    for (const target of [0.05, 0.2, 0.6]) {
      const eps = curve.epsFor(target);
      expect(curve.cettAt(binOf(eps) - 1)).toBeLessThanOrEqual(target);
      expect(tokens.reduce((s, h) => s + defined(h, eps * 1.2).cett, 0) / TOKENS).toBeGreaterThan(target * 0.9);
    }
  });

  test("nothing is dropped where even the least contribution is too much, and dead neurons are always", () => {
    const loud = new CettCurve(Float32Array.of(1, 0, 0, 1), Float32Array.of(1, 1));
    loud.add(Float32Array.of(1, 1));
    expect(loud.epsFor(0.5)).toBeLessThanOrEqual(1);
    expect(loud.sparsityAt(loud.epsFor(0.5))).toBe(0);
    const dead = new CettCurve(Float32Array.of(1, 0, 0, 0), Float32Array.of(1, 0));
    dead.add(Float32Array.of(1, 7));
    expect(dead.sparsityAt(dead.epsFor(0.01))).toBe(0.5);
  });

  test("tokens whose output is 0 have none", () => {
    const silent = new CettCurve(rows, norms);
    silent.add(new Float32Array(NEURONS));
    expect([silent.tokens, silent.skipped, silent.cettAt(5000)]).toEqual([0, 1, 0]);
  });

  test("is found for a share of dropped neurons", () => {
    const cett = cettForSparsity([curve], 0.5);
    expect(curve.sparsityAt(curve.epsFor(cett))).toBeCloseTo(0.5, 1);
  });
});

describe("cores", () => {
  const golden = [
    [3, -1, 0, 2, 5, 1, -2, 4],
    [0, 6, -3, 2, 1, -1, 7, 3],
    [4, 1, -1, -2, 6, 2, -5, 5],
  ].map((h) => Float32Array.from(h));

  test("of tokens and of a text are those of the golden vector", () => {
    const counter = new CoreCounter(8, 0.4);
    expect(golden.map((h) => [...counter.add(h)])).toEqual([[4, 7], [1, 6], [4, 7]]); // biome-ignore format: a table
    expect([...counter.core(0.25)]).toEqual([4, 7]);
    expect([...counter.core(0.375)]).toEqual([4, 6, 7]);
  });

  test("have at least one neuron, none of a token where none fires, and refuse NaN and shares out of range", () => {
    expect([...tokenCore(Float32Array.of(-1, 2, 3), 0.01)]).toEqual([2]);
    expect(tokenCore(Float32Array.of(-1, 0)).length).toBe(0);
    expect(() => tokenCore(Float32Array.of(1, Number.NaN))).toThrow(expect.objectContaining({ code: "session.nan" }));
    for (const alpha of [0, 1.5, Number.NaN]) expect(() => tokenCore(golden[0], alpha)).toThrow(expect.objectContaining({ code: "usage" }));
    expect(() => new CoreCounter(8).core(0)).toThrow(expect.objectContaining({ code: "usage" }));
  });
});

test("a meter counts who fires, who never does, and what the greatest add", () => {
  const one = Float32Array.from({ length: NEURONS * WIDTH }, (_, i) => Number(i % WIDTH === 0));
  const meter = new LayerMeter({ name: "l", activation: "relu", gated: false }, one, normsOfRows(one, WIDTH));
  const h = (t: number) => Float32Array.from({ length: NEURONS }, (_, i) => (i === 0 ? 9 : i <= t ? 1 : 0));
  meter.begin();
  for (let t = 0; t < 4; t++) meter.add(h(t));
  const { active, firing, rates, dead, top, contributions } = meter.result();
  expect(active).toMatchObject({ mean: 2.5 / NEURONS, median: 2 / NEURONS, p99: 4 / NEURONS, most: 4 / NEURONS });
  expect(rates.slice(0, 5)).toEqual([1, 0.75, 0.5, 0.25, 0]);
  expect(firing).toMatchObject({ dead: 36, always: 1, above50: 2 });
  expect(dead[0]).toBe(4);
  expect(top.find((s) => s.share === 0.01)?.of).toBeCloseTo((1 + 9 / 10 + 9 / 11 + 9 / 12) / 4, 6);
  expect(contributions).toEqual({ from: 0, counts: [6, 0, 0, 4], zero: 4 * NEURONS - 10 });
});

test("the Gini coefficient of equal counts is 0, of one that has all nearly 1", () => {
  expect(gini(Uint32Array.of(3, 3, 3))).toBeCloseTo(0, 12);
  expect(gini(new Uint32Array(100).fill(5, 0, 1))).toBeCloseTo(0.99, 12);
});

test("windows: documents in pieces, no piece of one token, no more tokens than asked for, too few are refused", () => {
  const of = (length: number) => new Uint32Array(length);
  expect(windowsOf([of(70), of(1), of(33)], 32).map((w) => w.length)).toEqual([32, 32, 6, 32]);
  expect(windowsOf([of(500)], 32, 70).map((w) => w.length)).toEqual([32, 32, 6]);
  expect(() => windowsOf([of(20), of(0)], 32)).toThrow(expect.objectContaining({ code: "usage" }));
});

test("costs are ratios of perplexity less 1, with an interval where there are tokens enough", () => {
  const dense = Float64Array.from({ length: 640 }, (_, i) => -1 - (i % 7));
  const worse = dense.map((v, i) => v - 0.1 - 0.05 * (i % 2));
  const { value, low, high } = costOf(dense, worse);
  expect(value).toBeCloseTo(Math.expm1(0.125), 12);
  expect(low).toBeLessThanOrEqual(value);
  expect(high).toBeGreaterThanOrEqual(value);
  expect(costOf(dense.subarray(0, 64), worse.subarray(0, 64))).toMatchObject({ low: null, high: null });
});

test("the break-even lies between what was measured on both sides of it", () => {
  const at = (...ratios: number[]) => ratios.map((ratio, i) => ({ listed: [0.2, 0.4, 0.8][i], read: [0.1, 0.2, 0.3][i], ratio }));
  expect(crossing(at(0.5, 0.8, 1.2), "listed")).toBeCloseTo(0.6, 12);
  expect(crossing(at(0.5, 0.8, 1.2), "read")).toBeCloseTo(0.25, 12);
  expect([crossing(at(1.1, 1.2, 1.3), "read"), crossing(at(0.1, 0.2, 0.3), "listed")]).toEqual([0, 1]);
  const random = createRandom(3);
  for (const count of [0, 1, 7, 20]) {
    const set = drawn(20, count, random);
    expect([set.length, new Set(set).size, [...set].every((v, i) => v < 20 && (i === 0 || v > set[i - 1]))]).toEqual([count, count, true]);
  }
});

describe("on models that lie by neurons", () => {
  let models: Model[];
  const window = tokensOf(48, 300);

  beforeAll(async () => {
    const shapes = [{ activation: "relu", bias: true }, { seed: 5 }];
    models = await Promise.all(shapes.map(async (s) => open((await pack(await tinyCheckpoint(s), "w4n")).bytes)));
  });
  afterAll(() => {
    for (const m of models) m.close();
  });

  test("layers are found with the rows that kernels multiply, in every scheme", async () => {
    const tiny = await tinyCheckpoint({ seed: 5 });
    const exact = tiny.weights.get("model.layers.1.mlp.down_proj.weight")?.values as Float32Array;
    for (const [recipe, error] of [
      ["f32", 0],
      ["w8", 0.01],
      ["w4n", 0.12],
    ] as const) {
      // biome-ignore format: a table
      const model = await open((await pack(tiny, recipe)).bytes);
      const layers = layersOf(model.engine.graph);
      expect(layers.map((l) => [l.name, l.neurons, l.width, l.gated, l.activation])).toEqual([0, 1].map((i) => [`layers.${i}.ffn.down`, 96, 64, true, "silu"]));
      const got = rowsOf(model.engine, layers[1]);
      const [apart, all] = [...got].reduce(([a, b], v, at) => [a + (v - exact[(at % 64) * 96 + Math.floor(at / 64)]) ** 2, b + v * v], [0, 0]);
      expect(Math.sqrt(apart / all)).toBeLessThanOrEqual(error);
      model.close();
    }
  });

  test("a study's sets leave out what a core does, with the bits of its decode steps; its thresholds are the run-time's", async () => {
    for (const model of models) {
      const observed = observe(model, 48);
      const { engine, layers } = observed;
      const all = layers.map((l) => normsOfRows(rowsOf(engine, l), l.width));
      const rules = new Rules(engine, new Map(layers.map((l, i) => [l.name, all[i]])));
      const core = Uint32Array.from({ length: 24 }, (_, i) => 3 * i + 1);
      for (const l of layers) rules.keep(l.name, core);
      const masked = await scoreFrom(engine, window, 0);
      const shown = observed.hidden(0, 16).slice(0, 96);
      expect([...shown.keys()].every((i) => core.includes(i) || shown[i] === 0)).toBe(true);
      expect(core.some((i) => shown[i] !== 0)).toBe(true);
      for (const l of layers) engine.ffn.setCore(l.name, core);
      const single: number[] = [];
      for (let pos = 0; pos < window.length - 1; pos++) single.push(...[...(await engine.run("decode", window.subarray(pos, pos + 1), pos))].slice(0, 3));
      for (const l of layers) rules.keep(l.name, core);
      const many: number[] = [];
      for (let pos = 0; pos < window.length - 1; pos += 16) {
        const step = window.subarray(pos, Math.min(pos + 16, window.length - 1));
        const logits = await engine.run("score", step, pos);
        for (let r = 0; r < step.length; r++) many.push(...[...logits.subarray(r * 300, r * 300 + 3)]);
      }
      expect(many).toEqual(single);
      engine.ffn.set({ mode: "cett", eps: 0.5 });
      const cett = await readWindows(engine, [window]);
      for (const l of layers) rules.threshold(l.name, 0.2);
      expect(await readWindows(engine, [window])).not.toEqual(cett);
      for (const l of layers) rules.cett(l.name, 0.5);
      expect(await readWindows(engine, [window])).toEqual(cett);
      rules.dense();
      expect(await scoreFrom(engine, window, 0)).not.toEqual(masked);
      observed.close();
    }
  });

  test("a sweep leaves out what it says, costs nothing where nothing is left out, and scores all rules on the same tokens", async () => {
    const windows = Array.from({ length: 4 }, (_, i) => tokensOf(48, 300, i));
    const found = await sweep(models[1], windows, { shares: [0.001, 0.5] });
    const report = reportOf(found);
    expect(report).toMatchObject({ window: 48, tokens: 2 * 23 });
    expect(new Set(report.points.map((p) => p.rule)).size).toBe(6);
    for (const { rule, share, leftOut, cost } of report.points) {
      expect(leftOut, rule).toBeCloseTo(share, 1);
      if (rule === "cett" && share < 0.01) expect(Math.abs(cost.value)).toBeLessThan(0.01);
    }
    const again = await sweep(models[1], windows, { shares: [0.5], rules: ["random"] });
    expect(again.dense).toEqual(found.dense);
  });

  test("a model without feed-forward layers, or one whose neurons do not lie apart, is refused", async () => {
    const mamba = await open((await packFolder(await mambaFolder(), "f32")).bytes);
    expect(() => observe(mamba, 16)).toThrow(expect.objectContaining({ code: "usage", message: expect.stringContaining("no feed-forward layers") }));
    mamba.close();
    const dense = await open((await pack(await tinyCheckpoint(), "w4")).bytes);
    await expect(sweep(dense, [window, window])).rejects.toThrow(/does not lie by neurons/);
    dense.close();
  });
});
