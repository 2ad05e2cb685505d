// A .gguf file where a checkpoint is wanted, as a user types it.
import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createRandom } from "../../runtime/num/random.ts";
import { buildGguf, type GgufTensorSpec, randomTensor } from "../support/gguf.ts";
import { ggufOf, splitGguf } from "../support/gguf-model.ts";
import { tinyCheckpoint } from "../support/tiny.ts";
import { type Bench, bench } from "./skint.ts";

let b: Bench;
const PART = "split-00002-of-00002.gguf";

beforeAll(async () => {
  b = bench();
  const { config, weights } = await tinyCheckpoint({ tied: false, vocab: 265, hidden: 128 });
  const random = createRandom(9);
  const { metadata, tensors } = ggufOf(config, weights);
  const typed = tensors.map((t): GgufTensorSpec => (t.shape.length === 1 ? t : randomTensor(t.name as string, "Q4_0", t.shape as number[], random)));
  writeFileSync(b.path("tiny.gguf"), buildGguf({ metadata, tensors: typed }));
  for (const [file, spec] of splitGguf({ metadata, tensors: typed }, "split", 2)) writeFileSync(b.path(file), buildGguf(spec));
});
afterAll(() => b.remove());

test("blocks are not moved bit for bit where a path holds a part of them: the file keeps the rest", () => {
  const rules = [{ match: "^layers", scheme: "source", rank: 16, power: 1, split: "ipa" }, { match: ".*", scheme: "source" }]; // biome-ignore format: one line
  writeFileSync(b.path("split.json"), JSON.stringify({ name: "split", method: "source", cache: "f16", rules }));
  writeFileSync(b.path("text.txt"), "A part of the weights is taken out of them before they are rounded. ".repeat(60));
  const report = b.json("compress", "tiny.gguf", "--recipe", "split.json", "--calibration", "text.txt", "--calibration-tokens", "500", "--out", "split.skint");
  const split = report.matrices.filter((m: { path?: unknown }) => m.path);
  expect(split).toHaveLength(14);
  for (const m of split) {
    expect(m.relativeSquaredError, m.name).toBeGreaterThan(0.1);
    expect(m.path.output.measured, m.name).toBeLessThan(0.05);
  }
});

const write = (model: string) => b.json("run", model, "hello 7 worlds", "--temperature", "0", "--max-tokens", "12", "--threads", "1").text;

test("run takes it as it is: the text is that of the compressed file and of its split", () => {
  const text = write("tiny.gguf");
  expect(text.length).toBeGreaterThan(0);
  expect(write(PART)).toBe(text);
  const report = b.json("compress", "tiny.gguf", "--recipe", "source", "--out", "source.skint");
  expect(report).toMatchObject({ recipe: "source", golden: true });
  expect(report.matrices).toHaveLength(16);
  for (const m of report.matrices) expect(m).toMatchObject({ scheme: "q4g32m", relativeSquaredError: 0 });
  expect(write("source.skint")).toBe(text);
});

test("what is wrong with it is told in a line", () => {
  writeFileSync(b.path("bad.gguf"), "GGUF?");
  for (const [file, code, status] of [
    ["bad.gguf", "format.", 1],
    ["none.gguf", "file.missing", 3],
  ] as const) {
    const { exit, err } = b.skint("run", file, "hello");
    expect(exit).toBe(status);
    expect(err).toContain(code);
    expect(err.trim().split("\n").length).toBeLessThan(4);
  }
});
