// The calibrator of mode core through real packs: clusters of texts stand in the file, are loaded with it, choose the cores of short prompts, are those of
// the text and the weights they came with, and are refused where they are not.
import { beforeAll, describe, expect, test } from "vitest";
import { parseClusters } from "../../runtime/cores/clusters.ts";
import { coreSize } from "../../runtime/cores/rank.ts";
import { openPack } from "../../runtime/formats/skint/reader.ts";
import { memorySource } from "../../runtime/io/source.ts";
import { sha256 } from "../../targets/hosts/node/hash.ts";
import { openCheckpoint } from "../../tools/compress/checkpoint.ts";
import { compressModel } from "../../tools/compress/compress.ts";
import type { FfnCalibration } from "../../tools/compress/leaveout.ts";
import type { Settings } from "../../tools/compress/method.ts";
import { type Recipe, recipeNamed } from "../../tools/compress/recipe.ts";
import { core, inner, NEURONS } from "../support/cores.ts";
import { memorySink } from "../support/memory.ts";
import { environment, open, pack, type Tiny, tinyCheckpoint } from "../support/tiny.ts";

/** Two topics that share no character: neurons that one wakes the other need not. */
const TOPICS = ["abcab bacca cab abba ", "xyzzy zyx yxz zzyx "].map((words) => words.repeat(20).slice(0, 256));
const TEXT = Array.from({ length: 16 }, (_, i) => TOPICS[i % 2]).join("");
const SETTINGS = { clusters: 2, tokens: 32 };

let relu: Tiny;
let silu: Tiny;
beforeAll(async () => {
  relu = await tinyCheckpoint({ activation: "relu", layers: 4 });
  silu = await tinyCheckpoint({ seed: 5, layers: 4 });
});

/** w4n-core with other settings of its calibrator. */
function recipeWith(calibrate: Settings): Recipe {
  const recipe = recipeNamed("w4n-core");
  return { ...recipe, rules: recipe.rules.map((r) => (r.ffn ? { ...r, ffn: { mode: "core", calibrate } } : r)) };
}

async function compressed(tiny: Tiny, recipe: Recipe, { text = TEXT, threads = 1, tokens = 2048 } = {}) {
  const sink = memorySink();
  const report = await compressModel(await openCheckpoint(tiny.folder), sink, await environment({ threads }), {
    recipe,
    golden: "never",
    calibration: { tokens, text: { name: "text", text } },
  });
  return { bytes: sink.bytes() as Uint8Array, report };
}

const clustersIn = async (bytes: Uint8Array) => (await (await openPack(memorySource(bytes, "file"))).document("cores")) as string;

describe("clusters of a text", () => {
  test("stand in the file, tell topics apart, and choose the core of a short prompt of either", async () => {
    const { bytes, report } = await compressed(relu, recipeWith(SETTINGS));
    const model = await open(bytes);
    const names = model.engine.ffn.names;
    const clusters = parseClusters(await clustersIn(bytes), new Map(names.map((n) => [n, NEURONS])));
    expect(clusters).toMatchObject({ probe: names[3], neurons: NEURONS, alpha: 0.4, top: 19 });
    expect([...clusters.layers.keys()]).toEqual(names);
    for (const lists of clusters.layers.values()) for (const list of lists) expect(list.length).toBeLessThanOrEqual(coreSize(NEURONS, 0.5));
    const chosen: number[] = [];
    for (const topic of TOPICS) {
      model.engine.ffn.set({ mode: "core", guide: "similar", beta: 0.2 });
      const session = model.session();
      await session.feed(model.tokenizer?.encode(topic.slice(0, 24)) as Uint32Array);
      const { cluster, made } = model.engine.ffn.report()?.core ?? {};
      expect(made).toBe("similar");
      chosen.push(cluster as number);
      for (const layer of inner(model)) expect(core(model, layer)).toEqual(Uint32Array.from((clusters.layers.get(layer) as Uint16Array[])[cluster as number].slice(0, 32)).sort());
      await session.next(3);
    }
    expect(new Set(chosen).size).toBe(2);
    expect(report.ffn?.calibrators[0]).toMatchObject({ mode: "core", clusters: 2, probe: names[3] });
    model.close();
  });

  test("the layers begin as those of w4n do, with its weights", async () => {
    for (const [tiny, mode] of [
      [relu, "exact"],
      [silu, "dense"],
    ] as const) {
      const { bytes, report } = await compressed(tiny, recipeNamed("w4n-core"));
      const model = await open(bytes);
      expect(model.engine.ffn.report()?.mode).toBe(mode);
      expect((report.ffn as FfnCalibration).sparse24).toBe("along a neuron's row");
      model.close();
    }
  });

  test("have the same bytes each time, on any number of threads", async () => {
    const { bytes } = await compressed(relu, recipeWith(SETTINGS));
    expect((await compressed(relu, recipeWith(SETTINGS), { threads: 2 })).bytes).toEqual(bytes);
    expect((await compressed(relu, recipeWith(SETTINGS))).bytes).toEqual(bytes);
  });

  test("of other weights are refused", async () => {
    const document = await clustersIn((await compressed(silu, recipeWith(SETTINGS))).bytes);
    const model = await open((await pack(relu, "w4n")).bytes);
    expect(() => model.engine.ffn.setClusters(document, sha256)).toThrow(expect.objectContaining({ code: "format.hash" }));
    model.close();
  });
});

describe("what is refused", () => {
  test("a text of too few pieces, with what it takes", async () => {
    await expect(compressed(relu, recipeWith({ clusters: 9, tokens: 64 }), { text: TEXT.slice(0, 600) })).rejects.toMatchObject({
      code: "calibration.text",
      message: expect.stringContaining("at least 1152 tokens"),
    });
  });

  test("two sets of clusters in one file", async () => {
    const recipe = recipeWith(SETTINGS);
    const rule = recipe.rules.find((r) => r.ffn);
    const two = { ...recipe, rules: [{ ...rule, match: "layers\\.1\\.ffn\\.down", ffn: { mode: "core", calibrate: { clusters: 3 } } }, ...recipe.rules] } as Recipe;
    await expect(compressed(relu, two)).rejects.toMatchObject({ code: "recipe.invalid" });
  });
});
