// Bursts of bytes that a device answers: requests, good, damaged and cut, and noise; never more than two frames, which is what a host may send unanswered.
import { createRandom, type Random } from "../../../runtime/num/random.ts";
import { encodeFrame, FRAME_TYPES, FrameParser } from "../../../targets/devices/fpga/link/frame.ts";
import type { Line } from "../../../targets/devices/fpga/link/line.ts";
import { encodeRange, encodeWrite, type Hello, MEMORIES, mostWords, OPS } from "../../../targets/devices/fpga/link/protocol.ts";
import type { TwinDevice } from "../../../targets/devices/fpga/twin/device.ts";
import { encodeLayer, type Layer } from "../../../targets/devices/fpga/twin/layer.ts";

export interface BurstOptions {
  /** Words in the longest WRITE. */
  readonly words: number;
  /** Draws where `words` words of a memory begin. */
  readonly address: (random: Random, memory: number, words: number) => number;
  /** Draws where a RUN begins. */
  readonly first: (random: Random) => number;
}

export function burst(random: Random, seq: number, { words, address, first }: BurstOptions): Uint8Array {
  const bytes = (n: number) => Uint8Array.from({ length: n }, () => random.below(256));
  const write = () => {
    const memory = random.below(4);
    const body = bytes(random.below(10) ? 8 * (1 + random.below(words)) : random.below(20));
    return encodeWrite(memory, address(random, memory, Math.ceil(body.length / 8)), body);
  };
  const payloads: Record<number, () => Uint8Array> = {
    [OPS.write]: write,
    [OPS.read]: () => encodeRange(random.below(4), random.below(65536), random.below(34)),
    [OPS.sum]: () => encodeRange(random.below(3), random.below(65536), random.below(50)),
    [OPS.run]: () => encodeRange(0, first(random), random.below(3)),
    7: () => bytes(random.below(9)),
  };
  const one = () => {
    const op = [1, 2, 3, 4, 7, 1, 2][random.below(7)];
    return encodeFrame({ type: FRAME_TYPES.request, op, seq: (seq + (random.below(4) ? 0 : random.below(256))) & 255, flags: 0, payload: payloads[op]() });
  };
  const frame = one();
  if (random.below(5) === 0) frame[random.below(frame.length)] ^= 1 << random.below(8);
  const whole = random.below(6) === 0 ? frame.subarray(0, random.below(frame.length)) : frame;
  return random.below(4) === 0 ? Uint8Array.from([...bytes(random.below(30)), ...whole]) : whole;
}

/** A layer for bursts to run: its words among the parameters are 0 and 1, those of its rows 8 … 10. */
export const BURST_LAYER: Layer = { mode: "int8", rows: 3, steps: 4, weights: 0, activations: 0, results: 200, parameters: 8, requantise: true, relu: false };
/** Words of the parameters that bursts leave alone, and where there is no layer. */
const KEPT_WORDS = 8;
const NO_LAYER = 4;

/** Of devices whose memories are small: all that is written lies in them, and what is run is BURST_LAYER or none. */
export function gentle(hello: Hello): BurstOptions {
  return {
    words: mostWords(hello),
    address: (random, memory, words) => (memory === MEMORIES.parameters ? KEPT_WORDS + random.below(hello.words.parameters - KEPT_WORDS - words + 1) : random.below(65536)),
    first: (random) => (random.below(3) ? 0 : NO_LAYER),
  };
}

/** Waits of so many milliseconds, one after the other, in which a device that is at work must say something. */
const WAITS = 20;
const WAIT = 250;
/** Milliseconds of silence in which a device forgets a frame that is not whole. An emulator that the machine keeps from running may take longer. */
const SILENCE = 300;
const LONG_SILENCE = 1500;
/** Bursts to one device, before the next begins anew. */
const PORTION = 300;
/** Differing bursts after which no more are sent: they come of one another. */
const ENOUGH = 3;

