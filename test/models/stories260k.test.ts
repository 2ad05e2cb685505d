// Checkpoints of llama2.c: a made-up one gives the logits of the same weights as safetensors, and the trained stories260K writes the text that is
// published with it. The trained one is data of a sibling folder; where that is absent its tests are skipped.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import { openGguf } from "../../runtime/formats/gguf/open.ts";
import { memorySource } from "../../runtime/io/source.ts";
import { loadModel, type Model } from "../../runtime/session/model.ts";
import type { WasmOptions } from "../../targets/devices/wasm/device.ts";
import { compressModel } from "../../tools/compress/compress.ts";
import { checkpointOf } from "../../tools/compress/gguf.ts";
import { recipeNamed } from "../../tools/compress/recipe.ts";
import { buildGguf, f32Tensor, joined, u32Bytes } from "../support/gguf.ts";
import { interleaved } from "../support/gguf-model.ts";
import { llama2cGguf, readShape, readTensors } from "../support/llama2c.ts";
import { memorySink } from "../support/memory.ts";
import { relativeError } from "../support/oracle-llama.ts";
import { environment, open, pack, type Tiny, tinyCheckpoint, tokensOf, type Weight } from "../support/tiny.ts";

async function withModel<T>(checkpoint: Uint8Array, tokenizer: Uint8Array, recipe: string, options: WasmOptions, use: (model: Model) => Promise<T>): Promise<T> {
  const opened = await checkpointOf(await openGguf(memorySource(buildGguf(llama2cGguf(checkpoint, tokenizer)), "llama2c.gguf")), "llama2.c");
  const sink = memorySink();
  await compressModel(opened, sink, await environment(), { recipe: recipeNamed(recipe), golden: "never" });
  await opened.store.close();
  const model = await loadModel(memorySource(sink.bytes() as Uint8Array, "llama2.c"), await environment({ threads: 1, ...options }), { score: true });
  try {
    return await use(model);
  } finally {
    model.close();
  }
}

const f32 = (values: ArrayLike<number>) => f32Tensor("", [values.length], values).data;

/** A tiny checkpoint written as llama2.c's export does: layers of a kind together, rows of q and k in pairs. */
function llama2cOf({ shape: s, weights }: Tiny): Uint8Array {
  const weight = (name: string) => weights.get(`${name}.weight`) as Weight;
  const ofLayers = (name: string) => Array.from({ length: s.layers }, (_, i) => f32(weight(`model.layers.${i}.${name}`).values));
  const turned = (name: string, heads: number) => Array.from({ length: s.layers }, (_, i) => f32(interleaved(weight(`model.layers.${i}.self_attn.${name}`), heads).values));
  return joined([
    ...[s.width, s.hidden, s.layers, s.heads, s.kvheads, s.tied ? s.vocab : -s.vocab, s.context].map(u32Bytes),
    f32(weight("model.embed_tokens").values),
    ...ofLayers("input_layernorm"),
    ...turned("q_proj", s.heads),
    ...turned("k_proj", s.kvheads),
    ...ofLayers("self_attn.v_proj"),
    ...ofLayers("self_attn.o_proj"),
    ...ofLayers("post_attention_layernorm"),
    ...ofLayers("mlp.gate_proj"),
    ...ofLayers("mlp.down_proj"),
    ...ofLayers("mlp.up_proj"),
    f32(weight("model.norm").values),
    f32(new Float32Array(s.context * s.dh).fill(7)),
    ...(s.tied ? [] : [f32(weight("lm_head").values)]),
  ]);
}

/** A tokenizer of bytes and made-up pieces. */
function tokenizerOf(vocab: number): Uint8Array {
  const bytes = Array.from({ length: 256 }, (_, b) => `<0x${b.toString(16).toUpperCase().padStart(2, "0")}>`);
  const pieces = ["<unk>", "\n<s>\n", "\n</s>\n", ...bytes, " ", "a", " a"];
  while (pieces.length < vocab) pieces.push(`[${pieces.length}]`);
  const parts = pieces.flatMap((piece, id) => {
    const text = new TextEncoder().encode(piece);
    return [f32([-id]), u32Bytes(text.length), text];
  });
  return joined([u32Bytes(7), ...parts]);
}

