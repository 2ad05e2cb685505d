// Does CoDeNet's engine compute? Two small passes, a convolution of int4 before a square-deformable depthwise one, and a convolution of int8 with a stride:
// their bytes on the device have to be those of the twin.
import { createRandom, type Random } from "../../../../runtime/num/random.ts";
import type { Session } from "../link/session.ts";
import { convWords, packPass } from "./pack.ts";
import { DEEP_WORDS, encodePass, PASS_BYTES, type Pass, SLICE, stepsOf } from "./pass.ts";

const CHANNELS = 16;
const WORDS = CHANNELS / SLICE;
const SHIFT = 16;

interface Job {
  readonly name: string;
  readonly height: number;
  readonly width: number;
  readonly size: number;
  readonly stride: number;
  readonly nibbles: boolean;
  readonly deform: boolean;
}

const JOBS: readonly Job[] = [
  { name: "a convolution of int4 and a deformable one", height: 20, width: 12, size: 1, stride: 1, nibbles: true, deform: true },
  { name: "a convolution of int8", height: 9, width: 7, size: 3, stride: 2, nibbles: false, deform: false },
];

/** What a job gave. */
export interface Outcome {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly cycles: number;
  readonly macs: number;
}

const draw = (random: Random, n: number, most: number) => Int8Array.from({ length: n }, () => random.below(2 * most) - most);

async function runJob(session: Session, random: Random, { name, height, width, size, stride, nibbles, deform }: Job): Promise<Outcome> {
  const [ch, cw] = [height, width].map((side) => Math.ceil(side / stride));
  const taps = size * size;
  const quant = Array.from({ length: CHANNELS }, () => ({ scale: 60 + random.below(nibbles ? 1500 : 150), shift: SHIFT, bias: random.below(128), relu: true }));
  const conv = { codes: draw(random, CHANNELS * taps * CHANNELS, nibbles ? 8 : 128), outputs: CHANNELS, taps, channels: CHANNELS, nibbles, quant };
  const deep = deform ? { codes: draw(random, DEEP_WORDS * CHANNELS, 128), channels: CHANNELS, quant } : undefined;
  const packed = packPass(conv, deep);
  const image = draw(random, 8 * WORDS * height * width, 128);
  // Bytes of dilations 0 … 7, the zero of which is −128.
  const map = Int8Array.from({ length: 8 * Math.ceil((ch * cw) / 8) }, () => random.below(8) - 128);
  const x = PASS_BYTES / 8;
  const weights = x + image.length / 8;
  const dilation = weights + packed.length / 8;
  const y = dilation + map.length / 8;
  const pad = size >> 1;
  const sides = { width, height, cw, ch, size, pad, stride, xw: WORDS };
  const pass: Pass = {
    ...{ ...sides, x: x - pad * (stepsOf(sides).pitch + WORDS), y, weights, dilation, count: convWords(conv), slices: WORDS },
    ...{ conv: true, deep: deform, deform, byTwo: false, nibbles, bytes: false, shiftConv: SHIFT, shiftDeep: SHIFT },
  };
  await session.write("weights", 0, encodePass(pass));
  await session.write("weights", x, new Uint8Array(image.buffer));
  await session.write("weights", weights, packed);
  await session.write("weights", dilation, new Uint8Array(map.buffer));
  const cycles = await session.run(0, 1);
  const bytes = await session.read("weights", y, ch * cw * WORDS);
  return { name, bytes, cycles, macs: ch * cw * CHANNELS * (taps * CHANNELS + (deform ? DEEP_WORDS : 0)) };
}

/** @param seed the same gives the same jobs */
export async function runTestPasses(session: Session, seed: number): Promise<Outcome[]> {
  const random = createRandom(seed);
  const outcomes: Outcome[] = [];
  for (const job of JOBS) outcomes.push(await runJob(session, random, job));
  return outcomes;
}