/** What a device said, without the clocks that its runs took; frames as texts, anything else counted. */
function said(bytes: Uint8Array): string[] {
  const parser = new FrameParser([FRAME_TYPES.reply, FRAME_TYPES.nak]);
  const frames: string[] = [];
  for (const b of bytes) {
    const parsed = parser.push(b);
    if (!parsed) continue;
    if ("damaged" in parsed) frames.push("damaged");
    else {
      const { type, op, seq, flags, payload } = parsed.frame;
      frames.push([type, op, seq, flags, Buffer.from(type === FRAME_TYPES.reply ? payload.subarray(4) : payload).toString("hex")].join());
    }
  }
  parser.quiet();
  return [...frames, `${parser.skipped} bytes beside`];
}

/** A device that was just switched on, and its twin, which says of itself the same. */
export interface Pair {
  readonly line: Line;
  readonly twin: TwinDevice;
}

/**
 * Bursts to devices and to their twins; gives the bursts that were answered differently. Where a device's time is that of the wall, a silence may have
 * been too short for it: its bursts count as different if they are so again, to a device switched on anew and with longer silence.
 */
export async function differingBursts(open: () => Promise<Pair>, seed: number, count: number, wallTime: boolean): Promise<string[]> {
  const attempt = async (portion: number, silence: number) => {
    const pair = await open();
    try {
      return await differing(pair, createRandom(seed + portion), Math.min(PORTION, count - portion * PORTION), silence);
    } finally {
      await pair.line.close();
    }
  };
  for (let portion = 0; portion * PORTION < count; portion++) {
    let wrong = await attempt(portion, SILENCE);
    if (wrong.length > 0 && wallTime) wrong = await attempt(portion, LONG_SILENCE);
    if (wrong.length > 0) return wrong;
  }
  return [];
}

/**
 * Bursts over a line and to the twin; gives the bursts that were answered differently, the first few.
 * At the end both say how many frames were good and how many were not.
 */
async function differing({ line, twin }: Pair, random: Random, count: number, silence: number): Promise<string[]> {
  const wrong: string[] = [];
  let seq = 0;
  const both = async (bytes: Uint8Array, what: string) => {
    const want = twin.feed(bytes);
    await line.write(bytes);
    const got: number[] = [];
    for (let vain = 0; got.length < want.length && vain < WAITS; vain++) {
      const part = await line.read(WAIT);
      got.push(...part);
      if (part.length > 0) vain = 0;
    }
    if (twin.within) {
      for (let part = await line.read(silence); part.length > 0; part = await line.read(silence)) got.push(...part);
      twin.quiet();
    }
    const [a, b] = [said(Uint8Array.from(got)), said(want)];
    if (a.join() !== b.join()) wrong.push(`${what}: ${Buffer.from(bytes).toString("hex")}\n  said ${a.join(" ")}\n  want ${b.join(" ")}`);
    return b[0];
  };
  const request = (op: number, payload: Uint8Array) => encodeFrame({ type: FRAME_TYPES.request, op, seq, flags: 0, payload });
  await both(request(OPS.status, new Uint8Array(0)), "before a session");
  await both(request(OPS.hello, new Uint8Array(0)), "HELLO");
  seq++;
  await both(request(OPS.write, encodeWrite(MEMORIES.parameters, 0, encodeLayer(BURST_LAYER))), "the layer");
  seq++;
  const options = gentle(twin.hello);
  for (let i = 0; i < count && wrong.length < ENOUGH; i++) {
    const first = await both(burst(random, seq, options), `burst ${i}`);
    // the sequence goes on where the device did something: a reply to `seq`
    if (first.startsWith(`${FRAME_TYPES.reply},`) && Number(first.split(",")[2]) === seq) seq = (seq + 1) & 255;
  }
  await both(request(OPS.status, new Uint8Array(0)), "the end");
  return wrong;
}