describe("a made-up checkpoint of llama2.c", () => {
  const cases = [{ tied: true }, { tied: false, hidden: 172, kvheads: 4 }];

  test.each(cases)("gives the logits of the same weights as safetensors: %o", async (options) => {
    const tiny = await tinyCheckpoint(options);
    const ids = tokensOf(20, tiny.shape.vocab);
    const logits = async (model: Model) => (await model.session().feed(ids)).slice();
    const model = await open((await pack(tiny, "f32")).bytes);
    const want = await logits(model);
    model.close();
    const got = await withModel(llama2cOf(tiny), tokenizerOf(tiny.shape.vocab), "f32", {}, logits);
    // q · k is summed in another order.
    expect(relativeError(got, want)).toBeLessThan(1e-5);
    const swapped = { ...tiny, weights: new Map([...tiny.weights].map(([name, w]) => [name, /v_proj/.test(name) ? { ...w, values: w.values.toReversed() } : w])) };
    expect(relativeError(await withModel(llama2cOf(swapped), tokenizerOf(tiny.shape.vocab), "f32", {}, logits), want)).toBeGreaterThan(1e-3);
  });

  test("says its shape; a file that is too short or too long is refused", async () => {
    const tiny = await tinyCheckpoint({ tied: false });
    const bytes = llama2cOf(tiny);
    const { width, hidden, layers, heads, kvheads, vocab, context, tied } = tiny.shape;
    expect(readShape(bytes)).toEqual({ width, hidden, layers, heads, kvheads, vocab, context, tied });
    expect(() => readTensors(bytes.subarray(0, bytes.length - 4))).toThrow("the file has");
    expect(() => readTensors(joined([bytes, u32Bytes(0)]))).toThrow("the file has");
  });
});

const DATA = "../shared/data";
const [CHECKPOINT, TOKENIZER, REFERENCE, STORIES] = ["llm/stories260K.bin", "llm/tok512.bin", "llm/reference.json", "text/tinystories_sample.txt"].map((f) => `${DATA}/${f}`);
const missing = [CHECKPOINT, TOKENIZER, REFERENCE, STORIES].filter((file) => !existsSync(file));

/** Of the 200 tokens that llama2.c's own test expects at temperature 0, as text. */
const PUBLISHED = { tokens: 200, sha256: "beeb5cb46785efee81a8545300b31e396b595e5ce6f3b77db201545501981d14" };

interface Reference {
  readonly greedy_tokens_from_BOS: readonly number[];
  readonly stories: readonly { readonly tokens: number; readonly first_tokens: readonly number[]; readonly nll_sum: number }[];
}

describe("stories260K", () => {
  beforeEach((context) => {
    if (missing.length) context.skip(`there is no ${missing.join(", ")}`);
  });

  const read = (file: string) => new Uint8Array(readFileSync(file));
  const stories = <T>(recipe: string, options: WasmOptions, use: (model: Model) => Promise<T>) => withModel(read(CHECKPOINT), read(TOKENIZER), recipe, options, use);
  const reference = () => JSON.parse(readFileSync(REFERENCE, "utf8")) as Reference;

  test.each([
    { isa: "scalar", threads: 1 },
    { isa: "simd", threads: 1 },
    { isa: "simd", threads: 3 },
    { isa: "relaxed", threads: 2 },
  ] as const)("writes the published text, $isa with $threads threads", async (options) => {
    const written = await stories("f32", options, async (model) => {
      let text = "";
      const tokens: number[] = [];
      for await (const piece of model.session().generate(Uint32Array.from(model.bos), { maxTokens: PUBLISHED.tokens, temperature: 0 })) {
        text += piece.text;
        if (piece.token >= 0) tokens.push(piece.token);
      }
      return { text, tokens: [...model.bos, ...tokens] };
    });
    expect(written.tokens).toEqual(reference().greedy_tokens_from_BOS);
    expect(createHash("sha256").update(written.text).digest("hex")).toBe(PUBLISHED.sha256);
  });

  test("cuts the sample stories into the reference's tokens and scores them as it does", async () => {
    // The reference has curly quotation marks as straight ones.
    const straight = (text: string) => text.replace(/[“”]/g, '"').replace(/[‘’]/g, "'");
    const texts = straight(readFileSync(STORIES, "utf8")).split("<|endoftext|>");
    await stories("f32", {}, async (model) => {
      for (const [i, { tokens, first_tokens, nll_sum }] of reference().stories.entries()) {
        const ids = model.session().encode(texts[i].trim());
        expect([...ids.subarray(0, first_tokens.length)], `story ${i}`).toEqual(first_tokens);
        expect(ids.length, `story ${i}`).toBe(tokens);
        const logp = await model.score(ids, { window: 512, stride: 512 });
        expect(-logp.reduce((sum, v) => sum + v, 0), `story ${i}`).toBeCloseTo(nll_sum, 2);
      }
    });
  });
});
