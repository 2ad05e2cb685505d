// The state of a recurrent model as a user holds it: saved, loaded, forked, bound to its model, of one size however long the text is, and
// untouched by a step that failed.
import { afterEach, beforeAll, expect, test } from "vitest";
import type { SkintError } from "../../runtime/errors.ts";
import { layoutSafetensors, type TensorDeclaration } from "../../runtime/formats/safetensors/writer.ts";
import type { Model, ModelOptions } from "../../runtime/session/model.ts";
import type { WasmOptions } from "../../targets/devices/wasm/device.ts";
import { mambaFolder } from "../support/mamba.ts";
import { open, pack, packFolder, tinyCheckpoint, tokensOf } from "../support/tiny.ts";

const TEXTS = 265;
const TEXT = tokensOf(200, TEXTS);

const packs = new Map<string, Uint8Array>();
const models: Model[] = [];

beforeAll(async () => {
  for (const recipe of ["f32", "w8"]) packs.set(recipe, (await packFolder(await mambaFolder(), recipe, "auto")).bytes);
  packs.set("other", (await packFolder(await mambaFolder({ width: 24 }), "f32", "auto")).bytes);
  packs.set("llama", (await pack(await tinyCheckpoint(), "f16")).bytes);
});
afterEach(() => {
  for (const m of models.splice(0)) m.close();
});

async function load(name = "f32", options: ModelOptions & WasmOptions = {}): Promise<Model> {
  const model = await open(packs.get(name) as Uint8Array, options);
  models.push(model);
  return model;
}

const fresh = async (text: Uint32Array, name = "f32") => (await (await load(name)).session().feed(text)).slice();

const failure = async (f: () => unknown): Promise<SkintError> => {
  try {
    await f();
  } catch (e) {
    return e as SkintError;
  }
  return expect.unreachable("it should have failed");
};

test.each([
  ["f32", "simd", 1],
  ["f32", "scalar", 1],
  ["w8", "simd", 3],
] as const)("%s: a saved state goes on in another process's model, on any build, with the bits of the whole text", async (recipe, isa, threads) => {
  const first = (await load(recipe)).session();
  await first.feed(TEXT.subarray(0, 90));
  const saved = first.state.save();
  const second = (await load(recipe, { isa, threads })).session();
  await second.state.load(saved);
  expect(second.length).toBe(90);
  expect(await second.append(TEXT.subarray(90))).toEqual(await fresh(TEXT, recipe));
});

test("a state may be a Buffer that is a part of another", async () => {
  const first = (await load()).session();
  await first.feed(TEXT.subarray(0, 90));
  const saved = first.state.save();
  const whole = Buffer.alloc(saved.length + 3, 0xff);
  whole.set(saved, 3);
  const second = (await load()).session();
  await second.state.load(whole.subarray(3));
  expect(await second.append(TEXT.subarray(90))).toEqual(await fresh(TEXT));
});

test("a loaded text is recognised when it is fed again, and another is not", async () => {
  const first = (await load()).session();
  await first.feed(TEXT.subarray(0, 90));
  const session = (await load()).session();
  await session.state.load(first.state.save());
  for await (const _ of session.generate(TEXT.subarray(0, 120), { maxTokens: 1 }));
  expect(session.stats).toMatchObject({ promptTokens: 120, reusedTokens: 90 });
  const other = Uint32Array.from(TEXT.subarray(0, 130));
  other[40] ^= 1;
  for await (const _ of session.generate(other, { maxTokens: 1 }));
  expect(session.stats.reusedTokens).toBe(0);
});

test("a fork goes its own way, and the text it came from is not disturbed", async () => {
  const session = (await load()).session();
  await session.feed(TEXT.subarray(0, 50));
  const fork = session.state.fork();
  const blank = (await load()).session().state.fork();
  const elsewhere = Uint32Array.from([...TEXT.subarray(0, 50), 9, 8, 7]);
  expect(await fork.append(elsewhere.subarray(50))).toEqual(await fresh(elsewhere));
  expect(await session.append(TEXT.subarray(50))).toEqual(await fresh(TEXT));
  expect(await fork.next(6)).toEqual(await fresh(Uint32Array.from([...elsewhere, 6])));
  expect(await blank.feed(TEXT)).toEqual(await fresh(TEXT));
});

test("sessions of one model take turns without disturbing each other", async () => {
  const model = await load();
  const sessions = [1, 2, 3].map((seed) => ({ session: model.session(), text: tokensOf(30, TEXTS, seed) }));
  for (let i = 0; i < 30; i += 5) for (const { session, text } of sessions) await session.append(text.subarray(i, i + 5));
  for (const { session, text } of sessions) expect(await session.next(4)).toEqual(await fresh(Uint32Array.from([...text, 4])));
});

test("appended text is opened once, and the context bounds all of it", async () => {
  const session = (await load("f32", { context: 40 })).session();
  await session.append(TEXT.subarray(0, 30));
  expect((await failure(() => session.append(TEXT.subarray(30, 41)))).code).toBe("session.context");
  expect(await session.append(TEXT.subarray(30, 40))).toEqual(await fresh(TEXT.subarray(0, 40)));
});

test("a state, and what a session keeps of a text, are of one size however long the text is", async () => {
  const session = (await load()).session();
  await session.append(TEXT);
  const { past } = session as unknown as { past: Record<string, unknown> };
  const bytes = () => Object.values(past).reduce<number>((sum, v) => sum + (ArrayBuffer.isView(v) ? v.byteLength : Array.isArray(v) ? 8 * v.length : 8), 0);
  const before = [bytes(), session.state.save().length];
  for (let i = 0; i < 50; i++) await session.append(TEXT);
  expect(bytes()).toBe(before[0]);
  // A few digits more in the header.
  expect(session.state.save().length - before[1]).toBeLessThanOrEqual(16);
});

