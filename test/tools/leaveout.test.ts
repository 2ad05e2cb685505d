// Calibrators of feed-forward layers: what they find is what they promise, stands in the file, runs by itself, and is that of the weights it came with.
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { openPack } from "../../runtime/formats/skint/reader.ts";
import { memorySource } from "../../runtime/io/source.ts";
import type { Model } from "../../runtime/session/model.ts";
import { openFolder } from "../../targets/hosts/node/files.ts";
import { sha256 } from "../../targets/hosts/node/hash.ts";
import { openCheckpoint } from "../../tools/compress/checkpoint.ts";
import { type CompressReport, compressModel } from "../../tools/compress/compress.ts";
import { ffnComplaint } from "../../tools/compress/ffnrule.ts";
import { checkFfnCalibration, type FfnCalibration, weightsHash } from "../../tools/compress/leaveout.ts";
import { CALIBRATORS } from "../../tools/compress/methods/neurons/catalogue.gen.ts";
import { quantileOf } from "../../tools/compress/methods/neurons/topk.ts";
import { type Recipe, recipeNamed } from "../../tools/compress/recipe.ts";
import { Study } from "../../tools/compress/study.ts";
import { documentsOf, splitOfCard } from "../../tools/eval/evaluate.ts";
import { observe } from "../../tools/profile/layers.ts";
import { perplexityOf, readWindows, windowsOf } from "../../tools/profile/windows.ts";
import { memorySink } from "../support/memory.ts";
import { environment, open, pack, type Tiny, tinyCheckpoint } from "../support/tiny.ts";

const TEXT = readFileSync("models/tiny-swiglu/calibration.txt", "utf8").slice(0, 8000);
const TOKENS = 1024;

let relu: Tiny;
let silu: Tiny;
beforeAll(async () => {
  relu = await tinyCheckpoint({ activation: "relu", bias: true });
  silu = await tinyCheckpoint({ seed: 5 });
});

async function compressed(tiny: Pick<Tiny, "folder">, recipe: Recipe, text: string | undefined = TEXT) {
  const checkpoint = await openCheckpoint(tiny.folder);
  const sink = memorySink();
  const calibration = { tokens: TOKENS, ...(text ? { text: { name: "text", text } } : {}) };
  const report = await compressModel(checkpoint, sink, await environment(), { recipe, golden: "auto", calibration });
  return { bytes: sink.bytes() as Uint8Array, report };
}

/** The text as calibrators read it. */
const windowsFor = (model: Model) => windowsOf(documentsOf(model, TEXT, splitOfCard(model.card)), Math.min(512, model.engine.graph.context), TOKENS);

/** Perplexity of the calibration text, with what the model leaves out by itself, or with all neurons. */
async function perplexity(bytes: Uint8Array, dense: boolean): Promise<number> {
  const model = await open(bytes);
  const observed = observe(model, model.engine.graph.context);
  try {
    if (dense) observed.engine.ffn.set({ mode: "dense" });
    return perplexityOf(await readWindows(observed.engine, windowsFor(model)));
  } finally {
    observed.close();
    model.close();
  }
}

/** What the calibrator of a report's only group said. */
const foundIn = (report: CompressReport) =>
  (report.ffn as FfnCalibration).calibrators[0] as unknown as {
    readonly mode: string;
    readonly ppl: number;
    readonly perplexity: number;
    readonly perplexityDense: number;
    readonly layers: readonly { readonly eps: number; readonly topk: number; readonly leftOut: number }[];
  };

describe("cett", () => {
  // Trained models: what is left out of random weights may as well make a text likelier.
  test.each([
    ["models/tiny-relu", 1],
    ["models/tiny-swiglu", 10],
  ] as const)("%s: costs %d percent of the text's perplexity, in the file's own mode", async (folder, ppl) => {
    const { bytes, report } = await compressed({ folder: await openFolder(folder) }, recipeNamed(`w4n-cett${ppl}`));
    const ratio = (await perplexity(bytes, false)) / (await perplexity(bytes, true));
    expect(Math.abs(ratio - (1 + ppl / 100))).toBeLessThan(0.001);
    const found = foundIn(report);
    expect(found).toMatchObject({ mode: "cett", ppl });
    for (const l of found.layers) expect([l.eps > 0, l.leftOut > 0, l.leftOut < 1]).toEqual([true, true, true]);
  });
});

describe("a study", () => {
  test("has read the text with all neurons once it has measured it: their perplexity takes no second reading", async () => {
    const model = await open((await pack(relu, "w4n")).bytes);
    const windows = windowsFor(model);
    let read = 0;
    const study = new Study(model, model.engine.ffn.names, windows, undefined, (done, total) => {
      if (done === total) read++;
    });
    await study.curves();
    const known = await study.dense();
    expect(read).toBe(1);
    expect(known).toBe(await study.perplexity((rules) => rules.dense()));
    expect(read).toBe(2);
    study.close();
    model.close();
  });
});

