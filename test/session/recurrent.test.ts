// Sessions of a model whose state cannot be taken back: what goes on where the text ended does, everything else starts anew, and both give
// the bits of a fresh session.
import { afterEach, beforeAll, expect, test } from "vitest";
import type { SkintError } from "../../runtime/errors.ts";
import type { Model, ModelOptions } from "../../runtime/session/model.ts";
import type { GenerateOptions, Session } from "../../runtime/session/session.ts";
import { logSoftmaxAt } from "../../runtime/stats/perplexity.ts";
import type { WasmOptions } from "../../targets/devices/wasm/device.ts";
import { mambaFolder } from "../support/mamba.ts";
import { open, packFolder, tokensOf } from "../support/tiny.ts";

const VOCAB = 300;
/** Tokens that have a text. */
const TEXTS = 265;
const TEXT = tokensOf(70, TEXTS);
const GREEDY: GenerateOptions = { temperature: 0, ignoreEos: true };

const packs = new Map<string, Uint8Array>();
const models: Model[] = [];

beforeAll(async () => {
  for (const recipe of ["f32", "f16", "w8", "w4"]) packs.set(recipe, (await packFolder(await mambaFolder(), recipe, "auto")).bytes);
});
afterEach(() => {
  for (const m of models.splice(0)) m.close();
});

async function load(options: ModelOptions & WasmOptions = {}, recipe = "f32"): Promise<Model> {
  const model = await open(packs.get(recipe) as Uint8Array, options);
  models.push(model);
  return model;
}

/** Logits behind a text in a model of its own, all tokens in one step. */
async function fresh(text: Uint32Array, recipe = "f32"): Promise<Float32Array> {
  return (await (await load({ batch: 128 }, recipe)).session().feed(text)).slice();
}

async function tokensFrom(session: Session, prompt: Uint32Array, options: GenerateOptions): Promise<number[]> {
  const tokens: number[] = [];
  for await (const { token } of session.generate(prompt, options)) if (token >= 0) tokens.push(token);
  return tokens;
}

const failure = (promise: Promise<unknown>): Promise<SkintError> =>
  promise.then(
    () => expect.unreachable("it should have failed"),
    (e) => e,
  );

test.each(["f32", "f16", "w8", "w4"])("%s: a prefill in steps of any length, then single tokens, give the bits of one long prefill", async (recipe) => {
  const want = await fresh(TEXT, recipe);
  for (const batch of [1, 2, 3, 4, 5, 64]) {
    const session = (await load({ batch }, recipe)).session();
    await session.feed(TEXT.subarray(0, 40));
    let logits = new Float32Array() as Float32Array<ArrayBufferLike>;
    for (const token of TEXT.subarray(40)) logits = await session.next(token);
    expect(logits, `batches of ${batch}`).toEqual(want);
  }
});

test.each(["f32", "w4"])("%s: builds, threads and fusion give the same bits", async (recipe) => {
  const want = await fresh(TEXT, recipe);
  const ways: (ModelOptions & WasmOptions)[] = [{ isa: "scalar" }, { fuse: false }, ...([1, 2, 3] as const).flatMap((threads) => [{ isa: "simd" as const, threads }, { threads }])];
  for (const how of ways) {
    const session = (await load(how, recipe)).session();
    await session.feed(TEXT.subarray(0, 50));
    expect(await session.feed(TEXT), JSON.stringify(how)).toEqual(want);
  }
});

test("a text that goes on is fed from where it ended", async () => {
  const session = (await load()).session();
  await tokensFrom(session, TEXT.subarray(0, 20), { ...GREEDY, maxTokens: 1 });
  await tokensFrom(session, TEXT.subarray(0, 40), { ...GREEDY, maxTokens: 1 });
  expect(session.stats).toMatchObject({ promptTokens: 40, reusedTokens: 20 });
  expect(await session.feed(TEXT)).toEqual(await fresh(TEXT));
});

