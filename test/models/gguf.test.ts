// GGUF files as llama.cpp's converter writes them: the same logits as from the safetensors they were made of (which logits.test.ts holds against
// transformers), quantised blocks kept as they are, split files, text in and text out.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { SkintError } from "../../runtime/errors.ts";
import { openGguf } from "../../runtime/formats/gguf/open.ts";
import { openPack } from "../../runtime/formats/skint/reader.ts";
import { memorySource } from "../../runtime/io/source.ts";
import { createRandom, type Random } from "../../runtime/num/random.ts";
import { SCHEMES } from "../../runtime/quant/catalogue.gen.ts";
import type { Model } from "../../runtime/session/model.ts";
import type { Checkpoint } from "../../tools/compress/checkpoint.ts";
import { type CompressReport, compressModel } from "../../tools/compress/compress.ts";
import { checkpointOf, openGgufCheckpoint } from "../../tools/compress/gguf.ts";
import { recipeNamed } from "../../tools/compress/recipe.ts";
import { buildGguf, field, type GgufSpec, randomTensor } from "../support/gguf.ts";
import { ggufOf, splitGguf } from "../support/gguf-model.ts";
import { hashed, hashedFolder, type Shapes } from "../support/hashed.ts";
import { memorySink } from "../support/memory.ts";
import { relativeError } from "../support/oracle-llama.ts";
import { environment, open, packFolder, tinyCheckpoint, type Weight } from "../support/tiny.ts";

type Config = Readonly<Record<string, unknown>>;

const read = (file: string) => JSON.parse(readFileSync(`test/models/${file}`, "utf8"));
const { tokens: ids, bases, cases } = read("cases.json") as { tokens: number[]; bases: Record<string, Config>; cases: Record<string, { base: string; config: Config }> };
const golden = read("golden.json").cases as Record<string, { tensors: Shapes }>;
const TOKENS = Uint32Array.from(ids);

interface Case {
  readonly config: Config;
  readonly tensors: Shapes;
}

/** A case of cases.json; Gemma's queries are scaled by the head size, as in all files but the 27B models'. */
function caseOf(name: string): Case {
  const { base, config } = cases[name];
  const whole = { ...bases[base], ...config };
  return { config: "query_pre_attn_scalar" in whole ? { ...whole, query_pre_attn_scalar: whole.head_dim as number } : whole, tensors: golden[name].tensors };
}

function weightsOf({ config, tensors }: Case): Map<string, Weight> {
  const gemma = String(config.model_type).startsWith("gemma");
  return new Map(Object.entries(tensors).map(([name, shape]) => [name, { shape, values: hashed(name, shape, gemma) }]));
}

const opened = async (spec: GgufSpec) => checkpointOf(await openGguf(memorySource(buildGguf(spec), "model.gguf")), "model.gguf");

/** Packs a checkpoint and closes it. */
async function pack(checkpoint: Checkpoint, recipe: string): Promise<{ bytes: Uint8Array; report: CompressReport }> {
  const sink = memorySink();
  try {
    const report = await compressModel(checkpoint, sink, await environment(), { recipe: recipeNamed(recipe) });
    return { bytes: sink.bytes() as Uint8Array, report };
  } finally {
    await checkpoint.store.close();
  }
}

async function withModel<T>(bytes: Uint8Array, use: (model: Model) => Promise<T>): Promise<T> {
  const model = await open(bytes, { batch: 5 });
  try {
    return await use(model);
  } finally {
    model.close();
  }
}

/** Logits behind each token, fed one by one, then behind all of them, fed at once. */
function logitsOf(bytes: Uint8Array): Promise<Float32Array[]> {
  return withModel(bytes, async (model) => {
    const session = model.session();
    const logits: Float32Array[] = [];
    for (const i of ids.keys()) logits.push((await session.feed(TOKENS.subarray(0, i + 1))).slice());
    return [...logits, (await model.session().feed(TOKENS)).slice()];
  });
}

/** Largest error over the logits of a case from GGUF, against those from safetensors. */
async function errorOf(c: Case, spec: GgufSpec = ggufOf(c.config, weightsOf(c))): Promise<number> {
  const want = await logitsOf((await packFolder(await hashedFolder(c.config, c.tensors), "f32")).bytes);
  const got = await logitsOf((await pack(await opened(spec), "f32")).bytes);
  expect(got.length).toBe(ids.length + 1);
  return Math.max(...got.map((logits, i) => relativeError(logits, want[i])));
}

