// Weights split by CorDA: a part of each matrix in its path, what the part leaves compressed, and what a recipe may say of it.
import { expect, test } from "vitest";
import { openPack } from "../../runtime/formats/skint/reader.ts";
import { memorySource } from "../../runtime/io/source.ts";
import { SCHEMES } from "../../runtime/quant/catalogue.gen.ts";
import { withinBudget } from "../../tools/compress/budget.ts";
import { openCheckpoint } from "../../tools/compress/checkpoint.ts";
import { type CompressReport, compressModel } from "../../tools/compress/compress.ts";
import { hashOf } from "../../tools/compress/lowrank.ts";
import { parseRecipe, type Recipe, type Rule, recipeNamed, withRank } from "../../tools/compress/recipe.ts";
import { memorySink } from "../support/memory.ts";
import { environment, tinyCheckpoint } from "../support/tiny.ts";

const TEXT = Array.from({ length: 40 }, (_, i) => `In the ${i}th year of the ${(i * 7) % 11}th king ${"abcdefghij".slice(i % 10)} went up to the city. `).join("");
const calibration = { text: { name: "kings.txt", text: TEXT }, tokens: 500 };
const RANK = 8;

interface Packed {
  readonly report: CompressReport;
  /** What the packed bytes of a matrix, of its `down` and of its `up` stand for. */
  decoded(name: string, scheme: string, n: number, k: number): Promise<Float32Array>;
}

async function compress(recipe: Recipe): Promise<Packed> {
  const sink = memorySink();
  const report = await compressModel(await openCheckpoint((await tinyCheckpoint({ layers: 1 })).folder), sink, await environment({ threads: 1 }), { recipe, calibration });
  const pack = await openPack(memorySource(sink.bytes() as Uint8Array, "x"));
  return {
    report,
    async decoded(name, scheme, n, k) {
      const packed = new Uint8Array(SCHEMES[scheme].bytes(n, k));
      await pack.readBytes(name, 0, packed);
      return SCHEMES[scheme].decode(packed, n, k);
    },
  };
}

const squares = (v: Float32Array) => v.reduce((sum, x) => sum + x * x, 0);
const withMethod = (recipe: Recipe, method: string): Recipe => ({ ...recipe, method });

test.each([
  ["gptq", "w4-corda-ipa"],
  ["gptq", "w4-corda-kpa"],
  ["rtn", "w4-corda-kpa"],
])("by %s, %s: every linear has a path, fitted to exactly what is packed, and with it the outputs are those of the weights but for rounding", async (method, name) => {
  const { report, decoded } = await compress(withRank(withMethod(recipeNamed(name), method), RANK));
  const split = report.matrices.filter((m) => m.path);
  expect(split.map((m) => m.name).sort()).toEqual(report.matrices.map((m) => m.name).filter((n) => n.startsWith("layers.")).sort()); // biome-ignore format: one line
  for (const m of split) {
    expect(m.path).toMatchObject({ rank: RANK, power: 1, fittedTo: hashOf(await decoded(m.name, m.scheme, m.n, m.k)) });
    expect(m.path?.output?.predicted, m.name).toBeLessThan(0.02);
    expect(m.path?.output?.measured, m.name).toBeLessThan(0.03);
  }
});

test("the strongest part is most of what the weights do, so that the rest alone is worth little; without the weakest it is nearly all", async () => {
  const left = async (name: string) => (await compress(withRank(recipeNamed(name), RANK))).report.matrices.flatMap((m) => (m.path ? [m.output?.predicted as number] : []));
  const [ipa, kpa] = [await left("w4-corda-ipa"), await left("w4-corda-kpa")];
  ipa.forEach((share, i) => {
    expect(share).toBeGreaterThan(0.1);
    expect(kpa[i]).toBeLessThan(0.06);
  });
});

test("what is packed is the rest, not the weights: with the factors in f32 both are the weights again", async () => {
  const exact: Recipe = { name: "mine", summary: "", method: "rtn", cache: "f16", rules: [{ match: "^layers", scheme: "f32", rank: RANK, power: 1, split: "ipa", down: "f32", up: "f32" }, { match: ".*", scheme: "f32" }] }; // biome-ignore format: one line
  const [split, plain] = [await compress(parseRecipe(JSON.stringify(exact))), await compress(recipeNamed("f32"))];
  for (const { name, n, k, path } of split.report.matrices.filter((m) => m.path)) {
    const [rest, w] = [await split.decoded(name, "f32", n, k), await plain.decoded(name, "f32", n, k)];
    expect(squares(rest) / squares(w), name).toBeLessThan(0.9);
    const half = path?.down ?? "";
    const [down, up] = [await split.decoded(half, "f32", RANK, k), await split.decoded(half.replace(/down$/, "up"), "f32", n, RANK)];
    const back = rest.map((v, at) => {
      let sum = v;
      for (let r = 0; r < RANK; r++) sum += up[Math.floor(at / k) * RANK + r] * down[r * k + (at % k)];
      return sum;
    });
    expect(squares(back.map((v, i) => v - w[i])) / squares(w), name).toBeLessThan(1e-9);
  }
});

const ruleOf = (more: Partial<Rule>) => JSON.stringify({ name: "mine", method: "gptq", cache: "f16", rules: [{ match: ".*", scheme: "q4g32", power: 1, split: "kpa", ...more }] });

test.each([
  ["another part", { split: "middle" as "kpa" }, /splits its weights by "middle", none of ipa, kpa/],
  ["a path by the outputs", { power: 0.5 as const }, /takes a path of power 1/],
  ["a path by the weights", { power: undefined, rank: 8 }, /takes a path of power 1/],
  ["no path", { power: undefined }, /has a path whose rank/],
  ["automatic rank", { rank: "auto" as const }, /a rank that it must give/],
  ["turns", { turns: 2 }, /a part is taken once/],
  ["a shared path", { shared: true }, /parts of its own/],
  ["neurons", { scheme: "q4n" }, /lie by neurons/],
])("a split is refused: %s", (_, more, message) => {
  expect(() => parseRecipe(ruleOf(more))).toThrow(expect.objectContaining({ code: "recipe.invalid", message: expect.stringMatching(message) }));
});

test("--rank auto and --budget are refused: nothing was lost that a rank could be weighed by", async () => {
  const recipe = recipeNamed("w4-corda-kpa");
  expect(() => withRank(recipe, "auto")).toThrow(expect.objectContaining({ code: "recipe.invalid" }));
  await expect(withinBudget(await openCheckpoint((await tinyCheckpoint()).folder), await environment({ threads: 1 }), { recipe, calibration }, 200e3)).rejects.toMatchObject({
    code: "recipe.invalid",
    place: { what: "--budget" },
  });
});
