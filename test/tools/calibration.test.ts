// Compression with calibration from end to end: what the artefact is and says, that it does not depend on threads, that a stopped run goes on.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openSafetensors } from "../../runtime/formats/safetensors/reader.ts";
import { openPack } from "../../runtime/formats/skint/reader.ts";
import { columnsBytes, unpackColumns } from "../../runtime/graph/columns.ts";
import type { Graph } from "../../runtime/graph/types.ts";
import { memorySource } from "../../runtime/io/source.ts";
import { SCHEMES } from "../../runtime/quant/catalogue.gen.ts";
import type { CalibrationOptions } from "../../tools/compress/calibration.ts";
import { type Checkpoint, openCheckpoint } from "../../tools/compress/checkpoint.ts";
import { type CompressOptions, type CompressReport, compressModel } from "../../tools/compress/compress.ts";
import { initialisedFrom } from "../../tools/compress/initial.ts";
import { hashOf } from "../../tools/compress/lowrank.ts";
import { parseRecipe, type Recipe, recipeNamed } from "../../tools/compress/recipe.ts";
import { findWeight } from "../../tools/compress/weights.ts";
import { memoryFolder, memorySink } from "../support/memory.ts";
import { environment, open, safetensorsOf, type Tiny, tinyCheckpoint, tokensOf } from "../support/tiny.ts";
import { type Bench, bench } from "./skint.ts";

const TEXT = Array.from(
  { length: 40 },
  (_, i) => `And it came to pass in the ${i}th year of the ${(i * 7) % 11}th king that ${"abcdefghij".slice(i % 10)} went up to the city. `,
).join("");
const SOME: CalibrationOptions = { text: { name: "kings.txt", text: TEXT }, tokens: 500 };