test.each(["qwen2", "qwen3", "qwen3, biases in attention", "gemma", "gemma2", "gemma3", "gpt2", "mamba", "mamba, channels that fill no vector"])(
  "%s: the logits are those of the safetensors, bit for bit",
  async (name) => {
    expect(await errorOf(caseOf(name))).toBe(0);
  },
);

// q · k is summed in another order.
test.each(["arcee", ...Object.keys(cases).filter((name) => cases[name].base === "llama")])("%s: the logits are those of the safetensors", async (name) => {
  expect(await errorOf(caseOf(name))).toBeLessThan(1e-5);
});

test.each(["rope.scaling.factor", "rope.scale_linear"])("positions scaled by %s alone are scaled linearly", async (key) => {
  const c = caseOf("llama, positions scaled linearly");
  const { metadata, tensors } = ggufOf(c.config, weightsOf(c));
  const { "llama.rope.scaling.type": _, "llama.rope.scaling.factor": factor, ...rest } = metadata;
  expect(await errorOf(c, { metadata: { ...rest, [`llama.${key}`]: factor }, tensors })).toBeLessThan(1e-5);
});

const second = read("mamba2.json").cases as Record<string, Case>;

test.each(["mamba2", "mamba2, heads that fill no vector"])("%s: the logits are those of the safetensors", async (name) => {
  // The converter's rates are -exp in its own rounding.
  expect(await errorOf(second[name])).toBeLessThan(1e-6);
});

test.each([
  ["ssm.group_count", 2],
  ["ssm.time_step_rank", 3],
  ["ssm.time_step_rank", 80],
] as const)("mamba2: a file that says %s %i is refused", async (key, value) => {
  const { metadata, tensors } = ggufOf(second.mamba2.config, weightsOf(second.mamba2));
  const spec = { metadata: { ...metadata, [`mamba2.${key}`]: field("u32", value) }, tensors };
  await expect(opened(spec).then((c) => pack(c, "f32"))).rejects.toMatchObject({ code: value === 80 ? "format.shape" : "model.config" });
});

test.each([/ssm_a/, /ssm_d$/, /ssm_norm/, /ssm_dt\.bias/])("mamba2: another %s would be noticed", async (which) => {
  const c = second.mamba2;
  const { metadata, tensors } = ggufOf(c.config, weightsOf(c));
  const random = createRandom(5);
  const changed = tensors.map((t) => (which.test(t.name as string) ? { ...t, data: shuffled(t.data, random) } : t));
  expect(await errorOf(c, { metadata, tensors: changed })).toBeGreaterThan(1e-4);
});

// Were these not undone, the tests above would not have shown that they are.
test.each([
  ["llama", /attn_[qk]\.weight/],
  ["llama, biases in attention", /attn_[qk]\.bias/],
  ["llama, biases in attention", /attn_output\.bias/],
  ["llama, biases in the feed-forward", /ffn_gate\.bias/],
  ["llama, positions scaled as Llama 3 does", /rope_freqs/],
  ["arcee", /attn_[qk]\.weight/],
  ["gemma2", /post_ffw_norm/],
  ["mamba", /ssm_a/],
  ["mamba", /ssm_d$/],
  ["mamba", /ssm_conv1d\.bias/],
])("%s: another %s would be noticed", async (name, which) => {
  const c = caseOf(name);
  const { metadata, tensors } = ggufOf(c.config, weightsOf(c));
  const random = createRandom(5);
  const changed = tensors.map((t) => (which.test(t.name as string) ? { ...t, data: shuffled(t.data, random) } : t));
  expect(await errorOf(c, { metadata, tensors: changed })).toBeGreaterThan(1e-4);
});

/** The same numbers, shuffled. */
function shuffled(data: Uint8Array, random: Random): Uint8Array {
  const values = new Float32Array(data.slice().buffer);
  for (let i = values.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [values[i], values[j]] = [values[j], values[i]];
  }
  return new Uint8Array(values.buffer);
}

