// Mode core: what a prompt counts is what its hidden values say, however it is cut; decoding reads the core and nothing else; texts have each their own.
import { afterEach, beforeAll, expect, test } from "vitest";
import { coreOf, type Tally } from "../../runtime/cores/rank.ts";
import { roundEven } from "../../runtime/num/round.ts";
import { CONTROL } from "../../runtime/ops/select/control.ts";
import { controlOf } from "../../runtime/plan/neurons.ts";
import type { CoreOptions } from "../../runtime/session/coreoptions.ts";
import type { Model, ModelOptions } from "../../runtime/session/model.ts";
import type { WasmOptions } from "../../targets/devices/wasm/device.ts";
import { bitsOf, core, decode, f32, inner, KEPT, MORE, NEURONS, PROMPT, STABLE, tallyOf, u32, VOCAB } from "../support/cores.ts";
import { open, pack, tinyCheckpoint, tokensOf } from "../support/tiny.ts";

let relu: Uint8Array;
let silu: Uint8Array;
const models: Model[] = [];

beforeAll(async () => {
  relu = (await pack(await tinyCheckpoint({ activation: "relu", layers: 4 }), "w4n")).bytes;
  silu = (await pack(await tinyCheckpoint({ seed: 5, layers: 4 }), "w4n")).bytes;
});
afterEach(() => {
  for (const m of models.splice(0)) m.close();
});

async function load(bytes: Uint8Array, core: CoreOptions | undefined, options: ModelOptions & WasmOptions = {}): Promise<Model> {
  const model = await open(bytes, options);
  models.push(model);
  if (core) model.engine.ffn.set({ mode: "core", ...core });
  return model;
}

/** The formulas of specs/coreinfer.md §3 over hidden values, a row a token. */
function counted(rows: readonly Float32Array[], alpha: number): Tally {
  const counts = new Uint32Array(NEURONS);
  const mass = new Float32Array(NEURONS);
  for (const h of rows) {
    const fire = Array.from(h.keys()).filter((i) => h[i] > 0);
    const k = Math.max(1, roundEven(Math.fround(Math.fround(alpha) * fire.length)));
    for (const i of fire.sort((a, b) => h[b] - h[a] || a - b).slice(0, k)) {
      counts[i]++;
      mass[i] += h[i];
    }
  }
  return { counts, mass };
}

const hiddenAt = (layer: string) => layer.replace("down", "hidden");

/** Hidden values of each token of a prompt, read with all neurons, by layer. */
async function hiddenOf(bytes: Uint8Array, tokens: Uint32Array): Promise<Map<string, Float32Array[]>> {
  const model = await load(bytes, undefined, { taps: [1, 2].map((i) => `layers.${i}.ffn.hidden`) });
  model.engine.ffn.set({ mode: "dense" });
  const rows = new Map(inner(model).map((l) => [l, [] as Float32Array[]]));
  const session = model.session();
  for (const t of tokens) {
    await session.append(Uint32Array.of(t));
    for (const l of inner(model)) rows.get(l)?.push(model.engine.tap(hiddenAt(l)).slice(0, NEURONS));
  }
  return rows;
}

test("a prompt counts what its hidden values say", async () => {
  for (const bytes of [relu, silu]) {
    const rows = await hiddenOf(bytes, PROMPT);
    const model = await load(bytes, STABLE);
    await model.session().feed(PROMPT);
    for (const l of inner(model)) {
      const want = counted(rows.get(l) as Float32Array[], 0.4);
      expect(tallyOf(model, l)).toEqual(want);
      expect(core(model, l)).toEqual(coreOf(want, KEPT));
    }
    expect(core(model, model.engine.ffn.names[0])).toBeUndefined();
    expect(core(model, model.engine.ffn.names[3])).toBeUndefined();
  }
});

test("a prompt cut in any way, on any build and number of threads, has the same core and the same bits behind it", async () => {
  const run = async (options: ModelOptions & WasmOptions) => {
    const model = await load(silu, STABLE, options);
    const session = model.session();
    const first = bitsOf(await session.feed(PROMPT));
    return { first, behind: await decode(session, MORE), tally: inner(model).map((l) => tallyOf(model, l)) };
  };
  const want = await run({ batch: 64 });
  for (const options of [{ batch: 2 }, { batch: 4 }, { batch: 7, isa: "scalar" }, { batch: 20, isa: "relaxed", threads: 3 }, { batch: 21, threads: 2, fuse: false }] as const)
    expect(await run(options)).toEqual(want);
});

