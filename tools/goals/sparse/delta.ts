// Streams of images by what changed: digits that move slowly, and noise. models/mnist in int8, one thread.
import { memorySource } from "../../../runtime/io/source.ts";
import { createRandom } from "../../../runtime/num/random.ts";
import { type ImageModel, loadImageModel } from "../../../runtime/session/images/model.ts";
import { median } from "../../../runtime/stats/quantile.ts";
import { openDevice, packFolder } from "../../cli/model.ts";
import { DIGIT_SIDE, digitsMissing, heldOutDigits } from "../digits.ts";
import type { Absent, Measured } from "../goal.ts";

const MODEL = "models/mnist";
const DIGITS = 200;
/** Images of each digit: a second at 30 a second. */
const FRAMES = 30;
/** Places that a digit moves an image, up and down by two: 7.5 a second. */
const SPEED = 0.25;
const PIXELS = DIGIT_SIDE * DIGIT_SIDE;

/** Where multiply-adds are counted, layers go by events up to this share of changes on every machine; where time is, up to what the load measured. */
const LIMIT = 0.6;

async function withModel<T>(recipe: string, use: (model: ImageModel) => Promise<T>, limit?: number): Promise<T> {
  const { env } = await openDevice({ threads: 1 });
  const model = await loadImageModel(memorySource(await packFolder(MODEL, env, recipe), MODEL), env, { stream: recipe === "source" ? undefined : true, limit });
  try {
    return await use(model);
  } finally {
    model.close();
  }
}

/** To and fro between -2 and 2. */
const swing = (t: number) => Math.round(Math.abs(((t + 2) % 8) - 4) - 2);

/** Held-out digits that move, each for a second, and what they are. */
export function* movingDigits(digits: number): Generator<{ image: Uint8Array; label: number }> {
  const { images, labels } = heldOutDigits();
  for (let i = 0; i < digits; i++)
    for (let f = 0; f < FRAMES; f++) {
      const [dy, dx] = [swing(SPEED * f), swing(1.37 * SPEED * f + 1)];
      const image = new Uint8Array(PIXELS);
      for (let r = Math.max(0, dy); r < DIGIT_SIDE + Math.min(0, dy); r++)
        for (let q = Math.max(0, dx); q < DIGIT_SIDE + Math.min(0, dx); q++) image[r * DIGIT_SIDE + q] = images[i * PIXELS + (r - dy) * DIGIT_SIDE + q - dx];
      yield { image, label: labels[i] };
    }
}

const best = (scores: Float32Array) => scores.indexOf(Math.max(...scores));

/** Multiply-adds of computing all over those of the stream, its first image left out. */
export async function macs(): Promise<Measured | Absent> {
  const absent = digitsMissing();
  if (absent) return { absent };
  const count = async (model: ImageModel) => {
    const stream = model.stream();
    const done = () => stream.stats.reduce((sum, l) => [sum[0] + l.macs, sum[1] + l.denseMacs], [0, 0]);
    let first: number[] | undefined;
    for (const { image } of movingDigits(DIGITS)) {
      await stream.push(image);
      first ??= done();
    }
    const [all, begin] = [done(), first as number[]];
    const layers = stream.stats.map((l) => `${l.name} ${(100 * l.density).toFixed(0)} %`).join(", ");
    return { value: (all[1] - begin[1]) / (all[0] - begin[0]), note: `${DIGITS} digits that move ${SPEED} places an image, ${FRAMES} images each; inputs that changed: ${layers}` };
  };
  return withModel("w8", count, LIMIT);
}

/** Points of accuracy that the int8 stream loses against the f32 network on each image. */
export async function loss(): Promise<Measured | Absent> {
  const absent = digitsMissing();
  if (absent) return { absent };
  const right = (recipe: string) =>
    withModel(
      recipe,
      async (model) => {
        const stream = recipe === "source" ? undefined : model.stream();
        let [hits, seen] = [0, 0];
        for (const { image, label } of movingDigits(DIGITS)) {
          hits += best(await (stream ? stream.push(image) : model.classify(image))) === label ? 1 : 0;
          seen++;
        }
        return hits / seen;
      },
      LIMIT,
    );
  const [floats, bytes] = [await right("source"), await right("w8")];
  return { value: 100 * (floats - bytes), note: `f32 ${(100 * floats).toFixed(2)} %, int8 stream ${(100 * bytes).toFixed(2)} %; the stream gives the bits of the int8 network` };
}

const ROUNDS = 25;
const NOISE = 200;

/** Time of a stream of noise over the same images without a stream, in turns. */
export function worst(): Promise<Measured> {
  return withModel("w8", async (model) => {
    const random = createRandom(9);
    const images = Array.from({ length: NOISE }, () => Uint8Array.from({ length: PIXELS }, () => random.u32() & 255));
    const stream = model.stream();
    const time = async (step: (image: Uint8Array) => Promise<unknown>) => {
      const begin = performance.now();
      for (const image of images) await step(image);
      return performance.now() - begin;
    };
    const ratios: number[] = [];
    for (let round = 0; round < ROUNDS + 3; round++) {
      const [dense, delta] = [await time((image) => model.classify(image)), await time((image) => stream.push(image))];
      if (round >= 3) ratios.push(delta / dense);
    }
    ratios.sort((a, b) => a - b);
    return {
      value: median(ratios),
      low: ratios[Math.floor(ROUNDS / 4)],
      high: ratios[Math.floor((3 * ROUNDS) / 4)],
      note: `${ROUNDS} rounds of ${NOISE} images in turns, quartiles; layers go by events up to ${stream.stats.map((l) => `${(100 * l.limit.share).toFixed(0)} %`).join(", ")} changed (measured)`,
    };
  });
}