/** Element type of each kind of tensor in turn; vectors stay F32. Rows are whole blocks of all types. */
const WIDE = { width: 256, hidden: 512, heads: 4, kvheads: 2, dh: 64, layers: 1, tied: false };
const TYPES: Readonly<Record<string, string>> = {
  token_embd: "Q8_0",
  attn_q: "Q4_0",
  attn_k: "Q4_1",
  attn_v: "Q4_K",
  attn_output: "Q6_K",
  ffn_gate: "Q5_K",
  ffn_up: "F16",
  ffn_down: "BF16",
  output: "Q4_K",
};
/** What a type becomes under the recipe `source`, and whether nothing is lost. */
const BECOMES: Readonly<Record<string, readonly [scheme: string, exact: boolean]>> = {
  Q4_0: ["q4g32m", true],
  Q4_1: ["q4g32m", true],
  Q4_K: ["q4g32m", true],
  F16: ["f16", true],
  BF16: ["f32", true],
  Q8_0: ["q8g32", false],
  Q5_K: ["q8g32", false],
  Q6_K: ["q8g32", false],
};

/** A tiny Llama with blocks of all these types. */
async function quantised(): Promise<GgufSpec> {
  const { config, weights } = await tinyCheckpoint(WIDE);
  const random = createRandom(3);
  const { metadata, tensors } = ggufOf(config, weights);
  const typed = tensors.map((t) => (t.shape.length === 1 ? t : randomTensor(t.name as string, TYPES[(t.name as string).split(".").at(-2) as string], t.shape as number[], random)));
  return { metadata, tensors: typed };
}

/** Every matrix of a pack of the checkpoint, beside what the checkpoint holds for it. */
async function matrices(spec: GgufSpec, recipe: string) {
  const { bytes, report } = await pack(await opened(spec), recipe);
  const file = await openPack(memorySource(bytes, "model.skint"));
  const stored = await openGguf(memorySource(buildGguf(spec), "model.gguf"));
  const { locate } = await opened(spec);
  const all = [];
  for (const { name, scheme, n, k, relativeSquaredError } of report.matrices) {
    const [{ name: from, part }] = locate(name);
    const packed = new Uint8Array(file.tensors.get(name)?.bytes ?? 0);
    await file.readBytes(name, 0, packed);
    const want = new Float32Array(n * k);
    await stored.readF32(from, (part?.index ?? 0) * n, n, want);
    const got = SCHEMES[scheme].decode(packed, n, k);
    // Zeros of both signs are the same number.
    all.push({ name, dtype: stored.tensors.get(from)?.dtype as string, scheme, error: relativeSquaredError, different: got.findIndex((v, i) => v !== want[i]) });
  }
  return { all, bytes, report };
}

test("source: 4-bit blocks and floats are kept exactly, the rest becomes 8 bits", async () => {
  const { all, bytes, report } = await matrices(await quantised(), "source");
  expect(new Set(all.map(({ dtype }) => dtype))).toEqual(new Set(Object.keys(BECOMES)));
  for (const { name, dtype, scheme, error, different } of all) {
    expect([scheme, different === -1], `${name} of ${dtype}`).toEqual(BECOMES[dtype]);
    expect(error, `${name} of ${dtype}`)[BECOMES[dtype][1] ? "toBe" : "toBeLessThan"](BECOMES[dtype][1] ? 0 : 1e-4);
  }
  const at = (name: string) => all.find((m) => m.name === name)?.dtype;
  expect([at("embed.weight"), at("layers.0.attention.v.weight")]).toEqual(["Q8_0", "Q4_K"]);
  expect(report.recipe).toBe("source");
  const logits = await logitsOf(bytes);
  const exact = await logitsOf((await pack(await opened(await quantised()), "f32")).bytes);
  for (const [i, row] of logits.entries()) {
    expect(row.every(Number.isFinite)).toBe(true);
    expect(cosine(row, exact[i]), `token ${i}`).toBeGreaterThan(0.99);
  }
});

test.each(["w8", "w4", "w4m"])("%s: quantised blocks can be rounded again", async (recipe) => {
  const { all, bytes } = await matrices(await quantised(), recipe);
  for (const { name, error } of all) expect(error, name).toBeLessThan(0.02);
  for (const row of await logitsOf(bytes)) expect(row.every(Number.isFinite)).toBe(true);
});

