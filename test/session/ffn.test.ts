// Feed-forward layers that leave out neurons: which modes change nothing, that a prompt and single steps leave out the same, switching, refusals.
import { afterEach, beforeAll, expect, test } from "vitest";
import type { FfnOptions } from "../../runtime/session/ffn.ts";
import type { Model, ModelOptions } from "../../runtime/session/model.ts";
import type { WasmOptions } from "../../targets/devices/wasm/device.ts";
import "../support/core.ts"; // lets Node 20 have relaxed SIMD
import { open, pack, tinyCheckpoint, tokensOf } from "../support/tiny.ts";

const ISAS = ["scalar", "simd", "relaxed"] as const;
const LENGTH = 20;

let relu: Uint8Array;
let silu: Uint8Array;
const models: Model[] = [];

beforeAll(async () => {
  relu = (await pack(await tinyCheckpoint({ activation: "relu", bias: true, tied: false }), "w4n", "auto")).bytes;
  silu = (await pack(await tinyCheckpoint({ seed: 5 }), "w4n")).bytes;
});
afterEach(() => {
  for (const m of models.splice(0)) m.close();
});

async function load(bytes: Uint8Array, options: ModelOptions & WasmOptions = {}): Promise<Model> {
  const model = await open(bytes, options);
  models.push(model);
  return model;
}

/** Bits of the logits behind a prompt read in one go, or token by token. */
async function logits(model: Model, one: boolean): Promise<number[]> {
  const session = model.session();
  const tokens = tokensOf(LENGTH, 300);
  if (!one) return bitsOf(await session.feed(tokens));
  let last = await session.feed(tokens.subarray(0, 1));
  for (const t of tokens.subarray(1)) last = await session.next(t);
  return bitsOf(last);
}

const bitsOf = (f: Float32Array) => [...new Int32Array(f.buffer, f.byteOffset, f.length)];

async function under(bytes: Uint8Array, mode: FfnOptions | undefined, one: boolean, options: ModelOptions & WasmOptions = {}, limit?: number) {
  const model = await load(bytes, options);
  if (limit) model.engine.ffn.setLimit(limit);
  if (mode) model.engine.ffn.set(mode);
  return { bits: await logits(model, one), report: model.engine.ffn.report() };
}

test("exact gives the bits of dense, and reads fewer rows", async () => {
  for (const bytes of [relu, silu]) {
    const dense = await under(bytes, { mode: "dense" }, true);
    const exact = await under(bytes, { mode: "exact" }, true, {}, 1);
    expect(exact.bits).toEqual(dense.bits);
    expect(dense.report).toMatchObject({ mode: "dense", steps: LENGTH, skipped: 0 });
    expect(exact.report?.skipped).toBeGreaterThan(bytes === relu ? 0.25 : 0);
  }
});

test("a model of ReLU begins in mode exact, another in dense", async () => {
  expect((await under(relu, undefined, true)).report).toMatchObject({ mode: "exact", why: "as the model says" });
  expect((await under(silu, undefined, true)).report).toMatchObject({ mode: "dense" });
});

const APPROXIMATE: readonly FfnOptions[] = [
  { mode: "topk", topk: 9 },
  { mode: "topk", topk: 96 },
  { mode: "cett", eps: 0.02 },
];

test.each(APPROXIMATE)("%o: a prompt in one go leaves out what single steps do", async (mode) => {
  for (const bytes of [relu, silu]) expect((await under(bytes, mode, false)).bits).toEqual((await under(bytes, mode, true)).bits);
});

test.each([{ mode: "exact" } as const, ...APPROXIMATE])("%o: all builds, threads and plans give the same bits", async (mode) => {
  for (const bytes of [relu, silu]) {
    const want = await under(bytes, mode, true, { isa: "scalar" });
    for (const isa of ISAS) for (const threads of [1, 3]) expect((await under(bytes, mode, true, { isa, threads, fuse: threads === 1 })).bits).toEqual(want.bits);
  }
});

test("topk of all neurons and cett of 0 are dense; fewer neurons are not", async () => {
  for (const bytes of [relu, silu]) {
    const { bits } = await under(bytes, { mode: "dense" }, true);
    expect((await under(bytes, { mode: "topk", topk: 96 }, true)).bits).toEqual(bits);
    expect((await under(bytes, { mode: "cett", eps: 0 }, true)).bits).toEqual(bits);
    const some = await under(bytes, { mode: "topk", topk: 9 }, true);
    expect(some.bits).not.toEqual(bits);
    expect(some.report?.layers[0].skipped.up).toBeGreaterThan(0.9);
  }
});