test("the times of a generation without end are those of its last steps", async () => {
  const session = (await load()).session();
  for await (const _ of session.generate(TEXT.subarray(0, 5), { maxTokens: 9000, ignoreEos: true }));
  expect(session.stats.generatedTokens).toBe(9000);
  expect(session.stats.decodeMs).toHaveLength(8192);
});

test.each([
  ["another model", "other"],
  ["another precision of the model", "w8"],
])("a state of %s is refused, and the session goes on as it was", async (_, name) => {
  const strange = (await load(name)).session();
  await strange.feed(TEXT.subarray(0, 10));
  const session = (await load()).session();
  await session.feed(TEXT.subarray(0, 50));
  const error = await failure(() => session.state.load(strange.state.save()));
  expect(error.code).toBe("session.state");
  expect(error.message).toMatch(/another model, or another precision of it/);
  expect(await session.append(TEXT.subarray(50))).toEqual(await fresh(TEXT));
});

test("a model that keeps its text by position has no state", async () => {
  const { state } = (await load("llama")).session();
  for (const call of [state.save, state.fork, () => state.load(new Uint8Array(9))]) expect((await failure(call)).code).toBe("session.state");
});

/** A saved state whose metadata and tensors are changed; its bytes stay unless `data` says otherwise. */
function forged(saved: Uint8Array, change: (metadata: Map<string, string>, tensors: TensorDeclaration[]) => void, data?: (bytes: Uint8Array) => void): Uint8Array {
  const length = Number(new DataView(saved.buffer, saved.byteOffset).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(saved.subarray(8, 8 + length)));
  const metadata = new Map(Object.entries(header.__metadata__ as Record<string, string>));
  const tensors = Object.entries(header as Record<string, TensorDeclaration>)
    .filter(([name]) => name !== "__metadata__")
    .map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
  change(metadata, tensors);
  const body = saved.slice(8 + length);
  data?.(body);
  const { head, fileBytes } = layoutSafetensors(tensors, metadata);
  const out = new Uint8Array(fileBytes);
  out.set(head);
  out.set(body.subarray(0, fileBytes - head.length), head.length);
  return out;
}

test.each<[string, string, (saved: Uint8Array) => Uint8Array]>([
  ["nothing at all", "format.truncated", () => new Uint8Array()],
  ["half of it", "format.truncated", (s) => s.slice(0, s.length >> 1)],
  ["a flipped bit", "format.hash", (s) => s.map((b, i) => (i === s.length - 5 ? b ^ 4 : b))],
  ["no state but another safetensors file", "format.header", (s) => forged(s, (m) => m.delete("format"))],
  ["a version of the future", "format.version", (s) => forged(s, (m) => m.set("version", "2"))],
  ["a length that is none", "format.header", (s) => forged(s, (m) => m.set("tokens", "-3"))],
  ["a length beyond the context", "session.context", (s) => forged(s, (m) => m.set("tokens", "1e12"))],
  ["a hash that is none", "format.header", (s) => forged(s, (m) => m.set("hash", "[1]"))],
  ["a tensor too few", "format.shape", (s) => forged(s, (_, t) => t.pop())],
  ["a tensor under another name", "format.shape", (s) => forged(s, (_, t) => t.splice(0, 1, { ...t[0], name: "layers.9" }))],
])("%s is refused as %s, and the session goes on as it was", async (_, code, damage) => {
  const session = (await load()).session();
  await session.feed(TEXT.subarray(0, 50));
  const saved = session.state.save();
  const error = await failure(() => session.state.load(damage(saved)));
  expect(error.code).toBe(code);
  expect(await session.append(TEXT.subarray(50))).toEqual(await fresh(TEXT));
});

test("a state with a NaN in it is refused although its hash is right", async () => {
  const model = await load();
  const session = model.session();
  await session.feed(TEXT.subarray(0, 50));
  const hidden = model.engine.program.view("layers.1.mixer.scan.hidden");
  new Float32Array(hidden.buffer, hidden.byteOffset, 1)[0] = Number.NaN;
  const error = await failure(() => session.state.load(session.state.save()));
  expect(error).toMatchObject({ code: "session.state", place: { what: "layers.1.mixer.scan.hidden" } });
});

test.each([1, 3, 64])("a token that makes a NaN is reported with its layer, in batches of %i, and leaves the state as it was", async (batch) => {
  const model = await load("f32", { batch });
  const session = model.session();
  await session.feed(TEXT.subarray(0, 100));
  const before = session.state.save();
  // The row of token 299, which stands in no text, in the embedding: blocks of 16 rows, one value of each after the other.
  const table = model.engine.program.view("embed.weight");
  const values = new Float32Array(table.buffer, table.byteOffset, table.length / 4);
  const at = (299 >> 4) * 16 * 40 + 11;
  const kept = values[at];
  values[at] = Number.POSITIVE_INFINITY;
  const error = await failure(() => session.append(Uint32Array.from([299])));
  expect(error).toMatchObject({ code: "session.nan", place: { what: "layers.0.out" } });
  expect(error.message).toContain("position 100");
  expect(session.length).toBe(100);
  expect(session.state.save()).toEqual(before);
  values[at] = kept;
  expect(await session.append(TEXT.subarray(100))).toEqual(await fresh(TEXT));
});

test("a token outside the vocabulary is refused before it is fed", async () => {
  const session = (await load()).session();
  await session.feed(TEXT.subarray(0, 63));
  expect((await failure(() => session.next(300))).code).toBe("session.token");
  await session.append(TEXT.subarray(63, 66));
  expect(await session.append(TEXT.subarray(66))).toEqual(await fresh(TEXT));
});
