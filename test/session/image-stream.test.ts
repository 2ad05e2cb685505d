// Streams of images: the answers of the network itself, bit for bit, however much changes; state per stream; what was done is counted.
import { afterAll, expect, test } from "vitest";
import { memorySource } from "../../runtime/io/source.ts";
import { createRandom } from "../../runtime/num/random.ts";
import { type ImageModel, type ImageModelOptions, loadImageModel } from "../../runtime/session/images/model.ts";
import type { WasmOptions } from "../../targets/devices/wasm/device.ts";
import { openDevice, packFolder } from "../../tools/cli/model.ts";

const SIDE = 28;
const PIXELS = SIDE * SIDE;
const opened: ImageModel[] = [];
const packs = new Map<string, Promise<Uint8Array>>();

async function load(options: ImageModelOptions = { stream: true }, on: WasmOptions = { threads: 1 }, recipe = "w8"): Promise<ImageModel> {
  const { env } = await openDevice(on);
  const pack = packs.get(recipe) ?? packFolder("models/mnist", env, recipe);
  packs.set(recipe, pack);
  const model = await loadImageModel(memorySource(await pack, "mnist.skint"), env, options);
  opened.push(model);
  return model;
}

afterAll(() => {
  for (const model of opened) model.close();
});

/** A square that moves, over a background that now and then changes as a whole. */
function* film(frames: number, noise: number, seed = 3): Generator<Uint8Array> {
  const random = createRandom(seed);
  const ground = new Uint8Array(PIXELS);
  for (let f = 0; f < frames; f++) {
    if (f % 23 === 22) for (let i = 0; i < PIXELS; i++) ground[i] = random.u32() & 63;
    const image = ground.slice();
    for (let r = 0; r < 8; r++) for (let q = 0; q < 8; q++) image[((r + (f >> 1)) % SIDE) * SIDE + ((q + f) % SIDE)] = 180 + 8 * q;
    for (let i = 0; i < PIXELS; i++) if (random.f64() < noise) image[i] = random.u32() & 255;
    yield image;
  }
}

test.each([
  ["w8", { isa: "scalar" }, 12],
  ["w8", { isa: "simd", threads: 1 }, 120],
  ["w4", { isa: "simd", threads: 2 }, 120],
] as const)("%s on %o: every answer is that of the network", async (recipe, on, frames) => {
  const model = await load({ stream: true }, on, recipe);
  for (const noise of [0, 0.02, 0.3, 1]) {
    const stream = model.stream();
    for (const image of film(frames, noise)) expect(await stream.push(image)).toEqual(await model.classify(image));
  }
});

test("little change is little work; noise goes the dense way and is looked at less and less often", async () => {
  const model = await load();
  const quiet = model.stream();
  for (const image of film(20, 0)) await quiet.push(image);
  expect(quiet.stats.map((l) => l.name)).toEqual(["layers.0", "layers.1", "layers.2", "head"]);
  expect(quiet.stats[0], "all of the first image only").toMatchObject({ dense: 1, sparse: 19 });
  expect(quiet.stats[0].macs).toBeLessThan(quiet.stats[0].denseMacs / 3);
  expect(quiet.stats[0].density).toBeLessThan(0.2);
  const noisy = model.stream();
  for (const image of film(50, 1)) await noisy.push(image);
  const [first] = noisy.stats;
  expect(first.density).toBeGreaterThan(0.9);
  expect(first).toMatchObject({ sparse: 0, dense: 50, macs: first.denseMacs });
});

test("an image twice is no work at all", async () => {
  const model = await load();
  const stream = model.stream();
  const [image] = film(1, 0.5);
  await stream.push(image);
  const before = stream.stats.map((l) => l.macs);
  await stream.push(image);
  expect(stream.stats.map((l) => l.macs)).toEqual(before);
});

test("streams of one model take turns and do not mix; refresh and reset compute all anew", async () => {
  const model = await load();
  const [one, other] = [model.stream(), model.stream({ refresh: 4 })];
  const films = [film(12, 0.05, 1), film(12, 0.05, 2)];
  for (let f = 0; f < 12; f++)
    for (const [i, stream] of [one, other].entries()) {
      const image = films[i].next().value as Uint8Array;
      expect(await stream.push(image)).toEqual(await model.classify(image));
    }
  expect(one.stats[0].dense, "each turn begins with a whole image").toBe(12);
  const alone = model.stream({ refresh: 4 });
  for (const image of film(12, 0, 3)) await alone.push(image);
  expect(alone.stats[0].dense).toBe(3);
  alone.reset();
  const [image] = film(1, 0, 4);
  expect(await alone.push(image)).toEqual(await model.classify(image));
  expect(alone.stats[0]).toMatchObject({ dense: 1, sparse: 0 });
});

test("layers can be chosen; what cannot be a stream is refused", async () => {
  const some = await load({ stream: ["layers.1"] });
  const stream = some.stream();
  for (const image of film(10, 0.02)) expect(await stream.push(image)).toEqual(await some.classify(image));
  expect(stream.stats.map((l) => l.name)).toEqual(["layers.1"]);
  await expect(stream.push(new Uint8Array(PIXELS - 1))).rejects.toMatchObject({ code: "usage" });
  expect(() => some.stream({ refresh: -1 })).toThrow(expect.objectContaining({ code: "usage" }));
  const plain = await load({});
  expect(() => plain.stream()).toThrow(expect.objectContaining({ code: "usage" }));
});