test("a neuron with a greater contribution than eps stays, all others go: cett reads nothing of down if eps is beyond all", async () => {
  const { report } = await under(relu, { mode: "cett", eps: 1e9 }, true);
  expect(report?.layers.map((l) => l.skipped.down)).toEqual([1, 1]);
});

test("modes are switched between steps, layer by layer", async () => {
  const model = await load(relu);
  const { ffn } = model.engine;
  const dense = await logits(model, true);
  ffn.set({ mode: "topk", topk: 4 }, [ffn.names[1]]);
  expect(ffn.report()).toMatchObject({ mode: "mixed", why: "as asked", layers: [{ mode: "exact" }, { mode: "topk" }] });
  model.session();
  const other = await logits(await reopened(model), true);
  expect(other).not.toEqual(dense);
  ffn.set({ mode: "dense" });
  expect(await logits(await reopened(model), true)).toEqual(dense);
});

/** The same model with an empty cache. */
async function reopened(model: Model): Promise<Model> {
  await model.session().feed(tokensOf(3, 300, 99));
  return model;
}

test("a core is all that is read, and leaves nothing behind", async () => {
  for (const bytes of [relu, silu]) {
    const model = await load(bytes);
    const { ffn } = model.engine;
    ffn.set({ mode: "dense" });
    const dense = await logits(model, true);
    for (const name of ffn.names) ffn.setCore(name, [0, 5, 17, 95]);
    ffn.clear();
    expect(await logits(await reopened(model), true)).not.toEqual(dense);
    expect(ffn.report()).toMatchObject({ mode: "core", layers: [{ skipped: { first: 1 - 4 / 96 } }, { skipped: { first: 1 - 4 / 96 } }] });
    ffn.set({ mode: "dense" });
    expect(await logits(await reopened(model), true)).toEqual(dense);
  }
});

test("a core of all neurons is dense", async () => {
  const model = await load(silu);
  const dense = await logits(model, true);
  for (const name of model.engine.ffn.names)
    model.engine.ffn.setCore(
      name,
      Array.from({ length: 96 }, (_, i) => i),
    );
  expect(await logits(await reopened(model), true)).toEqual(dense);
});

test.each([[[96]], [[-1]], [[1.5]], [[3, 3]], [[5, 4]], [[Number.NaN]]])("the core %o is refused", async (core) => {
  const { ffn } = (await load(relu)).engine;
  expect(() => ffn.setCore(ffn.names[0], core)).toThrow(/numbers of neurons from 0 to 95/);
});

test("lists longer than the limit are not walked, with the same bits", async () => {
  const model = await load(relu);
  const exact = await logits(model, true);
  model.engine.ffn.setLimit(0.1);
  model.engine.ffn.clear();
  expect(await logits(await reopened(model), true)).toEqual(exact);
  expect(model.engine.ffn.report()?.layers[0].fallbacks).toBeGreaterThan(0);
});

test.each([
  [{ mode: "half" as never }, /none of dense, exact, cett, topk, core/],
  [{ mode: "topk" }, /not calibrated for it/],
  [{ mode: "topk", topk: 0 }, /1 to 96/],
  [{ mode: "topk", topk: 97 }, /1 to 96/],
  [{ mode: "topk", topk: 1.5 }, /1 to 96/],
  [{ mode: "cett" }, /not calibrated for cett/],
  [{ mode: "cett", eps: -1 }, /0 or more/],
  [{ mode: "cett", eps: Number.NaN }, /0 or more/],
] as const)("%o is refused", async (mode, message) => {
  const model = await load(relu);
  expect(() => model.engine.ffn.set(mode as FfnOptions)).toThrow(message);
  expect(() => model.engine.ffn.set({ mode: "exact" }, ["nowhere"])).toThrow(/no feed-forward layer nowhere/);
});

test("a model that does not lie by neurons has nothing to leave out", async () => {
  const model = await load((await pack(await tinyCheckpoint(), "w4")).bytes);
  expect(model.engine.ffn.report()).toBeUndefined();
  expect(() => model.engine.ffn.set({ mode: "exact" })).toThrow(/recipe w4n/);
});