describe("topk", () => {
  test("keeps what 99 % of tokens have that is not 0: those lose nothing", async () => {
    const { bytes, report } = await compressed(relu, recipeNamed("w4n-topk"));
    const found = foundIn(report);
    expect(found.mode).toBe("topk");
    const model = await open(bytes);
    const observed = observe(model, model.engine.graph.context);
    observed.engine.ffn.set({ mode: "dense" });
    const over = found.layers.map(() => ({ tokens: 0, of: 0 }));
    await readWindows(observed.engine, windowsFor(model), {
      onStep(rows) {
        for (const [i, { topk }] of found.layers.entries())
          for (let r = 0; r < rows; r++) {
            const some = observed
              .hidden(i, rows)
              .subarray(r * 96, (r + 1) * 96)
              .filter((v) => v !== 0).length;
            over[i].of++;
            if (some > topk) over[i].tokens++;
          }
      },
    });
    for (const { tokens, of } of over) expect(tokens / of).toBeLessThanOrEqual(0.01);
    expect(model.engine.ffn.report()?.layers.map((l) => l.mode)).toEqual(["topk", "topk"]);
    observed.close();
    model.close();
    expect(Math.abs(found.perplexity / found.perplexityDense - 1)).toBeLessThan(0.01);
  });

  test("counts are at most the quantile in the share of cases", () => {
    expect([0, 0.5, 0.51, 0.9, 1].map((q) => quantileOf(Uint32Array.of(0, 5, 4, 0, 1), q))).toEqual([0, 1, 2, 2, 4]);
  });

  test("is refused for activations without zeros", async () => {
    await expect(compressed(silu, recipeNamed("w4n-topk"))).rejects.toMatchObject({ code: "recipe.invalid", message: expect.stringContaining("no zeros") });
  });
});

test("a method that calibrates is refused for a matrix that lies by neurons, and taken for those before it", async () => {
  const w4n = recipeNamed("w4n");
  const gptq: Recipe = { ...w4n, rules: w4n.rules.map((r) => (r.scheme === "q4n" ? { ...r, method: "gptq" } : r)) };
  await expect(compressed(relu, gptq)).rejects.toMatchObject({ code: "recipe.invalid", message: expect.stringMatching(/ffn\.down.*lies by neurons/) });
  const firsts: Recipe = { ...gptq, rules: [{ match: "ffn.down", scheme: "q4n", method: "rtn" }, ...gptq.rules] };
  const { bytes } = await compressed(relu, firsts);
  expect(Buffer.from(bytes).equals(Buffer.from((await compressed(relu, w4n)).bytes))).toBe(false);
});

describe("what the file keeps", () => {
  test("text, tokens and weights by their hashes, and which 2:4 masks stay legal; the weights are those of w4n", async () => {
    const { bytes, report } = await compressed(relu, recipeNamed("w4n-cett5"));
    const source = await openPack(memorySource(bytes, "file"));
    const kept = JSON.parse((await source.document("report")) as string).ffn as FfnCalibration;
    expect(kept).toEqual(JSON.parse(JSON.stringify(report.ffn)));
    expect(kept).toMatchObject({ text: "text", tokens: TOKENS, sparse24: "along a neuron's row" });
    const [calibrated, plain] = [await open(bytes), await open((await pack(relu, "w4n")).bytes)];
    expect(weightsHash(calibrated.engine, sha256)).toBe(kept.weights);
    expect(weightsHash(plain.engine, sha256)).toBe(kept.weights);
    expect(() => checkFfnCalibration(kept, calibrated.engine, sha256)).not.toThrow();
    for (const m of [calibrated, plain]) m.close();
  });

  test("is refused beside other weights", async () => {
    const { report } = await compressed(relu, recipeNamed("w4n-topk"));
    const other = await open((await pack(silu, "w4n")).bytes);
    expect(() => checkFfnCalibration(report.ffn as FfnCalibration, other.engine, sha256)).toThrow(expect.objectContaining({ code: "format.hash" }));
    other.close();
  });

  test("a text that is missing or too short is said", async () => {
    await expect(compressed(relu, recipeNamed("w4n-cett1"), "")).rejects.toMatchObject({ code: "calibration.text" });
    await expect(compressed(relu, recipeNamed("w4n-cett1"), "Short.")).rejects.toMatchObject({ code: "usage", message: expect.stringContaining("tokens to read") });
  });
});

describe("rules", () => {
  const rule = (ffn: unknown, scheme = "q4n") => ffnComplaint({ scheme, ffn: ffn as never });
  test("may name a calibrator with settings in range", () => {
    for (const { name, settings } of Object.values(CALIBRATORS)) for (const calibrate of [{}, settings]) expect(rule({ mode: name, calibrate })).toBeUndefined();
  });

  test.each([
    [{ mode: "cett", calibrate: { ppl: 0 } }, /ppl is 0/],
    [{ mode: "cett", calibrate: { ppl: Number.NaN } }, /ppl is NaN/],
    [{ mode: "cett", calibrate: { ppl: 101 } }, /ppl is 101/],
    [{ mode: "cett", calibrate: { ppl: "1" } }, /ppl is 1/],
    [{ mode: "cett", calibrate: { p: 1 } }, /sets p, which cett does not have/],
    [{ mode: "cett", calibrate: 1 }, /no object/],
    [{ mode: "cett", calibrate: null }, /no object/],
    [{ mode: "cett", eps: 1, calibrate: {} }, /without eps/],
    [{ mode: "dense", calibrate: {} }, /no calibrator/],
    [{ mode: "toString", calibrate: {} }, /no calibrator/],
    [{ mode: "topk", calibrate: { share: 1.1 } }, /share is 1.1/],
    [{ mode: "topk" }, /wants a feed-forward layer/],
    [{ mode: "cett", eps: Number.NaN }, /wants a feed-forward layer/],
  ])("%j is refused", (ffn, why) => {
    expect(rule(ffn)).toMatch(why);
    expect(rule(ffn, "q4g32")).toMatch(/only q4n/);
  });
});