test("behind a prompt the core is what a program would have given", async () => {
  const model = await load(relu, STABLE);
  const session = model.session();
  const first = bitsOf(await session.feed(PROMPT));
  const lists = inner(model).map((l) => core(model, l) as Uint32Array);
  model.engine.ffn.clear();
  const behind = await decode(session, MORE);
  const report = model.engine.ffn.report();
  expect(report).toMatchObject({
    mode: "core",
    steps: MORE.length,
    core: { guide: "stable", made: "stable", why: "as asked", tokens: PROMPT.length, alpha: 0.4, beta: 0.3, refreshes: 0 },
  });
  expect(report?.layers.map((l) => [l.mode, l.skipped.first])).toEqual([
    ["exact", 0],
    ["core", 1 - KEPT / NEURONS],
    ["core", 1 - KEPT / NEURONS],
    ["exact", 0],
  ]);

  const given = await load(relu, undefined);
  const other = given.session();
  expect(bitsOf(await other.feed(PROMPT))).toEqual(first);
  for (const [i, l] of inner(given).entries()) given.engine.ffn.setCore(l, lists[i]);
  expect(await decode(other, MORE)).toEqual(behind);
});

test("a prompt of one token is a prompt", async () => {
  const model = await load(relu, STABLE);
  const session = model.session();
  await session.feed(PROMPT.subarray(0, 1));
  const [layer] = inner(model);
  const want = counted((await hiddenOf(relu, PROMPT.subarray(0, 1))).get(layer) as Float32Array[], 0.4);
  expect(tallyOf(model, layer)).toEqual(want);
  // fewer than the core would hold ever fired strongly: nothing is made up
  expect(core(model, layer)).toEqual(coreOf(want, NEURONS));
});

test("beta of 1 is dense, to the bit", async () => {
  const dense = await load(silu, undefined);
  dense.engine.ffn.set({ mode: "dense" });
  const all = await load(silu, { guide: "stable", beta: 1 });
  const run = async (m: Model) => {
    const session = m.session();
    return [bitsOf(await session.feed(PROMPT)), ...(await decode(session, MORE))];
  };
  expect(await run(all)).toEqual(await run(dense));
  expect(core(all, inner(all)[0])).toBeUndefined();
});

test("a longer prompt takes over what was counted of its beginning, with the bits of reading it anew", async () => {
  const longer = Uint32Array.from([...PROMPT, ...MORE]);
  const fresh = (await load(silu, STABLE)).session();
  const want = [bitsOf(await fresh.feed(longer)), ...(await decode(fresh, MORE))];
  const model = await load(silu, STABLE);
  const session = model.session();
  await session.feed(PROMPT);
  // what was decoded was not counted: it is read again
  await decode(session, MORE.subarray(0, 3));
  const pieces = session.generate(longer, { temperature: 0, maxTokens: 1 });
  for await (const _ of pieces);
  expect(session.stats.reusedTokens).toBe(PROMPT.length);
  expect([bitsOf(await session.feed(longer)), ...(await decode(session, MORE))]).toEqual(want);
});

test("what is appended behind decoded tokens counts with the prompt", async () => {
  const model = await load(relu, STABLE);
  const session = model.session();
  await session.feed(PROMPT);
  await decode(session, MORE.subarray(0, 2));
  const before = inner(model).map((l) => tallyOf(model, l));
  await session.append(MORE);
  inner(model).forEach((l, i) => {
    const after = tallyOf(model, l).counts;
    expect(after.every((v, j) => v >= before[i].counts[j] && v <= before[i].counts[j] + MORE.length)).toBe(true);
    expect(after).not.toEqual(before[i].counts);
  });
  expect(model.engine.ffn.report()?.core?.tokens).toBe(PROMPT.length + MORE.length);
});

test("auto: a prompt of few tokens stays dense, a long steady one gets its core, a restless one stays dense", async () => {
  const model = await load(relu, { beta: 0.3 });
  const report = () => model.engine.ffn.report()?.core;
  await model.session().feed(PROMPT);
  expect(report()).toMatchObject({ guide: "auto", made: "dense", why: expect.stringMatching(/21 prompt tokens are fewer than 64, and there are no clusters/) });
  expect(core(model, inner(model)[0])).toBeUndefined();
  await model.session().feed(Uint32Array.from({ length: 80 }, (_, i) => PROMPT[i % 4]));
  expect(report()).toMatchObject({ made: "stable", why: expect.stringMatching(/^auto: cores after three quarters/) });
  expect(report()?.overlap).toBeGreaterThanOrEqual(0.85);
  expect(core(model, inner(model)[0])?.length).toBe(KEPT);
  // one token again and again in the last quarter
  const many = tokensOf(60, VOCAB, 3);
  const restless = Uint32Array.from({ length: 80 }, (_, i) => (i < 60 ? many[i] : PROMPT[0]));
  await model.session().feed(restless);
  expect(report()?.overlap).toBeLessThan(0.85);
  expect(report()).toMatchObject({ made: "dense" });
});