test("source: a third of a fused projection is kept exactly too", async () => {
  const random = createRandom(4);
  const shapes: Shapes = Object.fromEntries(Object.entries(golden.gpt2.tensors).map(([name, shape]) => [name, shape.map((d) => ({ 40: 64, 120: 192, 160: 256 })[d] ?? d)]));
  const c: Case = { config: { ...caseOf("gpt2").config, n_embd: 64 }, tensors: shapes };
  const { metadata, tensors } = ggufOf(c.config, weightsOf(c));
  const typed = tensors.map((t) => (/attn_qkv.weight|ffn_down.weight/.test(t.name as string) ? randomTensor(t.name as string, "Q4_0", t.shape as number[], random) : t));
  const { all } = await matrices({ metadata, tensors: typed }, "source");
  for (const { name, dtype, scheme, error, different } of all)
    expect({ name, scheme, error, different }).toEqual({ name, scheme: dtype === "F32" ? "f32" : "q4g32m", error: 0, different: -1 });
  expect(all.filter(({ dtype }) => dtype === "Q4_0")).toHaveLength(2 * 4);
});

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, v, i) => sum + v * y[i], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

const dir = mkdtempSync(join(tmpdir(), "skint-gguf-"));
afterAll(() => rmSync(dir, { recursive: true }));

/** As many rows as the vocabulary has tokens. */
async function tiny() {
  const checkpoint = await tinyCheckpoint({ tied: false, vocab: 265 });
  return { ...checkpoint, spec: ggufOf(checkpoint.config, checkpoint.weights) };
}

test("a split model is opened through any of its parts", async () => {
  const { spec } = await tiny();
  const whole = await pack(await opened(spec), "w4");
  const parts = [...splitGguf(spec, "tiny", 3)];
  for (const [file, part] of parts) writeFileSync(join(dir, file), buildGguf(part));
  for (const [file] of parts) {
    const checkpoint = await openGgufCheckpoint(join(dir, file));
    expect(checkpoint).toMatchObject({ name: file, card: { name: "hashed", licence: "mit" } });
    const { report } = await pack(checkpoint, "w4");
    expect(report).toEqual(whole.report);
  }
  rmSync(join(dir, parts[1][0]));
  await expect(openGgufCheckpoint(join(dir, parts[0][0]))).rejects.toMatchObject({ code: "file.missing", place: { what: parts[1][0] } });
});

test("text in, text out: the tokens and the greedy text of the safetensors", async () => {
  const { folder, spec } = await tiny();
  const prompt = "hello 7 worlds";
  const write = (bytes: Uint8Array) =>
    withModel(bytes, async (model) => {
      let text = "";
      for await (const piece of model.session().generate(prompt, { maxTokens: 24, temperature: 0 })) text += piece.text;
      return { ids: [...(model.tokenizer?.encode(prompt) ?? [])], bos: model.tokenizer?.bos, eos: model.tokenizer?.eos, opens: model.bos, text };
    });
  const want = await write((await packFolder(folder, "f32")).bytes);
  expect(want.text.length).toBeGreaterThan(0);
  expect(await write((await pack(await opened(spec), "f32")).bytes)).toEqual(want);
});

test("a file that is no model, or of another, is told and closed", async () => {
  const path = join(dir, "small.gguf");
  const { spec } = await tiny();
  const refuses = (changed: GgufSpec, code: string) => {
    writeFileSync(path, buildGguf(changed));
    return expect(openGgufCheckpoint(path)).rejects.toMatchObject({ constructor: SkintError, code });
  };
  await refuses({ metadata: spec.metadata }, "model.tensor");
  await refuses({ ...spec, magic: "GGML" }, "format.header");
  await refuses({ ...spec, metadata: { ...spec.metadata, "general.architecture": field("string", "rwkv7") } }, "model.architecture");
  await refuses({ ...spec, metadata: { ...spec.metadata, "llama.rope.dimension_count": field("u32", 8) } }, "model.config");
  await refuses({ ...spec, metadata: { ...spec.metadata, "llama.vocab_size": field("u32", 301) } }, "model.config");
  const freqs = randomTensor("rope_freqs.weight", "F32", [3], createRandom(1));
  await expect(opened({ ...spec, tensors: [...spec.tensors, freqs] }).then((c) => pack(c, "f32"))).rejects.toMatchObject({ code: "model.config", place: { what: "rope_factors" } });
});
