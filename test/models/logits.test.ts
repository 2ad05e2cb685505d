// Every architecture against Hugging Face's transformers: the cases of cases.json as seeded tiny checkpoints, the logits of golden.json.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Model, ModelOptions } from "../../runtime/session/model.ts";
import { hashedFolder, type Shapes } from "../support/hashed.ts";
import { relativeError } from "../support/oracle-llama.ts";
import { open, packFolder } from "../support/tiny.ts";

type Config = Readonly<Record<string, unknown>>;

interface Case {
  readonly config: Config;
  /** Changes to the config, each of which must change the logits. */
  readonly matters: readonly Config[];
  readonly tensors: Shapes;
  /** The same config as transformers writes it. */
  readonly saved: Config;
  /** Behind each token. */
  readonly logits: readonly Float32Array[];
}

const read = (file: string) => JSON.parse(readFileSync(`test/models/${file}`, "utf8"));
const {
  tokens: ids,
  bases,
  cases,
} = read("cases.json") as { tokens: number[]; bases: Record<string, Config>; cases: Record<string, { base: string; config: Config; matters: Config[] }> };
const golden = read("golden.json").cases as Record<string, { tensors: Shapes; config: Config; logits: string }>;
const TOKENS = Uint32Array.from(ids);
const LAST = TOKENS.length - 1;
const EACH = ids.map((_, i) => i);

const CASES: [string, Case][] = Object.entries(cases).map(([name, { base, config, matters }]) => {
  const { tensors, config: saved, logits } = golden[name];
  const all = new Float32Array(Uint8Array.from(Buffer.from(logits, "base64")).buffer);
  const vocab = all.length / TOKENS.length;
  return [name, { config: { ...bases[base], ...config }, matters, tensors, saved, logits: ids.map((_, i) => all.subarray(i * vocab, (i + 1) * vocab)) }];
});

interface Run extends ModelOptions {
  readonly config?: Config;
  readonly recipe?: string;
  /** Changes names in the checkpoint only. */
  readonly rename?: (name: string) => string;
}

/** Packs and loads the case, with another config if one is given, and closes it after `use`. */
async function withModel<T>(c: Case, { config = c.config, recipe = "f32", rename, ...options }: Run, use: (model: Model) => Promise<T>): Promise<T> {
  const { bytes } = await packFolder(await hashedFolder(config, c.tensors, rename), recipe);
  const model = await open(bytes, options);
  try {
    return await use(model);
  } finally {
    model.close();
  }
}

/** Logits behind each token, fed one by one. */
function decoded(c: Case, run: Run = {}): Promise<Float32Array[]> {
  return withModel(c, run, async (model) => {
    const session = model.session();
    const logits: Float32Array[] = [];
    for (const i of EACH) logits.push((await session.feed(TOKENS.subarray(0, i + 1))).slice());
    return logits;
  });
}

/** How far the logits behind the whole text are from those of transformers. */
function prefillError(c: Case, run: Run): Promise<number> {
  return withModel(c, { batch: 5, ...run }, async (model) => relativeError(await model.session().feed(TOKENS), c.logits[LAST]));
}

const BOUND = 1e-5;

test.each(CASES)("%s: token by token, the logits are those of transformers", async (_, c) => {
  const logits = await decoded(c);
  for (const i of EACH) expect(relativeError(logits[i], c.logits[i]), `token ${i}`).toBeLessThan(BOUND);
});

test.each(CASES)("%s: so are they after a prefill in batches", async (_, c) => {
  expect(await prefillError(c, {})).toBeLessThan(BOUND);
});

test.each(CASES)("%s: the config as transformers writes it means the same model", async (_, c) => {
  expect(await prefillError(c, { config: c.saved })).toBeLessThan(BOUND);
});

test.each(CASES.filter(([name]) => ["llama", "gpt2"].includes(name)))("%s: names without the prefix are found", async (_, c) => {
  expect(await prefillError(c, { rename: (name) => name.replace(/^(model|transformer)\./, "") })).toBeLessThan(BOUND);
});

test.each(CASES)("%s: a text's score is the log softmax of these logits", async (_, c) => {
  const scores = await withModel(c, { batch: 5, score: true }, (model) => model.score(TOKENS, { window: TOKENS.length, stride: TOKENS.length }));
  const want = c.logits.slice(0, LAST).map((row, i) => row[TOKENS[i + 1]] - Math.log(row.reduce((sum, v) => sum + Math.exp(v), 0)));
  expect(scores.length).toBe(LAST);
  for (const [i, score] of scores.entries()) expect(Math.abs(score - want[i]), `token ${i + 1}`).toBeLessThan(1e-4);
});

// Were such a change ignored, the tests above would not have shown that its field is read.
test.each(CASES.flatMap(([name, c]) => c.matters.map((change) => [name, JSON.stringify(change), c, change] as const)))("%s: %s would be noticed", async (_, __, c, change) => {
  const logits = await decoded(c, { config: { ...c.config, ...change } });
  expect(Math.max(...EACH.map((i) => relativeError(logits[i], c.logits[i])))).toBeGreaterThan(10 * BOUND);
});

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, v, i) => sum + v * y[i], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

test.each(CASES)("%s: int8 weights and activations stay near", async (_, c) => {
  const logits = await decoded(c, { recipe: "w8" });
  for (const i of EACH) expect(cosine(logits[i], c.logits[i]), `token ${i}`).toBeGreaterThan(0.99);
});