test("auto compares the cores after just three quarters of the prompt, wherever steps end", async () => {
  const tokens = tokensOf(70, VOCAB, 3);
  const of = async (batch: number) => {
    const model = await load(relu, { beta: 0.3 }, { batch });
    await model.session().feed(tokens);
    return model.engine.ffn.report()?.core?.overlap;
  };
  const stable = async (many: number) => {
    const model = await load(relu, STABLE);
    await model.session().feed(tokens.subarray(0, many));
    return inner(model).map((l) => new Set(core(model, l)));
  };
  const [before, after] = [await stable(52), await stable(70)];
  const want = before.reduce((sum, b, i) => sum + [...after[i]].filter((n) => b.has(n)).length / KEPT, 0) / before.length;
  for (const batch of [5, 64, 128]) expect(await of(batch)).toBeCloseTo(want, 12);
});

test("refresh: after some tokens others are decoded with all neurons, and the core is what these count, not the prompt", async () => {
  const model = await load(relu, { ...STABLE, refresh: 2, window: 3 }, { taps: [1, 2].map((i) => `layers.${i}.ffn.hidden`) });
  const session = model.session();
  await session.feed(PROMPT);
  model.engine.ffn.clear();
  const rows: Float32Array[] = [];
  const [layer] = inner(model);
  const old = core(model, layer);
  for (let i = 0; i < 5; i++) {
    await session.next(MORE[i]);
    if (i >= 2) rows.push(model.engine.tap(hiddenAt(layer)).slice(0, NEURONS));
  }
  const want = coreOf(counted(rows, 0.4), KEPT);
  expect(core(model, layer)).toEqual(want);
  expect(want).not.toEqual(old);
  const report = model.engine.ffn.report();
  expect(report?.core).toMatchObject({ refreshes: 1, tokens: PROMPT.length });
  // tokens read with all neurons are in the share of what was left out
  expect(report?.layers[1].steps).toBe(5);
  expect(report?.layers[1].skipped.first).toBeCloseTo((2 / 5) * (1 - KEPT / NEURONS), 12);
});

test("texts have a core each, whoever holds the caches", async () => {
  const model = await load(relu, STABLE);
  const other = tokensOf(9, VOCAB, 23);
  const alone = async (tokens: Uint32Array) => {
    const session = (await load(relu, STABLE)).session();
    return [bitsOf(await session.feed(tokens)), ...(await decode(session, MORE))];
  };
  for (const tokens of [PROMPT, other, PROMPT]) {
    const session = model.session();
    expect([bitsOf(await session.feed(tokens)), ...(await decode(session, MORE))]).toEqual(await alone(tokens));
  }
});

test("modes are switched in the middle of a text, which has a core again from its next prompt on", async () => {
  const model = await load(silu, STABLE);
  const { ffn } = model.engine;
  const session = model.session();
  await session.feed(PROMPT);
  ffn.set({ mode: "dense" });
  expect(ffn.report()).toMatchObject({ mode: "dense" });
  expect(ffn.report()?.core).toBeUndefined();
  const dense = await load(silu, undefined);
  dense.engine.ffn.set({ mode: "dense" });
  const twin = dense.session();
  await twin.feed(PROMPT);
  expect(await decode(session, MORE)).toEqual(await decode(twin, MORE));
  ffn.set({ mode: "core", ...STABLE });
  expect(bitsOf(await session.next(3))).toEqual(bitsOf(await twin.next(3)));
  expect(ffn.report()?.core).toMatchObject({ made: "none", why: "no prompt was counted" });
  await session.append(MORE);
  expect(ffn.report()?.core).toMatchObject({ made: "stable", tokens: MORE.length });
});

