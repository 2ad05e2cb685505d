// RWKV-5.2 against another implementation that has no recurrence (rwkv.py) and against the reference logits of a trained model, how it is fed and where,
// the author's names, and what is refused. The trained model is data of a sibling folder; where that is absent its test is skipped.
import { existsSync, readFileSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import { describe as describeConfig } from "../../models/rwkv/config.ts";
import { architecture } from "../../models/rwkv/model.ts";
import type { Folder } from "../../runtime/io/source.ts";
import type { ModelOptions } from "../../runtime/session/model.ts";
import type { WasmOptions } from "../../targets/devices/wasm/device.ts";
import { applyRecipe, recipeNamed } from "../../tools/compress/recipe.ts";
import { hashedFolder, type Shapes } from "../support/hashed.ts";
import { relativeError } from "../support/oracle-llama.ts";
import { rwkvFolder } from "../support/rwkv-file.ts";
import { open, packFolder } from "../support/tiny.ts";

interface Case {
  readonly config: Record<string, unknown>;
  readonly tensors: Shapes;
  readonly logits: string;
}

const golden = JSON.parse(readFileSync("test/models/rwkv.json", "utf8")) as { tokens: number[]; cases: Record<string, Case> };
const TOKENS = Uint32Array.from(golden.tokens);
const plain = golden.cases.rwkv;

/** Logits behind every token of a text fed one by one, and behind the last of it fed at once. */
async function logitsOf(folder: Folder, recipe = "f32", options: ModelOptions & WasmOptions = {}, text = TOKENS) {
  const model = await open((await packFolder(folder, recipe)).bytes, options);
  try {
    const session = model.session();
    const rows: Float32Array[] = [];
    for (const token of text) rows.push((await session.next(token)).slice());
    return { rows, whole: (await model.session().feed(text)).slice() };
  } finally {
    model.close();
  }
}

const folderOf = (c: Case, ...more: [((name: string) => string)?, ((name: string, values: Float32Array) => Float32Array)?]) => hashedFolder(c.config, c.tensors, ...more);

describe.each(Object.entries(golden.cases))("%s", (_, c) => {
  const bytes = Buffer.from(c.logits, "base64");
  const want = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const vocab = want.length / TOKENS.length;

  test("logits behind every token are those of the sum that the recurrence is", async () => {
    const { rows } = await logitsOf(await folderOf(c));
    rows.forEach((row, i) => {
      expect(relativeError(row, want.subarray(i * vocab, (i + 1) * vocab)), `token ${i}`).toBeLessThan(5e-6);
    });
  });

  test.each(["f32", "w8"])("%s: one prefill gives the bits of single steps, on every build, fused and not", async (recipe) => {
    const { rows, whole } = await logitsOf(await folderOf(c), recipe);
    expect(whole).toEqual(rows.at(-1));
    for (const options of [{ batch: 5 }, { isa: "scalar" }, { isa: "simd", threads: 3 }, { fuse: false }] as const)
      expect((await logitsOf(await folderOf(c), recipe, options)).whole).toEqual(whole);
  });

  test("int8 weights stay near", async () => {
    expect(relativeError((await logitsOf(await folderOf(c), "w8")).whole, want.subarray(want.length - vocab))).toBeLessThan(0.1);
  });
});

/** Names of transformers → the author's. */
const original = (name: string) =>
  name
    .replace("rwkv.embeddings", "emb")
    .replace("rwkv.", "")
    .replace("pre_ln", "ln0")
    .replace("attention.", "att.")
    .replace("feed_forward.", "ffn.")
    .replace(/time_mix_(.).*/, "time_mix_$1");

test("the author's names make the same model", async () => {
  const whole = (await logitsOf(await folderOf(plain, original))).whole;
  expect(whole).toEqual((await logitsOf(await folderOf(plain))).whole);
});

test("a state goes on where it was saved", async () => {
  const model = await open((await packFolder(await folderOf(plain), "f32")).bytes, {});
  const first = model.session();
  await first.feed(TOKENS.subarray(0, 7));
  const second = model.session();
  await second.state.load(first.state.save());
  expect(await second.append(TOKENS.subarray(7))).toEqual((await logitsOf(await folderOf(plain))).whole);
  model.close();
});

test("a recipe of int8 scans leaves the mix of two tokens in f32", () => {
  const graph = applyRecipe(architecture.build(plain.config, { cache: "f16" }), recipeNamed("quamba"), () => "F32");
  expect(new Set(graph.nodes.filter((n) => n.op === "conv1d").map((n) => n.variant))).toEqual(new Set(["f32"]));
});

test("a number that is none is reported by name, and so are too few of them", async () => {
  const name = "rwkv.blocks.1.attention.time_mix_key";
  const spoilt = folderOf(plain, undefined, (n, values) => (n === name ? values.fill(Number.NaN, 3, 4) : values));
  await expect(packFolder(await spoilt, "f32")).rejects.toMatchObject({ code: "model.tensor", place: { what: name } });
  const short = hashedFolder(plain.config, { ...plain.tensors, [name]: [1, 1, 63] });
  await expect(packFolder(await short, "f32")).rejects.toMatchObject({ code: "format.shape", place: { what: name } });
});

test.each<[Record<string, unknown>, string]>([
  [{ head_size: 15 }, "head_size"],
  [{ head_size: undefined, num_attention_heads: 7 }, "num_attention_heads"],
  [{ attention_hidden_size: 128 }, "attention_hidden_size"],
  [{ tie_word_embeddings: true }, "tie_word_embeddings"],
  [{ head_size_divisor: 0 }, "head_size_divisor"],
])("a config with %j is refused", (change, field) => {
  expect(() => describeConfig({ ...plain.config, ...change })).toThrow(expect.objectContaining({ code: "model.config", place: { what: field } }));
});

const [CHECKPOINT, EXPECTED] = ["tiny-rwkv-5v2-730K-FP32.bin", "expected-logits-5v2-730K.bin"].map((file) => `../shared/data/rwkv/${file}`);

describe("the trained model of rwkv.cpp's tests", () => {
  beforeEach((context) => {
    const missing = [CHECKPOINT, EXPECTED].filter((file) => !existsSync(file));
    if (missing.length) context.skip(`there is no ${missing.join(", ")}`);
  });

  test.each([
    { isa: "scalar", threads: 1 },
    { isa: "simd", threads: 2 },
  ] as const)("gives the logits that are stored with it, $isa", async (options) => {
    const folder = await rwkvFolder(new Uint8Array(readFileSync(CHECKPOINT)));
    const { rows, whole } = await logitsOf(folder, "f32", options, Uint32Array.from(new TextEncoder().encode('"in')));
    const expected = readFileSync(EXPECTED);
    const want = new Float32Array(expected.buffer.slice(expected.byteOffset, expected.byteOffset + expected.length));
    expect(relativeError(whole, want)).toBeLessThan(1e-5);
    expect(rows.at(-1)).toEqual(whole);
  });
});
