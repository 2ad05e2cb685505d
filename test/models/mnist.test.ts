// models/mnist on 1,000 digits that it never saw: f32 as the card says, int8 and int4 as good, and the same bits on every build and number of threads.
import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { memorySink, memorySource } from "../../runtime/io/source.ts";
import { type ImageModel, loadImageModel } from "../../runtime/session/images/model.ts";
import type { WasmOptions } from "../../targets/devices/wasm/device.ts";
import { openDevice } from "../../tools/cli/model.ts";
import { compressModel } from "../../tools/compress/compress.ts";
import { openAny } from "../../tools/compress/open.ts";
import { recipeNamed } from "../../tools/compress/recipe.ts";
import { accuracy, digitsMissing, heldOutDigits } from "../../tools/goals/digits.ts";

const FOLDER = "models/mnist";
const missing = digitsMissing();
const opened: ImageModel[] = [];

async function pack(recipe: string): Promise<Uint8Array> {
  const { env } = await openDevice({ threads: 1 });
  const checkpoint = await openAny(FOLDER);
  try {
    const sink = memorySink();
    await compressModel(checkpoint, sink, env, { recipe: recipeNamed(recipe), golden: "always" });
    return sink.bytes();
  } finally {
    await checkpoint.store.close();
  }
}

async function load(bytes: Uint8Array, options: WasmOptions = { threads: 1 }): Promise<ImageModel> {
  const { env } = await openDevice(options);
  const model = await loadImageModel(memorySource(bytes, "mnist.skint"), env);
  opened.push(model);
  return model;
}

afterAll(() => {
  for (const model of opened) model.close();
});

describe("1,000 digits", () => {
  async function right(recipe: string): Promise<number> {
    const { images, labels } = heldOutDigits();
    return accuracy(await (await load(await pack(recipe))).classify(images), labels);
  }

  test("f32 is as accurate as the card says", async (context) => {
    if (missing) return context.skip(missing);
    const card = JSON.parse(readFileSync(`${FOLDER}/card.json`, "utf8"));
    expect(await right("source")).toBeCloseTo(card.evaluation.held_out_accuracy, 3);
  });

  test.for(["w8", "w4"])("%s loses at most half a point", async (recipe, context) => {
    if (missing) return context.skip(missing);
    expect(await right(recipe)).toBeGreaterThanOrEqual((await right("source")) - 0.005);
  });
});

test("the network takes at most 100 KB, a fifth of it in int8", async () => {
  const [floats, bytes] = [await pack("source"), await pack("w8")];
  expect(floats.length).toBeLessThan(100_000);
  expect(bytes.length).toBeLessThan(32_000);
});

test.each(["w8", "w4"])("%s gives the same bits on every build, number of threads and size of steps", async (recipe) => {
  const bytes = await pack(recipe);
  const images = Uint8Array.from({ length: 5 * 784 }, (_, i) => (i * 37) & 255);
  const want = await (await load(bytes, { isa: "scalar" })).classify(images);
  expect(new Set(want).size).toBeGreaterThan(10);
  for (const options of [
    { isa: "simd", threads: 1 },
    { isa: "simd", threads: 2 },
  ] as const)
    expect(await (await load(bytes, options)).classify(images)).toEqual(want);
  const one = await load(bytes);
  expect(await one.classify(images.subarray(784, 2 * 784))).toEqual(want.slice(10, 20));
});

test("a damaged pack is found by its golden image", async () => {
  const bytes = (await pack("w8")).slice();
  const { env } = await openDevice({ threads: 1 });
  bytes[bytes.length - 5000] ^= 0x40;
  await expect(loadImageModel(memorySource(bytes, "mnist.skint"), env)).rejects.toMatchObject({ code: expect.stringMatching(/^(format\.hash|model\.golden)$/) });
});

test("bytes that are no whole number of images, recipes without convolutions, and a text prompt's loader are refused", async () => {
  const model = await load(await pack("w8"));
  await expect(model.classify(new Uint8Array(785))).rejects.toMatchObject({ code: "usage" });
  await expect(pack("t2")).rejects.toMatchObject({ code: "recipe.invalid" });
});
