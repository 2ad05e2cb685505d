// A session on a tiny model: what it reuses, what it refuses, how it ends, and that it is usable afterwards.
import { afterEach, beforeAll, expect, test } from "vitest";
import type { SkintError } from "../../runtime/errors.ts";
import type { Model, ModelOptions } from "../../runtime/session/model.ts";
import type { GenerateOptions, Session } from "../../runtime/session/session.ts";
import { open, pack, tinyCheckpoint, tokensOf } from "../support/tiny.ts";

const VOCAB = 300;
/** Tokens that have a text; the rest of the vocabulary pads the embedding. */
const TEXTS = 265;
const GREEDY: GenerateOptions = { temperature: 0, ignoreEos: true };

let bytes: Uint8Array;
const models: Model[] = [];

beforeAll(async () => {
  bytes = (await pack(await tinyCheckpoint(), "f16")).bytes;
});
afterEach(() => {
  for (const m of models.splice(0)) m.close();
});

async function load(options: ModelOptions = {}): Promise<Model> {
  const model = await open(bytes, options);
  models.push(model);
  return model;
}

async function tokensFrom(session: Session, prompt: Uint32Array | string, options: GenerateOptions): Promise<number[]> {
  const tokens: number[] = [];
  for await (const { token } of session.generate(prompt, options)) if (token >= 0) tokens.push(token);
  return tokens;
}

const failure = (promise: Promise<unknown>): Promise<SkintError> =>
  promise.then(
    () => expect.unreachable("it should have failed"),
    (e) => e,
  );

test("a turn that goes on where the last one ended gives what a fresh session gives, and reuses the cache", async () => {
  const text = tokensOf(60, TEXTS);
  const session = (await load({ batch: 16 })).session();
  await tokensFrom(session, text.subarray(0, 20), { ...GREEDY, maxTokens: 5 });
  const next = await tokensFrom(session, text.subarray(0, 40), { ...GREEDY, maxTokens: 5 });
  expect(session.stats).toMatchObject({ promptTokens: 40, reusedTokens: 20, generatedTokens: 5 });
  const logits = (await session.feed(text)).slice();
  const fresh = (await load({ batch: 16 })).session();
  expect(await tokensFrom(fresh, text.subarray(0, 40), { ...GREEDY, maxTokens: 5 })).toEqual(next);
  expect(fresh.stats.reusedTokens).toBe(0);
  expect(await fresh.feed(text)).toEqual(logits);
});

test("a prompt that is in the cache whole is answered again from its last token", async () => {
  const text = tokensOf(12, VOCAB);
  const session = (await load()).session();
  const first = (await session.feed(text)).slice();
  expect(await session.feed(text)).toEqual(first);
  expect(session.length).toBe(12);
  await session.feed(text.subarray(0, 4));
  expect(session.length).toBe(4);
});

test("reset forgets the text", async () => {
  const text = tokensOf(12, VOCAB);
  const session = (await load()).session();
  await session.feed(text);
  session.reset();
  expect(session.length).toBe(0);
  await tokensFrom(session, text, { ...GREEDY, maxTokens: 1 });
  expect(session.stats.reusedTokens).toBe(0);
});

test("a second session takes the cache over; the first one starts anew and does not go on with another's text", async () => {
  const [a, b] = [tokensOf(12, VOCAB, 1), tokensOf(12, VOCAB, 2)];
  const model = await load();
  const first = model.session();
  const want = (await first.feed(a)).slice();
  const second = model.session();
  await second.feed(b);
  expect((await failure(first.next(5))).code).toBe("session.failed");
  expect(await first.feed(a)).toEqual(want);
  expect((await failure(second.next(5))).code).toBe("session.failed");
});

test("the context is checked before anything runs, with advice", async () => {
  const model = await load({ context: 32 });
  const session = model.session();
  await session.feed(tokensOf(5, VOCAB));
  const before = model.engine.program.meter().executions;
  const error = await failure(session.feed(tokensOf(33, VOCAB)));
  expect(error.code).toBe("session.context");
  expect(error.message).toBe("the text has 33 tokens, the context holds 32; shorten it, or load with a longer context (the model allows 160)");
  expect(model.engine.program.meter().executions).toBe(before);
  expect((await failure(tokensFrom(session, tokensOf(33, VOCAB), GREEDY))).code).toBe("session.context");
  expect(session.length).toBe(5);
});

test("generation stops where the context ends, and says so", async () => {
  const session = (await load({ context: 16 })).session();
  expect(await tokensFrom(session, tokensOf(12, TEXTS), GREEDY)).toHaveLength(5);
  expect(session.stats.stop).toBe("context");
  expect((await failure(session.next(1))).code).toBe("session.context");
});

test("a context longer than the model's is refused", async () => {
  for (const context of [0, 161, 1.5]) expect((await failure(load({ context }))).code).toBe("usage");
});

test.each(["layers.0", "layers.1"])("numbers that are not finite are traced to %s", async (layer) => {
  const model = await load({ batch: 8 });
  floats(model, `${layer}.ffn.norm.weight`)[3] = Number.NaN;
  const session = model.session();
  const error = await failure(session.feed(tokensOf(20, VOCAB)));
  expect(error).toMatchObject({ code: "session.nan", place: { what: `${layer}.out` } });
  expect(error.message).toContain(`first in ${layer}.out at position 0;`);
  floats(model, `${layer}.ffn.norm.weight`)[3] = 1;
  expect(await session.feed(tokensOf(20, VOCAB))).toHaveLength(VOCAB);
});