test("an answer that was generated is part of the text that goes on", async () => {
  const session = (await load()).session();
  const answer = await tokensFrom(session, TEXT.subarray(0, 10), { ...GREEDY, maxTokens: 6 });
  const talk = Uint32Array.from([...TEXT.subarray(0, 10), ...answer, ...TEXT.subarray(10, 20)]);
  await tokensFrom(session, talk, { ...GREEDY, maxTokens: 1 });
  expect(session.stats.reusedTokens).toBe(15);
  const next = Uint32Array.from([...talk, 7]);
  expect(await session.feed(next)).toEqual(await fresh(next));
});

test.each([
  ["the same text", TEXT.subarray(0, 30)],
  ["a shorter one", TEXT.subarray(0, 12)],
  ["one with another end", Uint32Array.from([...TEXT.subarray(0, 29), 3, 4, 5])],
  ["another one", tokensOf(30, TEXTS, 99)],
])("%s is fed again from its beginning", async (_, text) => {
  const session = (await load()).session();
  await session.feed(TEXT.subarray(0, 30));
  await tokensFrom(session, text, { ...GREEDY, maxTokens: 1 });
  expect(session.stats.reusedTokens).toBe(0);
  expect(session.length).toBe(text.length);
  expect(await session.feed(text)).toEqual(await fresh(text));
});

test("reset, another session and a score leave nothing of the text behind", async () => {
  const model = await load({ score: true, batch: 8 });
  const first = model.session();
  const want = await fresh(TEXT);
  await first.feed(tokensOf(20, VOCAB, 3));
  first.reset();
  expect(await first.feed(TEXT)).toEqual(want);
  const second = model.session();
  expect(await second.feed(TEXT)).toEqual(want);
  expect(await first.next(5)).toEqual(await fresh(Uint32Array.from([...TEXT, 5])));
  await model.score(TEXT, { window: 20, stride: 10 });
  expect(await second.feed(TEXT)).toEqual(want);
});

test("a step that is not the next one is refused", async () => {
  const { engine } = await load();
  await engine.run("prefill", TEXT.subarray(0, 5), 0);
  const error = await failure(engine.run("decode", TEXT.subarray(0, 1), 3));
  expect(error).toMatchObject({ code: "session.failed", place: { what: "state" } });
  expect(error.message).toContain("stands at position 5 and cannot go to 3");
});

test.each([
  [12, 12],
  [12, 5],
  [1000, 1000],
])("scores in windows of %i, stride %i, are those of texts that begin there", async (window, stride) => {
  const model = await load({ score: true, batch: 5 });
  const scores = await model.score(TEXT, { window, stride });
  for (const i of [0, 4, 11, 12, 30, 68]) {
    const start = i < window ? 0 : Math.ceil((i + 1 - window) / stride) * stride;
    expect(scores[i], `token ${i + 1} from ${start}`).toBe(logSoftmaxAt(await fresh(TEXT.subarray(start, i + 1)), TEXT[i + 1]));
  }
});

test("the length of a text has no limit and takes no memory, unless one is asked for", async () => {
  const model = await load();
  const bounded = await load({ context: 100 });
  expect(model.engine.program.memoryBytes).toBe(bounded.engine.program.memoryBytes);
  const session = model.session();
  expect(await tokensFrom(session, TEXT, { ...GREEDY, maxTokens: 5000 })).toHaveLength(5000);
  expect(session.stats.stop).toBe("length");
  expect((await failure(bounded.session().feed(tokensOf(101, VOCAB)))).code).toBe("session.context");
});

test("the state of the NaN's text is not gone on with", async () => {
  const model = await load({ batch: 8 });
  const session = model.session();
  await session.feed(TEXT.subarray(0, 20));
  const bias = model.engine.program.view("layers.1.mixer.dt.bias");
  const values = new Float32Array(bias.buffer, bias.byteOffset, bias.length / 4);
  const kept = values[3];
  values[3] = Number.NaN;
  const error = await failure(session.feed(TEXT));
  expect(error).toMatchObject({ code: "session.nan", place: { what: "layers.1.out" } });
  values[3] = kept;
  expect(await session.feed(TEXT)).toEqual(await fresh(TEXT));
});
