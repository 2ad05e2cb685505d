// Mamba in int8 from end to end: recipes quamba and their parts, what they do with shapes that no transform fits and with inputs that are all zero, and
// that bits do not depend on how the model is run.
import { readFileSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import { openPack } from "../../runtime/formats/skint/reader.ts";
import type { Folder } from "../../runtime/io/source.ts";
import { memorySource } from "../../runtime/io/source.ts";
import type { Model } from "../../runtime/session/model.ts";
import { openCheckpoint } from "../../tools/compress/checkpoint.ts";
import { type CompressReport, compressModel } from "../../tools/compress/compress.ts";
import { parseRecipe, type Recipe, recipeNamed } from "../../tools/compress/recipe.ts";
import { bestOf, CLIPS } from "../../tools/compress/sweep.ts";
import { normal } from "../support/data.ts";
import { hashedFolder, type Shapes } from "../support/hashed.ts";
import { type MambaShape, mambaFolder } from "../support/mamba.ts";
import { memorySink } from "../support/memory.ts";
import { relativeError } from "../support/oracle-llama.ts";
import { environment, open, packFolder, tokensOf } from "../support/tiny.ts";

const TEXT = "In the beginning was a text that is as long as it must be to be drawn from, and no longer than that, year after year. ".repeat(16);
const TOKENS = tokensOf(90, 265, 4);
/** 128 channels. */
const SHAPE: Partial<MambaShape> = { width: 64, layers: 2 };

const models: Model[] = [];
afterEach(() => {
  for (const m of models.splice(0)) m.close();
});

async function load(bytes: Uint8Array, options: Parameters<typeof open>[1] = {}): Promise<Model> {
  const model = await open(bytes, options);
  models.push(model);
  return model;
}

async function compress(recipe: Recipe, folder: Folder): Promise<{ bytes: Uint8Array; report: CompressReport }> {
  const checkpoint = await openCheckpoint(folder);
  const sink = memorySink();
  const report = await compressModel(checkpoint, sink, await environment(), { recipe, calibration: { text: { name: "text", text: TEXT }, tokens: 400 } });
  await checkpoint.store.close();
  return { bytes: sink.bytes() as Uint8Array, report };
}

/** Without the sweep of a clip, which compresses six times. */
function unswept(name: string): Recipe {
  const recipe = recipeNamed(name);
  return recipe.scan?.clip === "sweep" ? { ...recipe, scan: { ...recipe.scan, clip: 0.9999 } } : recipe;
}

const packed = async (recipe: string, shape = SHAPE) => compress(unswept(recipe), await mambaFolder(shape));

const plain = async (shape = SHAPE) => (await (await load((await packFolder(await mambaFolder(shape), "f32", "auto")).bytes)).session().feed(TOKENS)).slice();

test.each(["quamba", "quamba-w4a8", "quamba-i8", "quamba-naive", "quamba-clip", "quamba-hadamard"])(
  "%s stays near the model, with the same bits however it is run",
  async (recipe) => {
    const { bytes, report } = await packed(recipe);
    expect(report.warnings).toEqual([]);
    const want = (await (await load(bytes, { batch: 128 })).session().feed(TOKENS)).slice();
    expect(relativeError(want, await plain())).toBeLessThan(recipe === "quamba-w4a8" ? 0.5 : 0.25);
    for (const options of [{ batch: 1 }, { batch: 5 }, { fuse: false }, { isa: "scalar" }, { isa: "simd", threads: 3 }, { isa: "relaxed" }, { threads: 2 }] as const) {
      const session = (await load(bytes, options)).session();
      await session.feed(TOKENS.subarray(0, 40));
      expect(await session.append(TOKENS.subarray(40)), JSON.stringify(options)).toEqual(want);
    }
  },
);

test("int8 states take a quarter of the memory, and a saved one goes on with the same bits", async () => {
  const sizes: number[] = [];
  for (const recipe of ["quamba", "quamba-i8"]) {
    const { bytes } = await packed(recipe);
    const session = (await load(bytes)).session();
    await session.feed(TOKENS.subarray(0, 50));
    const saved = session.state.save();
    const hidden = session.state.save().length;
    sizes.push(hidden);
    const want = (await session.append(TOKENS.subarray(50))).slice();
    const other = (await load(bytes, { isa: "scalar" })).session();
    await other.state.load(saved);
    expect(await other.append(TOKENS.subarray(50))).toEqual(want);
  }
  // Two layers of 128 channels with 16 states.
  expect(sizes[0] - sizes[1]).toBeGreaterThan(0.9 * 2 * 128 * 16 * 3);
});

test("what is clamped is counted: more when the range is small, none before a text", async () => {
  const counts = [];
  for (const clip of [1, 0.5]) {
    const { bytes } = await compress({ ...recipeNamed("quamba"), scan: { states: "i8", clip } }, await mambaFolder(SHAPE));
    const session = (await load(bytes)).session();
    expect(session.state.saturations()).toEqual([0, 1].map((i) => ({ scan: `layers.${i}.mixer.scan`, inputs: 0, states: 0 })));
    await session.feed(TOKENS);
    counts.push(session.state.saturations().reduce((sum, s) => sum + s.inputs, 0));
  }
  expect(counts[1]).toBeGreaterThan(10 * counts[0]);
});

test("the scan's input is clipped below its greatest magnitude, everything else is not", async () => {
  const ranges = async (clip: number) => {
    const file = await openPack(memorySource((await compress({ ...recipeNamed("quamba"), scan: { states: "f32", clip } }, await mambaFolder(SHAPE))).bytes, "x"));
    const found = new Map<string, number>();
    for (const name of file.tensors.keys()) {
      if (!/\.range[a-z]*$/.test(name)) continue;
      const value = new Float32Array(1);
      await file.readBytes(name, 0, new Uint8Array(value.buffer));
      found.set(name, value[0]);
    }
    await file.close();
    return found;
  };
  const [all, most] = [await ranges(1), await ranges(0.99)];
  const first = [...all.keys()].filter((name) => name.startsWith("layers.0."));
  expect(first.map((name) => name.slice("layers.0.mixer.".length)).sort()).toEqual(
    ["conv.range", "dt.range", "in.range", "out.range", "scan.rangeb", "scan.rangec", "scan.rangedt", "scan.rangez", "x.range"].sort(),
  );
  expect(most.get("layers.0.mixer.x.range")).toBeLessThan(0.95 * (all.get("layers.0.mixer.x.range") as number));
  for (const name of ["in.range", "conv.range", "dt.range", "scan.rangeb", "scan.rangez"].map((n) => `layers.0.mixer.${n}`)) expect(most.get(name), name).toBe(all.get(name));
});

test("a sweep clips only where that is surely better, and then as is best", () => {
  const bytes = new Array<number>(4000).fill(3);
  const scores = (gain: number, noise: number, seed: number) => {
    const apart = normal(4000, seed, noise);
    return { bytes, logProbabilities: [...normal(4000, 1)].map((v, i) => v - 8 + gain + apart[i]) };
  };
  const whole = scores(0, 0, 9);
  expect(bestOf([whole, scores(0, 0.2, 1), scores(-0.1, 0.1, 2)])).toBe(0);
  expect(bestOf([whole, scores(0.0005, 0.2, 1), scores(0, 0.1, 2)])).toBe(0);
  expect(bestOf([whole, scores(0.05, 0.1, 1), scores(0.1, 0.1, 2), scores(-0.2, 0.1, 3)])).toBe(2);
});

test("the file keeps the share that a sweep took, and its codes are those of that share", async () => {
  const recipeOf = async (bytes: Uint8Array) => {
    const file = await openPack(memorySource(bytes, "x"));
    const recipe = JSON.parse((await file.document("recipe")) as string) as Recipe;
    await file.close();
    return recipe;
  };
  const { bytes } = await compress(recipeNamed("quamba"), await mambaFolder(SHAPE));
  const recipe = await recipeOf(bytes);
  expect(CLIPS).toContain(recipe.scan?.clip);
  expect((await compress(recipe, await mambaFolder(SHAPE))).bytes).toEqual(bytes);
});

test.each([
  [56, 112, /no Hadamard matrix of order 112 .* in 7 blocks of 16/],
  [18, 36, /no Hadamard matrix of order 36 .* are not transformed/],
])("width %i: %i channels fit no whole transform; a warning says what is done instead, and the model works", async (width, _, warning) => {
  const { bytes, report } = await packed("quamba", { width, layers: 2 });
  expect(report.warnings).toHaveLength(2);
  for (const w of report.warnings) expect(w).toMatch(warning);
  const got = await (await load(bytes)).session().feed(TOKENS);
  expect(relativeError(got, await plain({ width, layers: 2 }))).toBeLessThan(0.3);
});

test("Mamba-2 has its convolution and its products in int8 under the same recipe, and its scan in f32", async () => {
  const { config, tensors } = JSON.parse(readFileSync("test/models/mamba2.json", "utf8")).cases.mamba2 as { config: Record<string, unknown>; tensors: Shapes };
  const shapes = Object.fromEntries(Object.entries(tensors).map(([name, shape]) => [name, shape[0] === config.vocab_size ? [300, ...shape.slice(1)] : shape]));
  const folder = await hashedFolder({ ...config, vocab_size: 300 }, shapes);
  const { bytes } = await compress(recipeNamed("quamba"), folder);
  const model = await load(bytes);
  const variants = (op: string) => new Set(model.engine.graph.nodes.filter((n) => n.op === op).map((n) => n.variant));
  expect(variants("conv1d")).toEqual(new Set(["i8"]));
  expect(variants("ssd")).toEqual(new Set(["f32"]));
  const got = await model.session().feed(TOKENS);
  expect(relativeError(got, await (await load((await packFolder(folder, "f32", "auto")).bytes)).session().feed(TOKENS))).toBeLessThan(0.25);
});

test("inputs that are all zero in calibration have a range of zero, and give zeros", async () => {
  const folder = await mambaFolder(SHAPE, (name, values) => (name.endsWith("x_proj.weight") ? values.fill(0) : values));
  for (const recipe of ["quamba", "quamba-i8"]) {
    const { bytes } = await compress(unswept(recipe), folder);
    const logits = await (await load(bytes)).session().feed(TOKENS);
    expect(logits.every(Number.isFinite)).toBe(true);
    expect(relativeError(logits, await (await load((await packFolder(folder, "f32", "auto")).bytes)).session().feed(TOKENS))).toBeLessThan(0.25);
  }
});

test.each([
  [{ states: "f16", clip: 1 }, /keeps states as "f16"/],
  [{ states: "f32", clip: 0 }, /clipped at 0/],
  [{ states: "f32", clip: 1.5 }, /clipped at 1.5/],
  [{ states: "f32" }, /clipped at undefined/],
  [null, /keeps states as undefined/],
])("a recipe whose scan is %j is refused", (scan, why) => {
  expect(() => parseRecipe(JSON.stringify({ ...recipeNamed("quamba"), scan }))).toThrow(why);
});

test("a recipe of transformed inputs by a method that calibrates on plain ones is refused", async () => {
  const rules = [
    { match: "embed", scheme: "q8" },
    { match: ".*", scheme: "q4g32", act: "had8", method: "gptq" },
  ];
  await expect(compress({ ...recipeNamed("quamba"), rules }, await mambaFolder(SHAPE))).rejects.toMatchObject({ code: "recipe.invalid" });
});
