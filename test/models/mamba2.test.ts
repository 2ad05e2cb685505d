// Mamba-2 against another implementation that has no recurrence (mamba2.py), how it is fed and where, and configs that are refused.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { describe as describeConfig } from "../../models/mamba2/config.ts";
import { memorySource } from "../../runtime/io/source.ts";
import { CHUNK } from "../../runtime/ops/ssd/chunks.ts";
import type { ModelOptions } from "../../runtime/session/model.ts";
import type { WasmOptions } from "../../targets/devices/wasm/device.ts";
import { hashedFolder, type Shapes } from "../support/hashed.ts";
import { relativeError } from "../support/oracle-llama.ts";
import { open, packFolder } from "../support/tiny.ts";

interface Case {
  readonly config: Record<string, unknown>;
  readonly tensors: Shapes;
  readonly logits: string;
}

const golden = JSON.parse(readFileSync("test/models/mamba2.json", "utf8")) as { tokens: number[]; cases: Record<string, Case> };
const TOKENS = Uint32Array.from(golden.tokens);

async function logitsOf(
  c: Case,
  options: ModelOptions & WasmOptions = {},
  { recipe = "f32", rename, config = c.config }: { recipe?: string; rename?: (name: string) => string; config?: Case["config"] } = {},
) {
  const model = await open((await packFolder(await hashedFolder(config, c.tensors, rename), recipe)).bytes, options);
  try {
    const session = model.session();
    const rows: Float32Array[] = [];
    for (const token of TOKENS) rows.push((await session.next(token)).slice());
    const whole = (await model.session().feed(TOKENS)).slice();
    return { rows, whole };
  } finally {
    model.close();
  }
}

describe.each(Object.entries(golden.cases))("%s", (_, c) => {
  const bytes = Buffer.from(c.logits, "base64");
  const want = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const vocab = want.length / TOKENS.length;

  test("logits behind every token are those of the matrix that the scan is", async () => {
    const { rows } = await logitsOf(c);
    rows.forEach((row, i) => {
      expect(relativeError(row, want.subarray(i * vocab, (i + 1) * vocab)), `token ${i}`).toBeLessThan(5e-6);
    });
  });

  test("a prefill shorter than a chunk gives the bits of single steps, on every build, fused and not", async () => {
    const { rows, whole } = await logitsOf(c);
    expect(whole).toEqual(rows.at(-1));
    for (const options of [{ batch: 5 }, { isa: "scalar" }, { isa: "simd", threads: 3 }, { fuse: false }] as const) expect((await logitsOf(c, options)).whole).toEqual(whole);
  });

  test("int8 weights stay near", async () => {
    const { whole } = await logitsOf(c, {}, { recipe: "w8" });
    expect(relativeError(whole, want.subarray(want.length - vocab))).toBeLessThan(0.1);
  });
});

const plain = golden.cases.mamba2;

test("the authors' names and config make the same model", async () => {
  const config = {
    d_model: 40,
    n_layer: 2,
    vocab_size: 101,
    pad_vocab_size_multiple: 1,
    rms_norm: true,
    tie_embeddings: false,
    ssm_cfg: { layer: "Mamba2", d_state: 16, headdim: 16, ngroups: 1 },
  };
  const { whole } = await logitsOf(plain, {}, { config, rename: (name) => name.replace("backbone.embeddings", "backbone.embedding") });
  expect(whole).toEqual((await logitsOf(plain)).whole);
});

test("a step without an upper limit is Infinity in Python's JSON", async () => {
  const folder = await hashedFolder(plain.config, plain.tensors);
  const text = JSON.stringify({ ...plain.config, time_step_limit: [0, "?"] }).replace('"?"', "Infinity");
  const infinite = { ...folder, open: async (file: string) => (file === "config.json" ? memorySource(new TextEncoder().encode(text), file) : folder.open(file)) };
  const model = await open((await packFolder(infinite, "f32")).bytes, {});
  expect(await model.session().feed(TOKENS)).toEqual((await logitsOf(plain)).whole);
  model.close();
});

test("a state goes on where it was saved", async () => {
  const model = await open((await packFolder(await hashedFolder(plain.config, plain.tensors), "f32")).bytes, {});
  const first = model.session();
  await first.feed(TOKENS.subarray(0, 7));
  const second = model.session();
  await second.state.load(first.state.save());
  expect(await second.append(TOKENS.subarray(7))).toEqual((await logitsOf(plain)).whole);
  model.close();
});

describe("a text of several chunks", () => {
  const TEXT = Uint32Array.from({ length: 4 * CHUNK + 5 }, (_, i) => (i * 37 + (i >> 3)) % 101);
  /** 2 layers of scans, each within (states + 4 · rows + 24) · 2^-24 of what it sums (runtime/ops/ssd/op.ts), which is some times what comes out. */
  const NEAR = 2e-5;

  /** Logits behind the text, read in pieces. */
  async function read(options: ModelOptions & WasmOptions, recipe: string, cuts: readonly number[] = []): Promise<Float32Array> {
    const model = await open((await packFolder(await hashedFolder(plain.config, plain.tensors), recipe)).bytes, options);
    try {
      let session = model.session();
      for (const [i, to] of cuts.entries()) {
        await session.append(TEXT.subarray(cuts[i - 1] ?? 0, to));
        const saved = session.state.save();
        session = model.session();
        await session.state.load(saved);
      }
      return (await session.append(TEXT.subarray(cuts.at(-1) ?? 0))).slice();
    } finally {
      model.close();
    }
  }

  test.each(["f32", "w8"])("%s: builds, threads and fusion give the same bits", async (recipe) => {
    const want = await read({}, recipe);
    const ways = [{ isa: "scalar" }, { isa: "simd", threads: 1 }, { isa: "simd", threads: 3 }, { fuse: false }] as const;
    for (const how of ways) expect(await read(how, recipe), JSON.stringify(how)).toEqual(want);
  });

  test("single steps, other batches and a state saved within a chunk stay within the bound", async () => {
    const want = await read({}, "f32");
    const steps = await read({ batch: 1 }, "f32");
    expect(steps).not.toEqual(want);
    expect(relativeError(steps, want)).toBeLessThan(NEAR);
    for (const batch of [CHUNK - 1, CHUNK, CHUNK + 1]) expect(relativeError(await read({ batch }, "f32"), want), `batches of ${batch}`).toBeLessThan(NEAR);
    expect(relativeError(await read({}, "f32", [CHUNK + 7, 2 * CHUNK + 1]), want)).toBeLessThan(NEAR);
  });

  test("pieces that end where chunks end give the bits of the whole", async () => {
    expect(await read({}, "f32", [CHUNK, 3 * CHUNK])).toEqual(await read({}, "f32"));
  });
});

test.each<[Record<string, unknown>, string]>([
  [{ head_dim: 7 }, "head_dim"],
  [{ num_heads: 4 }, "num_heads"],
  [{ n_groups: 2 }, "head_dim"],
  [{ hidden_act: "relu" }, "hidden_act"],
  [{ rms_norm: false }, "rms_norm"],
  [{ time_step_limit: [0.5] }, "time_step_limit"],
  [{ time_step_limit: [0.5, 0.1] }, "time_step_limit"],
  [{ time_step_limit: [-1, 1] }, "time_step_limit"],
  [{ state_size: 0 }, "state_size"],
])("a config with %j is refused", (change, field) => {
  expect(() => describeConfig({ ...plain.config, ...change })).toThrow(expect.objectContaining({ code: "model.config", place: { what: field } }));
});
