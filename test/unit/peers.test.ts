// What of the comparison with llama.cpp needs no peer: the f32 file it makes, its figures, and the advice where something is absent.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openGguf } from "../../runtime/formats/gguf/open.ts";
import { createRandom } from "../../runtime/num/random.ts";
import { openFile } from "../../targets/hosts/node/files.ts";
import { compareWithLlama, judge, topOf } from "../peers/compare.ts";
import { writeFloatGguf } from "../peers/float-gguf.ts";
import { buildGguf, field, list, randomTensor } from "../support/gguf.ts";

const folder = mkdtempSync(join(tmpdir(), "skint-peers-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the weights as f32: every value and all metadata as they were", async () => {
  const random = createRandom(5);
  const shapes = { F32: [3], F16: [5, 3], Q4_0: [7, 32], Q4_K: [2, 512] };
  const tensors = Object.entries(shapes).map(([dtype, shape]) => randomTensor(`${dtype}.weight`, dtype, shape, random));
  const metadata = {
    "general.alignment": field("u32", 64),
    "general.architecture": field("string", "llama"),
    "general.file_type": field("u32", 3),
    "tokenizer.ggml.tokens": list("string", ["a", "ü", ""]),
    "tokenizer.ggml.scores": list("f32", [0.1, -3]),
    "tokenizer.ggml.add_bos_token": field("bool", true),
  };
  const [from, to] = [join(folder, "from.gguf"), join(folder, "to.gguf")];
  writeFileSync(from, buildGguf({ metadata, tensors, alignment: 64 }));
  await writeFloatGguf(from, to);
  const [a, b] = [await openGguf(await openFile(from)), await openGguf(await openFile(to))];
  expect([...b.metadata.keys()]).toEqual([...a.metadata.keys()].filter((k) => k !== "general.alignment"));
  expect(b.metadata.list("tokenizer.ggml.tokens", "text")).toEqual(["a", "ü", ""]);
  expect(b.metadata.list("tokenizer.ggml.scores", "real")).toEqual([Math.fround(0.1), -3]);
  expect([b.metadata.flag("tokenizer.ggml.add_bos_token"), b.metadata.text("general.architecture")]).toEqual([true, "llama"]);
  for (const { name, shape } of a.tensors.values()) {
    const values = async (file: typeof a) => {
      const out = new Float32Array(shape.reduce((p, d) => p * d, 1));
      await file.readF32(name, 0, shape[0], out);
      return new Uint32Array(out.buffer);
    };
    expect(b.tensors.get(name)).toMatchObject({ dtype: "F32", shape });
    expect(await values(b)).toEqual(await values(a));
  }
  await Promise.all([a.close(), b.close()]);
});

test("figures of two runs", () => {
  const run = (logp: number[], top: number[]) => ({ logp: Float64Array.from(logp), top: Uint32Array.from(top), seconds: 1 });
  const p = judge(run([-1, -2, -3, -4], [1, 2, 3, 4]), run([-1, -2.5, -3, -4], [1, 2, 3, 5]));
  expect([p.top1, p.meanDlogp, p.maxDlogp]).toEqual([0.75, 0.125, 0.5]);
  expect(p.relativePpl).toBeCloseTo(1 - Math.exp(-0.125), 12);
  expect(topOf(Float32Array.of(-2, 3, 3, 1))).toBe(1);
});

test("an absent peer ends in advice", async () => {
  const before = process.env.SKINT_PEERS;
  process.env.SKINT_PEERS = folder;
  try {
    await expect(compareWithLlama()).rejects.toMatchObject({ code: "file.missing", message: expect.stringContaining("npm --prefix test/peers ci --ignore-scripts") });
  } finally {
    if (before === undefined) delete process.env.SKINT_PEERS;
    else process.env.SKINT_PEERS = before;
  }
});
