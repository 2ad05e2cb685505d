// Every architecture against Hugging Face's transformers: the cases of cases.json as seeded tiny checkpoints, the logits of golden.json.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { ModelOptions } from "../../runtime/session/model.ts";
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

const CASES: [string, Case][] = Object.entries(cases).map(([name, { base, config, matters }]) => {
  const { tensors, config: saved, logits } = golden[name];
  const all = new Float32Array(Uint8Array.from(Buffer.from(logits, "base64")).buffer);
  const vocab = all.length / TOKENS.length;
  return [name, { config: { ...bases[base], ...config }, matters, tensors, saved, logits: ids.map((_, i) => all.subarray(i * vocab, (i + 1) * vocab)) }];
});

/** Logits behind the prefixes of the tokens that end at `ends`, fed to one session. */
async function logitsOf(c: Case, config: Config, recipe: string, ends: readonly number[], options: ModelOptions = {}, rename?: (name: string) => string): Promise<Float32Array[]> {
  const model = await open((await packFolder(await hashedFolder(config, c.tensors, rename), recipe)).bytes, options);
  try {
    const session = model.session();
    const logits: Float32Array[] = [];
    for (const end of ends) logits.push((await session.feed(TOKENS.subarray(0, end + 1))).slice());
    return logits;
  } finally {
    model.close();
  }
}

const BOUND = 1e-5;
const EACH = ids.map((_, i) => i);

test.each(CASES)("%s: token by token, the logits are those of transformers", async (_, c) => {
  const logits = await logitsOf(c, c.config, "f32", EACH);
  for (const i of EACH) expect(relativeError(logits[i], c.logits[i]), `token ${i}`).toBeLessThan(BOUND);
});

test.each(CASES)("%s: so are they after a prefill in batches", async (_, c) => {
  const [logits] = await logitsOf(c, c.config, "f32", [LAST], { batch: 5 });
  expect(relativeError(logits, c.logits[LAST])).toBeLessThan(BOUND);
});

test.each(CASES)("%s: the config as transformers writes it means the same model", async (_, c) => {
  const [logits] = await logitsOf(c, c.saved, "f32", [LAST]);
  expect(relativeError(logits, c.logits[LAST])).toBeLessThan(BOUND);
});

test.each(CASES.filter(([name]) => ["llama", "gpt2"].includes(name)))("%s: names without the prefix are found", async (_, c) => {
  const [logits] = await logitsOf(c, c.config, "f32", [LAST], {}, (name) => name.replace(/^(model|transformer)\./, ""));
  expect(relativeError(logits, c.logits[LAST])).toBeLessThan(BOUND);
});

// Were such a change ignored, the tests above would not have shown that its field is read.
test.each(CASES.flatMap(([name, c]) => c.matters.map((change) => [name, JSON.stringify(change), c, change] as const)))("%s: %s would be noticed", async (_, __, c, change) => {
  const logits = await logitsOf(c, { ...c.config, ...change }, "f32", EACH);
  expect(Math.max(...EACH.map((i) => relativeError(logits[i], c.logits[i])))).toBeGreaterThan(10 * BOUND);
});

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, v, i) => sum + v * y[i], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

test.each(CASES)("%s: int8 weights and activations stay near", async (_, c) => {
  const logits = await logitsOf(c, c.config, "w8", EACH);
  for (const i of EACH) expect(cosine(logits[i], c.logits[i]), `token ${i}`).toBeGreaterThan(0.99);
});