test("a layer that is given another mode, or a core by hand, leaves the others theirs", async () => {
  const model = await load(relu, STABLE);
  const { ffn } = model.engine;
  const [a, b] = inner(model);
  ffn.set({ mode: "topk", topk: 5 }, [a]);
  await model.session().feed(PROMPT);
  expect(ffn.report()?.layers.map((l) => l.mode)).toEqual(["exact", "topk", "core", "exact"]);
  expect(core(model, a)).toBeUndefined();
  expect(core(model, b)?.length).toBe(KEPT);
  ffn.setCore(b, [1, 2]);
  expect(ffn.report()?.core).toBeUndefined();
  await model.session().feed(MORE);
  expect([...(core(model, b) as Uint32Array)]).toEqual([1, 2]);
});

test("a prompt whose reading was stopped has no core; read again, it has that of a fresh one", async () => {
  const model = await load(relu, STABLE, { batch: 4 });
  const session = model.session();
  const stop = new AbortController();
  const reading = session.feed(PROMPT, stop.signal);
  stop.abort();
  await expect(reading).rejects.toMatchObject({ code: "aborted" });
  expect(model.engine.ffn.report()?.core).toMatchObject({ made: "none" });
  expect(u32(model, controlOf(inner(model)[0]))[CONTROL.signal]).toBe(0);
  const fresh = (await load(relu, STABLE)).session();
  expect([bitsOf(await session.feed(PROMPT)), ...(await decode(session, MORE))]).toEqual([bitsOf(await fresh.feed(PROMPT)), ...(await decode(fresh, MORE))]);
});

test("activations that are not numbers are no core: the prompt fails, as in any mode", async () => {
  const model = await load(silu, STABLE);
  f32(model, "layers.1.ffn.norm.weight").fill(Number.NaN);
  const session = model.session();
  await expect(session.feed(PROMPT)).rejects.toMatchObject({ code: "session.nan", place: { what: "layers.1.out" } });
  expect(model.engine.ffn.report()?.core).toMatchObject({ made: "none" });
});

test("a score reads the beginning of each window as its prompt, and the rest under its core", async () => {
  const text = tokensOf(40, VOCAB, 9);
  const model = await load(relu, STABLE, { score: true });
  const scores = await model.score(text, { window: 30, stride: 10 });
  model.engine.ffn.set({ mode: "dense" });
  const dense = await model.score(text, { window: 30, stride: 10 });
  expect([...scores.slice(0, 20)]).toEqual([...dense.slice(0, 20)]);
  expect(scores.slice(20)).not.toEqual(dense.slice(20));
  // the same by hand: a prompt of 20 tokens, then token by token
  model.engine.ffn.set({ mode: "core", ...STABLE });
  const session = model.session();
  await session.feed(text.subarray(10, 30));
  const logits = await session.next(text[30]);
  const total = Math.log([...logits].reduce((sum, v) => sum + Math.exp(v), 0));
  expect(scores[30]).toBeCloseTo(logits[text[31]] - total, 4);
});

test.each<[CoreOptions, RegExp]>([
  [{ alpha: 0 }, /alpha is 0/],
  [{ alpha: 1.1 }, /alpha is 1.1/],
  [{ alpha: Number.NaN }, /alpha is NaN/],
  [{ beta: 0 }, /beta is 0/],
  [{ beta: -1 }, /beta is -1/],
  [{ refresh: -1 }, /refresh is -1/],
  [{ refresh: 1.5 }, /refresh is 1.5/],
  [{ window: 0 }, /window is 0/],
  [{ guide: "half" as never }, /none of auto, stable, similar/],
  [{ signal: "none" as never }, /none of positive, magnitude/],
  [{ guide: "similar" }, /does not carry/],
])("%o is refused, and nothing has changed", async (options, message) => {
  const { ffn } = (await load(relu, undefined)).engine;
  expect(() => ffn.set({ mode: "core", ...options })).toThrow(message);
  expect(ffn.report()).toMatchObject({ mode: "exact", why: "as the model says" });
});

test("a layer that is not there, and an engine that reads prompts token by token, are refused", async () => {
  const { ffn } = (await load(relu, undefined)).engine;
  expect(() => ffn.set({ mode: "core" }, ["nowhere"])).toThrow(/no feed-forward layer nowhere/);
  const one = await load(relu, undefined, { batch: 1 });
  expect(() => one.engine.ffn.set({ mode: "core" })).toThrow(/batch of 2 or more/);
  expect(() => one.engine.ffn.set({ mode: "core" }, [one.engine.ffn.names[1]])).toThrow(/layers.1.ffn.down cannot be counted/);
});
