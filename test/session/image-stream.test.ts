// Streams of images: the answers of the network itself, bit for bit, however much changes; state per stream; what was done is counted.
import { afterAll, expect, test } from "vitest";
import { readEvents } from "../../runtime/image/events.ts";
import { memorySource } from "../../runtime/io/source.ts";
import { createRandom } from "../../runtime/num/random.ts";
import { type ImageModel, type ImageModelOptions, loadImageModel } from "../../runtime/session/images/model.ts";
import { ImageStream, type LayerStats } from "../../runtime/session/images/stream.ts";
import type { WasmOptions } from "../../targets/devices/wasm/device.ts";
import { openDevice, packFolder } from "../../tools/cli/model.ts";
import { depthwiseNet } from "../support/streams.ts";

const SIDE = 28;
const PIXELS = SIDE * SIDE;
const opened: ImageModel[] = [];
const packs = new Map<string, Promise<Uint8Array>>();

async function load(options: ImageModelOptions = { stream: true }, on: WasmOptions = { threads: 1 }, recipe = "w8"): Promise<ImageModel> {
  const { env } = await openDevice(on);
  const pack = packs.get(recipe) ?? packFolder("models/mnist", env, recipe);
  packs.set(recipe, pack);
  const model = await loadImageModel(memorySource(await pack, "mnist.skint"), env, { limit: 0.6, ...options });
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

test.each([
  ["w8", { isa: "scalar" }],
  ["w8", { isa: "simd", threads: 2 }],
  ["w4", { isa: "simd", threads: 1 }],
] as const)("depthwise convolutions, %s on %o: the outputs of the network; only windows that changed are made anew", async (numbers, on) => {
  const engine = await depthwiseNet(on, numbers);
  const stream = new ImageStream(engine);
  const random = createRandom(8);
  const image = Uint8Array.from({ length: engine.pixels }, () => random.u32() & 255);
  const seen = new Set<string>();
  for (let step = 0; step < 60; step++) {
    for (let i = 0; i < (step % 20 === 19 ? 300 : 2); i++) image[random.below(image.length)] = random.u32() & 255;
    const scores = await stream.push(image);
    await engine.run(image);
    expect(scores).toEqual(engine.scores(1));
    seen.add(scores.join());
  }
  expect(seen.size, "scores move").toBeGreaterThan(20);
  const deep = stream.stats.filter((l) => l.name.startsWith("deep"));
  expect(deep.map((l) => l.name)).toEqual(["deep", "deeper"]);
  for (const l of deep) {
    expect(l.sparse).toBeGreaterThan(30);
    expect(l.macs).toBeLessThan(l.denseMacs);
  }
  engine.program.close();
});

test("multiply-adds of depthwise convolutions are those of the windows that see a change", async () => {
  const engine = await depthwiseNet({ threads: 1 }, "w8");
  const stream = new ImageStream(engine);
  const image = new Uint8Array(engine.pixels).fill(7);
  await stream.push(image);
  const of = () => stream.stats.find((l) => l.name === "deep") as LayerStats;
  const before = of();
  expect(before).toMatchObject({ dense: 1, sparse: 0, macs: 6 * 6 * 9 * 20, denseMacs: 6 * 6 * 9 * 20 });
  const list = () => readEvents(engine.program.view("deep:events"), 12, 11, 20).counts;
  image[3 * (5 * 11 + 4)] ^= 0xff;
  await stream.push(image);
  const counts = list();
  let windows = 0;
  for (let r = 0; r < 6; r++)
    for (let q = 0; q < 6; q++) {
      let hit = false;
      for (let i = 0; i < 3; i++)
        for (let j = 0; j < 3; j++) {
          const [v, u] = [2 * r + i - 1, 2 * q + j - 1];
          if (v >= 0 && v < 12 && u >= 0 && u < 11 && counts[v * 11 + u] > 0) hit = true;
        }
      windows += hit ? 1 : 0;
    }
  expect(windows).toBeGreaterThan(0);
  expect(of().macs - before.macs).toBe(windows * 9 * 20);
  engine.program.close();
});

test("up to which share a layer goes by events is measured when a stream's model is loaded, by a clock; what is given stands; the answers are the same", async () => {
  const { env } = await openDevice({ threads: 1 });
  const bytes = await packFolder("models/mnist", env, "w8");
  // Each look at the clock is a while later: all ways take the same time, lists are never faster.
  let t = 0;
  const measured = await loadImageModel(memorySource(bytes, "mnist"), { ...env, now: () => ++t }, { stream: true });
  const given = await load({ stream: true, limit: 0.25 });
  opened.push(measured);
  const streams = [measured.stream(), given.stream()];
  for (const image of film(6, 0.02)) expect(await streams[0].push(image)).toEqual(await streams[1].push(image));
  expect(streams.map((s) => s.stats[0].limit)).toEqual([
    { share: 0, from: "measured" },
    { share: 0.25, from: "given" },
  ]);
  const still = await loadImageModel(memorySource(bytes, "mnist"), { ...env, now: () => 5 }, { stream: true });
  opened.push(still);
  expect(still.stream().stats[0].limit, "a clock that stands still tells nothing").toEqual({ share: 0.6, from: "default" });
  await expect(loadImageModel(memorySource(bytes, "mnist"), env, { stream: true, limit: 1.5 })).rejects.toMatchObject({ code: "usage" });
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