test("numbers that are not finite are traced to the head", async () => {
  const model = await load();
  floats(model, "norm.weight")[0] = Number.POSITIVE_INFINITY;
  expect(await failure(model.session().feed(tokensOf(3, VOCAB)))).toMatchObject({ code: "session.nan", place: { what: "head" } });
});

test("one bad token early in a prompt of several batches is found at its position", async () => {
  const model = await open((await pack(await tinyCheckpoint({ tied: false }), "f32")).bytes, { batch: 8 });
  models.push(model);
  const [row, width] = [299, 64];
  floats(model, "embed.weight")[(row >> 4) * 16 * width + (row & 15)] = Number.NaN; // [n/16][k][16 rows]
  const text = tokensOf(30, row);
  await model.session().feed(text);
  text[5] = row;
  const error = await failure(model.session().feed(text));
  expect(error).toMatchObject({ code: "session.nan", place: { what: "layers.0.out" } });
  expect(error.message).toContain("at position 5;");
});

const floats = (model: Model, tensor: string) => {
  const view = model.engine.program.view(tensor);
  return new Float32Array(view.buffer, view.byteOffset, view.length / 4);
};

test("a call stopped before it begins leaves the session as it was", async () => {
  const session = (await load()).session();
  await session.feed(tokensOf(5, VOCAB));
  const stopped = AbortSignal.abort();
  expect((await failure(session.feed(tokensOf(20, VOCAB), stopped))).code).toBe("aborted");
  expect((await failure(tokensFrom(session, tokensOf(20, VOCAB), { ...GREEDY, signal: stopped }))).code).toBe("aborted");
  await expectUsable(session);
});

test("reading a prompt can be stopped between two batches", async () => {
  const session = (await load({ batch: 1 })).session();
  const stop = new AbortController();
  setImmediate(() => setImmediate(() => stop.abort()));
  expect((await failure(session.feed(tokensOf(100, VOCAB), stop.signal))).code).toBe("aborted");
  expect(session.length).toBeGreaterThan(0);
  expect(session.length).toBeLessThan(100);
  await expectUsable(session);
});

test("generation can be stopped between two tokens", async () => {
  const session = (await load()).session();
  const stop = new AbortController();
  const seen: number[] = [];
  const run = async () => {
    for await (const { token } of session.generate(tokensOf(4, TEXTS), { ...GREEDY, signal: stop.signal })) if (seen.push(token) === 3) stop.abort();
  };
  expect((await failure(run())).code).toBe("aborted");
  expect(seen).toHaveLength(3);
  await expectUsable(session);
});

/** What it makes of a prompt is what a fresh session makes of it. */
async function expectUsable(session: Session): Promise<void> {
  const text = tokensOf(20, VOCAB);
  const fresh = (await load()).session();
  expect(await session.feed(text)).toEqual(await fresh.feed(text));
}

test("max tokens, and a caller that walks away, end the generation", async () => {
  const session = (await load()).session();
  expect(await tokensFrom(session, tokensOf(4, TEXTS), { ...GREEDY, maxTokens: 7 })).toHaveLength(7);
  expect(session.stats).toMatchObject({ stop: "length", generatedTokens: 7, promptTokens: 4 });
  expect(session.stats.decodeMs).toHaveLength(6);
  for await (const _ of session.generate(tokensOf(4, TEXTS), GREEDY)) break;
  await expectUsable(session);
});

test("the end-of-text token ends the generation and is not given out, unless it is to be ignored", async () => {
  const session = (await load()).session();
  const eos = session.tokenizer?.eos as number;
  const flat = { temperature: 1000, maxTokens: 150 };
  let all: number[] = [];
  let seed = 0;
  while (all.indexOf(eos) < 1) all = await tokensFrom(session, tokensOf(4, TEXTS), { ...flat, seed: ++seed, ignoreEos: true });
  expect(await tokensFrom(session, tokensOf(4, TEXTS), { ...flat, seed })).toEqual(all.slice(0, all.indexOf(eos)));
  expect(session.stats.stop).toBe("eos");
});

test("a stop string ends the generation and is not given out", async () => {
  const session = (await load()).session();
  const textOf = async (options: GenerateOptions) => {
    let text = "";
    for await (const piece of session.generate("hello", { temperature: 1, seed: 5, ignoreEos: true, maxTokens: 60, ...options })) text += piece.text;
    return text;
  };
  const whole = await textOf({});
  const letters = /[\x20-\x7e]{2}/.exec(whole.slice(5));
  const stop = letters?.[0] as string;
  expect(await textOf({ stop: ["never in it", stop] })).toBe(whole.slice(0, whole.indexOf(stop)));
  expect(session.stats.stop).toBe("stop");
});

test("tokens outside the vocabulary and empty prompts are refused", async () => {
  const session = (await load()).session();
  const error = await failure(session.feed(Uint32Array.of(1, 2, VOCAB)));
  expect(error.code).toBe("session.token");
  expect(error.message).toContain("token 300 at position 2 is outside the vocabulary of 300");
  expect((await failure(session.next(VOCAB))).code).toBe("session.token");
  expect((await failure(session.feed(new Uint32Array()))).code).toBe("usage");
  expect((await failure(tokensFrom(session, "", GREEDY))).code).toBe("usage");
  await expectUsable(session);
});

test("rows that only pad the embedding are never chosen", async () => {
  const session = (await load()).session();
  const tokens = await tokensFrom(session, tokensOf(4, TEXTS), { temperature: 1000, ignoreEos: true, maxTokens: 150 });
  expect(Math.max(...tokens)).toBeLessThan(TEXTS);
});

test("a closed model says so", async () => {
  const model = await load();
  const session = model.session();
  model.close();
  expect((await failure(session.feed(tokensOf(2, VOCAB)))).code).toBe("session.failed");
});
