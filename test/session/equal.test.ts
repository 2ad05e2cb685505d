// Same bits whatever the way: fused or not, fed in any batches, by any build on any number of threads.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Model, ModelOptions } from "../../runtime/session/model.ts";
import type { WasmOptions } from "../../targets/devices/wasm/device.ts";
import { prefersDot32 } from "../../targets/devices/wasm/dots.ts";
import { host } from "../../targets/hosts/node/host.ts";
import "../support/core.ts"; // lets Node 20 have relaxed SIMD
import { open, pack, type Tiny, tinyCheckpoint, tokensOf } from "../support/tiny.ts";

const RECIPES = ["f32", "f16", "w8", "w8u7", "w4", "w4kv8", "q161", "w4+lr32", "t2+lr32", "q161+lr32", "24w8-magnitude", "24w4-magnitude", "w4n"];
/** Builds beside `scalar`; dot32 where `auto` would take it: the baseline compiler of Node 20 miscomputes its dot product. */
const ISAS = ["simd", "relaxed", ...(prefersDot32(host.now) ? (["dot32"] as const) : [])] as const;
const LENGTH = 70;
/** More than two blocks of positions (assembly/lib/seen.ts). */
const LONG = 530;

let tiny: Tiny;
const packs = new Map<string, Uint8Array>();

beforeAll(async () => {
  tiny = await tinyCheckpoint({ tied: false, bias: true });
});
afterAll(() => packs.clear());

async function packed(recipe: string): Promise<Uint8Array> {
  const bytes = packs.get(recipe) ?? (await pack(tiny, recipe)).bytes;
  packs.set(recipe, bytes);
  return bytes;
}

async function withModel<T>(recipe: string, options: ModelOptions & WasmOptions, use: (model: Model) => Promise<T>): Promise<T> {
  const model = await open(await packed(recipe), options);
  try {
    return await use(model);
  } finally {
    model.close();
  }
}

/** Bits of the logits behind a prompt, then of 12 greedy steps, and the tokens chosen. */
function trace(recipe: string, options: ModelOptions & WasmOptions): Promise<{ bits: number[]; tokens: number[] }> {
  return withModel(recipe, options, async (model) => {
    const session = model.session();
    let logits = await session.feed(tokensOf(LENGTH, tiny.shape.vocab));
    const bits: number[] = [];
    const tokens: number[] = [];
    for (let i = 0; i < 12; i++) {
      bits.push(...new Int32Array(logits.buffer, logits.byteOffset, logits.length));
      tokens.push(logits.indexOf(Math.max(...logits)));
      logits = await session.next(tokens[i]);
    }
    return { bits, tokens };
  });
}

test.each(RECIPES)("%s: fused and unfused plans give the same bits", async (recipe) => {
  expect(await trace(recipe, { fuse: false })).toEqual(await trace(recipe, { fuse: true }));
});

test.each(RECIPES)("%s: batches of 1, 3 and 64 give the same bits as tokens fed one by one", async (recipe) => {
  const prompt = tokensOf(LENGTH, tiny.shape.vocab);
  const oneByOne = await withModel(recipe, {}, async (model) => {
    let logits = new Float32Array();
    for (let i = 0; i < LENGTH; i++) logits = (await model.engine.run("decode", prompt.subarray(i, i + 1), i)).slice();
    return logits;
  });
  for (const batch of [1, 3, 64]) {
    const got = await withModel(recipe, { batch }, async (model) => (await model.session().feed(prompt)).slice());
    expect(got, `batch ${batch}`).toEqual(oneByOne);
  }
});

test.each(RECIPES)("%s: all builds on 1 to 8 threads give the same bits", async (recipe) => {
  const want = await trace(recipe, { isa: "scalar" });
  expect(new Set(want.tokens).size, "a model that repeats one token shows little").toBeGreaterThan(1);
  for (const isa of ISAS) for (const threads of [1, 2, 3, 4, 8]) expect(await trace(recipe, { isa, threads }), `${isa}, ${threads} threads`).toEqual(want);
});

test.each(["f32", "f16", "w4kv8"])("%s: over several blocks of positions decode, prefill and any number of threads give the same bits", async (recipe) => {
  const long = await tinyCheckpoint({ context: 1024, layers: 1 });
  const { bytes } = await pack(long, recipe);
  const text = tokensOf(LONG, long.shape.vocab);
  const seen = new Map<string, string>();
  for (const [isa, threads] of [
    ["scalar", 1],
    ["simd", 1],
    ["simd", 2],
    ["relaxed", 5],
  ] as const) {
    const model = await open(bytes, { isa, threads, context: 1024, batch: 37 });
    try {
      const fed = (await model.session().feed(text)).slice();
      const decoded = (await model.engine.run("decode", text.subarray(LONG - 1), LONG - 1)).slice();
      for (const [how, logits] of [
        ["prefill", fed],
        ["decode", decoded],
      ] as const)
        seen.set(`${isa} ${threads} ${how}`, new Int32Array(logits.buffer).join());
    } finally {
      model.close();
    }
  }
  expect(new Set(seen.values()).size, [...seen.keys()].join()).toBe(1);
});