let tiny: Tiny;
let dir: string;
beforeAll(async () => {
  tiny = await tinyCheckpoint({ tied: false, layers: 3 });
  dir = mkdtempSync(join(tmpdir(), "skint-calibration-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface Packed {
  readonly bytes: Uint8Array;
  readonly report: CompressReport;
}

async function compress(recipe: Recipe, calibration: CalibrationOptions, more: Partial<CompressOptions> & { threads?: number; folder?: Tiny["folder"] } = {}): Promise<Packed> {
  const checkpoint: Checkpoint = await openCheckpoint(more.folder ?? tiny.folder);
  const sink = memorySink();
  try {
    const report = await compressModel(checkpoint, sink, await environment({ threads: more.threads ?? 1 }), { recipe, calibration, ...more });
    return { bytes: sink.bytes() as Uint8Array, report };
  } finally {
    await checkpoint.store.close();
  }
}

const same = (a: Uint8Array, b: Uint8Array) => expect(Buffer.compare(Buffer.from(a), Buffer.from(b))).toBe(0);
const GPTQ = recipeNamed("w4-gptq");

describe("the artefact", () => {
  test("loads, passes its golden test, and keeps text, tokens, seed and errors", async () => {
    const { bytes, report } = await compress(GPTQ, { ...SOME, seed: 3 });
    const pack = await openPack(memorySource(bytes, "x"));
    const kept = JSON.parse((await pack.document("report")) as string);
    await pack.close();
    expect(kept.calibration).toEqual({
      text: "kings.txt",
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      seed: 3,
      tokens: 500,
      heldTokens: 63,
      compressedInputs: true,
    });
    expect(kept.matrices).toEqual(report.matrices);
    const calibrated = report.matrices.filter((m) => m.output);
    expect(calibrated.map((m) => m.name).sort()).toEqual(
      [0, 1, 2].flatMap((i) => ["attention.k", "attention.o", "attention.q", "attention.v", "ffn.down", "ffn.gate", "ffn.up"].map((p) => `layers.${i}.${p}.weight`)),
    );
    for (const m of calibrated) {
      expect(m.output?.predicted, m.name).toBeLessThan(0.02);
      expect(m.output?.measured, m.name).toBeLessThan(0.05);
    }
    const model = await open(bytes);
    expect((await model.engine.run("prefill", tokensOf(20, 300), 0)).every(Number.isFinite)).toBe(true);
    model.close();
  });

  test("on such text the logits err less than by rounding to nearest", async () => {
    // Byte-level: token 2 + byte.
    const tokens = Uint32Array.from(new TextEncoder().encode("And the 41st king went down to the city of the third year."), (b) => 2 + b);
    const logits = async (packed: Packed) => {
      const model = await open(packed.bytes, { score: true });
      const got = (await model.engine.run("score", tokens, 0)).slice();
      model.close();
      return got;
    };
    const plain = await logits(await compress(recipeNamed("f32"), {}));
    const error = async (recipe: string, calibration: CalibrationOptions) => {
      const got = await logits(await compress(recipeNamed(recipe), calibration));
      return got.reduce((sum, v, i) => sum + (v - plain[i]) ** 2, 0);
    };
    expect(await error("w4-gptq", { ...SOME, tokens: 2000 })).toBeLessThan(await error("w4", {}));
  });

  test("is the same on any number of threads, another with another seed or with inputs of the model as it was", async () => {
    const { bytes } = await compress(GPTQ, SOME);
    same((await compress(GPTQ, SOME, { threads: 3 })).bytes, bytes);
    const others = [
      { ...SOME, seed: 2 },
      { ...SOME, compressedInputs: false },
    ];
    for (const other of others) expect(Buffer.compare(Buffer.from((await compress(GPTQ, other)).bytes), Buffer.from(bytes))).not.toBe(0);
  });

  test.each(["w4-eora", "24w4-eora", "24w4-svd", "24w4-corda"])("%s: paths are fitted to just the weights in the file, and take output error away", async (name) => {
    const { bytes, report } = await compress(recipeNamed(name), SOME);
    const pack = await openPack(memorySource(bytes, "x"));
    const graph = JSON.parse((await pack.document("graph")) as string) as Graph;
    expect(report.matrices.filter((m) => m.path).length).toBe(3 * 7);
    for (const { name, scheme, n, k, path, output } of report.matrices) {
      if (!path) continue;
      const packed = new Uint8Array(SCHEMES[scheme].bytes(n, k));
      await pack.readBytes(name, 0, packed);
      expect(path.fittedTo, name).toBe(hashOf(SCHEMES[scheme].decode(packed, n, k)));
      expect(graph.tensors.find((t) => t.name === path.down)?.shape).toEqual([path.rank, k]);
      expect(path.output?.predicted, name).toBeLessThan(output?.predicted as number);
    }
    await pack.close();
    (await open(bytes)).close();
  });

  test("a rule's path without calibration, in a recipe that calibrates elsewhere, is made too", async () => {
    const recipe: Recipe = {
      ...GPTQ,
      rules: [
        { match: "embed|head", scheme: "q8", method: "rtn" },
        { match: "layers\\.0.*attention", scheme: "q4g32" },
        { match: ".*", scheme: "t2", method: "rtn", rank: 8 },
      ],
    };
    const { bytes, report } = await compress(recipe, SOME);
    const withPath = report.matrices.filter((m) => m.path).map((m) => m.name);
    expect(withPath.length).toBe(3 * 7 - 4);
    expect(withPath).toContain("layers.0.ffn.down.weight");
    (await open(bytes)).close();
  });

  test("where nothing is lost there is no path", async () => {
    const { report } = await compress({ ...recipeNamed("f32"), rules: [{ match: ".*", scheme: "f32", power: 0.5 }] }, SOME);
    expect(report.matrices.filter((m) => m.path)).toEqual([]);
  });

  test("the text beside the checkpoint is the default", async () => {
    const folder = memoryFolder(new Map([...tiny.files, ["calibration.txt", new TextEncoder().encode(TEXT)]]), "tiny");
    const { report } = await compress(GPTQ, { tokens: 500 }, { folder });
    expect(report.calibration?.text).toBe("calibration.txt");
  });
});

describe("learned 1.61 bits", () => {
  const LEARNED = recipeNamed("q161-learned");

  test("the file holds the columns that its weights were fitted to; outputs err less than with scales of the weights alone", async () => {
    const learned = await compress(LEARNED, SOME);
    const plain = await compress({ ...LEARNED, settings: { rounds: 0 } }, SOME);
    const error = ({ report }: Packed) => report.matrices.reduce((sum, m) => sum + (m.output?.predicted ?? 0), 0);
    expect(error(learned)).toBeLessThan(0.97 * error(plain));
    (await open(learned.bytes)).close();
    const pack = await openPack(memorySource(learned.bytes, "x"));
    const columns = new Uint8Array(columnsBytes(64));
    await pack.readBytes("layers.0.attention.q.columns", 0, columns);
    await pack.close();
    expect(new Set(unpackColumns(columns, 64).factors).size).toBeGreaterThan(10);
  });

  test("a stopped run remembers them", async () => {
    const state = join(dir, "q.state");
    const { bytes } = await compress(LEARNED, SOME);
    await stopped(state, 0.5, LEARNED);
    same((await compress(LEARNED, { ...SOME, state, resume: true })).bytes, bytes);
  });

  test("paths of low rank stand beside it", async () => {
    const recipe: Recipe = { ...LEARNED, rules: [LEARNED.rules[0], { match: ".*", scheme: "q161", power: 0.5 }] };
    const { report } = await compress(recipe, SOME);
    for (const { name, output, path } of report.matrices) if (path) expect(path.output?.predicted, name).toBeLessThan(output?.predicted as number);
  });
});

/** Stops at the share `at` of the calibration. */
async function stopped(state: string, at: number, recipe = GPTQ): Promise<void> {
  const stop = new AbortController();
  const onCalibration = (done: number, total: number) => {
    if (done >= at * total) stop.abort();
  };
  await expect(compress(recipe, { ...SOME, state, resume: true }, { signal: stop.signal, onCalibration })).rejects.toMatchObject({ code: "aborted" });
}

describe("a run that is stopped", () => {
  test("goes on and makes the same bytes, wherever it was stopped; nothing is left behind", async () => {
    const { bytes } = await compress(GPTQ, SOME);
    const state = join(dir, "a.state");
    for (const at of [0, 0.1, 0.33, 0.5, 0.51, 0.8, 1]) {
      await stopped(state, at);
      expect(existsSync(state)).toBe(true);
    }
    expect(readdirSync(state).filter((f) => f.startsWith("segment-")).length).toBeGreaterThan(2);
    let first: number | undefined;
    const onCalibration = (done: number) => {
      first ??= done;
    };
    same((await compress(GPTQ, { ...SOME, state, resume: true }, { onCalibration })).bytes, bytes);
    expect(first ?? Number.POSITIVE_INFINITY).toBeGreaterThan(1000);
    expect(readdirSync(dir)).toEqual([]);
  });

  test("starts anew unless it is asked to go on", async () => {
    const state = join(dir, "b.state");
    await stopped(state, 0.8);
    let first: number | undefined;
    await compress(GPTQ, { ...SOME, state }, { onCalibration: (done) => (first ??= done) });
    expect(first).toBeLessThan(100);
  });

  test("refuses what is left of another run, and damage", async () => {
    const state = join(dir, "c.state");
    await stopped(state, 0.8);
    const refused = { code: "usage", message: expect.stringContaining("without --resume") };
    await expect(compress(GPTQ, { ...SOME, seed: 9, state, resume: true })).rejects.toMatchObject(refused);
    const { folder } = await tinyCheckpoint({ tied: false, layers: 3, seed: 2 });
    await expect(compress(GPTQ, { ...SOME, state, resume: true }, { folder })).rejects.toMatchObject(refused);
    const file = join(state, "segment-1.bin");
    const bytes = readFileSync(file);
    bytes[bytes.length - 1] ^= 1;
    writeFileSync(file, bytes);
    await expect(compress(GPTQ, { ...SOME, state, resume: true })).rejects.toMatchObject({ code: "format.hash", place: { what: file } });
    writeFileSync(file, "x");
    await expect(compress(GPTQ, { ...SOME, state, resume: true })).rejects.toMatchObject({ code: "format.hash" });
  });
});

describe("refused", () => {
  const recipe = (more: object) => parseRecipe(JSON.stringify({ name: "mine", method: "gptq", cache: "f16", rules: [{ match: "embed|head", scheme: "q8", method: "rtn" }, { match: ".*", scheme: "q4g32" }], ...more })); // biome-ignore format: one line

  test("no text, and too little of it", async () => {
    await expect(compress(GPTQ, {})).rejects.toMatchObject({ code: "calibration.text", message: expect.stringContaining("--calibration") });
    await expect(compress(GPTQ, { text: SOME.text })).rejects.toMatchObject({ code: "calibration.text", message: expect.stringMatching(/8192 for its statistics/) });
  });

  test("a matrix that an embedding reads, and a scheme without codes: layer and reason are named", async () => {
    await expect(compress(recipe({ rules: [{ match: ".*", scheme: "q4g32" }] }), SOME)).rejects.toMatchObject({
      code: "recipe.invalid",
      message: expect.stringMatching(/^embed\.weight is read by embed \(embed\)/),
    });
    await expect(
      compress(
        recipe({
          rules: [
            { match: "down", scheme: "f16" },
            { match: ".*", scheme: "q8", method: "rtn" },
          ],
        }),
        SOME,
      ),
    ).rejects.toMatchObject({
      code: "recipe.invalid",
      message: expect.stringMatching(/^layers\.0\.ffn\.down\.weight cannot be brought into f16 by gptq/),
    });
  });

  test("a weight that is no number, by tensor and index", async () => {
    const weights = new Map(tiny.weights);
    const name = "model.layers.1.mlp.down_proj.weight";
    const { shape, values } = tiny.weights.get(name) as NonNullable<ReturnType<typeof tiny.weights.get>>;
    weights.set(name, { shape, values: values.map((v, i) => (i === 96 * 3 + 5 ? Number.NaN : v)) });
    const folder = memoryFolder(new Map([...tiny.files, ["model.safetensors", await safetensorsOf(weights, "F32")]]), "tiny");
    await expect(compress(GPTQ, SOME, { folder })).rejects.toMatchObject({ code: "model.tensor", message: expect.stringContaining(`${name} holds NaN at index [3, 5]`) });
  });

  test.each([
    ["method of a rule", { rules: [{ match: ".*", scheme: "q8", method: "gtpq" }] }, /method of the rule for \.\*, "gtpq" is none of/],
    ["setting of no method", { settings: { dampling: 1 } }, /setting dampling belongs to none of its methods \(gptq, rtn\), which have damping, activationOrder/],
    ["setting of another type", { settings: { activationOrder: 1 } }, /activationOrder is 1, a boolean such as false is wanted/],
    ["settings that are a list", { settings: [] }, /settings are no object/],
  ])("%s", (_, more, message) => {
    expect(() => recipe(more)).toThrow(expect.objectContaining({ code: "recipe.invalid", message: expect.stringMatching(message) }));
  });
});

describe("weights of another file", () => {
  const other = async (change: (v: number) => number, names: (name: string) => boolean) => {
    const weights = new Map([...tiny.weights].filter(([name]) => names(name)).map(([name, { shape, values }]) => [name, { shape, values: values.map(change) }]));
    return openSafetensors(memorySource(await safetensorsOf(weights, "F32"), "merged"));
  };
  test("replace those of the checkpoint where it has them", async () => {
    const c = await openCheckpoint(tiny.folder);
    const changed = initialisedFrom(c, await other((v) => 2 * v, (name) => name.includes("down_proj"))); // biome-ignore format: one line
    const t = { name: "layers.0.ffn.down.weight", role: "weight", format: "f32", shape: [64, 96] } as const;
    const u = { ...t, name: "layers.0.ffn.up.weight", shape: [96, 64] };
    expect((await findWeight(changed, t).read(0, 64))[5]).toBe(2 * (await findWeight(c, t).read(0, 64))[5]);
    expect(await findWeight(changed, u).read(0, 2)).toEqual(await findWeight(c, u).read(0, 2));
  });

  test("of another model are refused", async () => {
    const c = await openCheckpoint(tiny.folder);
    const { weights } = await tinyCheckpoint({ hidden: 80 });
    const wide = await openSafetensors(memorySource(await safetensorsOf(weights, "F32"), "wide"));
    expect(() => initialisedFrom(c, wide)).toThrow(expect.objectContaining({ code: "format.shape", message: expect.stringContaining("in wide") }));
    const none = await other((v) => v, () => false); // biome-ignore format: one line
    expect(() => initialisedFrom(c, none)).toThrow(expect.objectContaining({ code: "model.tensor" }));
  });
});

describe("the command", () => {
  let b: Bench;
  beforeAll(() => {
    b = bench();
    b.checkpoint("tiny", tiny.files);
    writeFileSync(b.path("text.txt"), TEXT);
  });
  afterAll(() => b.remove());

  test("compresses with a text, says what it used, lists errors, leaves one file", () => {
    const made = b.skint(
      "compress",
      "tiny",
      "--recipe",
      "w4-gptq",
      "--calibration",
      "text.txt",
      "--calibration-tokens",
      "500",
      "--calibration-seed",
      "2",
      "--out",
      "a.skint",
      "--layers",
    );
    expect(made).toMatchObject({ exit: 0, err: "" });
    expect(made.out).toContain("calibrated with 500 tokens of text.txt, seed 2");
    expect(made.out).toMatch(/layers\.0\.ffn\.down\.weight +q4g32 +64×96 +\S+ \S+ +\S+ % +\S+ % +\S+ %\n/);
    expect(readdirSync(b.dir).sort()).toEqual(["a.skint", "text.txt", "tiny"]);
  });

  test("without a text it says what to do", () => {
    expect(b.skint("compress", "tiny", "--recipe", "w4-gptq")).toMatchObject({
      exit: expect.any(Number),
      err: expect.stringContaining("give a text like those the model will read with --calibration"),
    });
    expect(b.skint("compress", "tiny", "--recipe", "w4-gptq", "--calibration", "none.txt").err).toContain("none.txt cannot be read");
    expect(readdirSync(b.dir)).not.toContain("model.skint");
  });

  test.for([
    ["the file", "--recipe w8"],
    ["what calibration has done", "--recipe w4-gptq --calibration text.txt --calibration-tokens 2000"],
  ])("a disk that is full while %s is written leaves the file that was there, and nothing half-written", ([, args], context) => {
    context.skip(process.platform === "win32", "the limit on files is set by a shell of Unix");
    b.json("compress", "tiny", "--recipe", "w4", "--out", "kept.skint");
    const before = readFileSync(b.path("kept.skint"));
    // No file may be longer than 50 blocks: 25 to 50 kB, as the shell counts.
    const command = `ulimit -f 50; exec "${process.execPath}" "${resolve("dist/skint.js")}" compress tiny ${args} --out kept.skint`;
    const { status, stderr } = spawnSync("sh", ["-c", command], { cwd: b.dir, encoding: "utf8" });
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/kept\.skint(\.state\S+)? cannot be written/);
    same(readFileSync(b.path("kept.skint")), before);
    expect(readdirSync(b.dir, { recursive: true, encoding: "utf8" }).filter((f) => f.includes("partial"))).toEqual([]);
    rmSync(b.path("kept.skint"));
    rmSync(b.path("kept.skint.state"), { recursive: true, force: true });
  });

  test("an interrupted run leaves its state, and --resume ends with the bytes of a whole one", async () => {
    const args = ["compress", "tiny", "--recipe", "w4-gptq", "--calibration", "text.txt", "--calibration-tokens", "2000"];
    b.json(...args, "--out", "whole.skint");
    const child = b.start(...args, "--out", "cut.skint", "--progress", "json");
    while (!existsSync(b.path("cut.skint.state/segment-0.bin"))) await new Promise((r) => setTimeout(r, 2));
    child.kill("SIGINT");
    expect((await child.ended).exit).toBe(130);
    expect(existsSync(b.path("cut.skint"))).toBe(false);
    b.json(...args, "--out", "cut.skint", "--resume");
    same(readFileSync(b.path("cut.skint")), readFileSync(b.path("whole.skint")));
    expect(existsSync(b.path("cut.skint.state"))).toBe(false);
  });
});
