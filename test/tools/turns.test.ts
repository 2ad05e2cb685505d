// Weights and the path of low rank beside them made in turns, each for what the other leaves.
import { expect, test } from "vitest";
import { openPack } from "../../runtime/formats/skint/reader.ts";
import { memorySource } from "../../runtime/io/source.ts";
import { SCHEMES } from "../../runtime/quant/catalogue.gen.ts";
import { openCheckpoint } from "../../tools/compress/checkpoint.ts";
import { type CompressReport, compressModel } from "../../tools/compress/compress.ts";
import { hashOf } from "../../tools/compress/lowrank.ts";
import { parseRecipe, type Recipe, recipeNamed } from "../../tools/compress/recipe.ts";
import { memorySink } from "../support/memory.ts";
import { environment, tinyCheckpoint } from "../support/tiny.ts";

const TEXT = Array.from({ length: 40 }, (_, i) => `In the ${i}th year of the ${(i * 7) % 11}th king ${"abcdefghij".slice(i % 10)} went up to the city. `).join("");

interface Packed {
  readonly bytes: Uint8Array;
  readonly report: CompressReport;
}

async function compress(recipe: Recipe): Promise<Packed> {
  const checkpoint = await openCheckpoint((await tinyCheckpoint({ layers: 1 })).folder);
  const sink = memorySink();
  const report = await compressModel(checkpoint, sink, await environment({ threads: 1 }), { recipe, calibration: { text: { name: "kings.txt", text: TEXT }, tokens: 500 } });
  return { bytes: sink.bytes() as Uint8Array, report };
}

test("path and weights made in turns leave less than a path made once; what is packed is what it was fitted to", async () => {
  const inTurns = (turns: number): Recipe => {
    const base = recipeNamed("24v8w4-eora");
    return { ...base, rules: base.rules.map((r) => (r.power ? { ...r, turns } : r)) };
  };
  const [once, often] = [await compress(inTurns(1)), await compress(inTurns(4))];
  expect(often.bytes.length).toBeLessThan(1.01 * once.bytes.length);
  const first = (p: Packed) => p.report.matrices.filter((m) => /layers\.0\..*(q|k|v)\.weight/.test(m.name)).map((m) => m.path?.output?.predicted as number);
  first(often).forEach((error, i) => {
    expect(error).toBeLessThan(0.95 * first(once)[i]);
  });
  const pack = await openPack(memorySource(often.bytes, "x"));
  for (const { name, scheme, n, k, path } of often.report.matrices.filter((m) => m.path)) {
    const packed = new Uint8Array(SCHEMES[scheme].bytes(n, k));
    await pack.readBytes(name, 0, packed);
    expect(path?.fittedTo, name).toBe(hashOf(SCHEMES[scheme].decode(packed, n, k)));
  }
  await pack.close();
});

test.each([
  ["no whole number", { power: 0.5, turns: 1.5 }, /makes path and weights in 1.5 turns/],
  ["none", { power: 0.5, turns: 0 }, /in 0 turns/],
  ["a path by the weights", { power: 0, rank: 4, turns: 2 }, /takes a power above 0/],
  ["no path", { turns: 2 }, /has a path whose rank/],
])("turns are refused: %s", (_, more, message) => {
  const rules = [{ match: ".*", scheme: "q4g32", ...more }];
  expect(() => parseRecipe(JSON.stringify({ name: "mine", method: "gptq", cache: "f16", rules }))).toThrow(
    expect.objectContaining({ code: "recipe.invalid", message: expect.stringMatching(message) }),
  );
});
