// The link is cut behind some byte: does anything then claim a success that is none, and does the same call finish once the link is whole?
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SkintError, throwIfAborted } from "../../../runtime/errors.ts";
import { createRandom, type Random } from "../../../runtime/num/random.ts";
import type { Line } from "../../../targets/devices/fpga/link/line.ts";
import { Flasher, type FlashReport } from "../../../targets/flash/flasher.ts";
import type { Extent } from "../../../targets/flash/image/extent.ts";
import type { LineProtocol, Target, Twin } from "../../../targets/flash/protocol.ts";
import { targetOf } from "../../../targets/flash/targets.ts";
import { sha256 } from "../../../targets/hosts/node/hash.ts";
import { buildLoader, loaderSimulator } from "../../../targets/hosts/node/loader-simulator.ts";
import { lacksSimulator } from "../../../targets/hosts/node/simulator.ts";
import type { GoalContext, Measured } from "../goal.ts";

const SMALL = 2048;
/** An image of the UP5K. */
const WHOLE = 104_090;
const RANDOM_CUTS = 1000;
const VERILATED_CUTS = 50;
/** Boards whose loaders are cut at every byte of the small image. */
const BOARDS = ["icebreaker", "tinyfpga-bx", "bluepill", "arduino-uno"];

/** A line that carries so many bytes, both ways counted, and then nothing. `carried` goes on counting what went through. */
export function cutLine(line: Line, after: number): Line & { readonly carried: number } {
  let carried = 0;
  const pass = (bytes: Uint8Array) => {
    const through = bytes.subarray(0, Math.max(0, after - carried));
    carried += through.length;
    return through;
  };
  return {
    ...line,
    get carried() {
      return carried;
    },
    async write(bytes) {
      const through = pass(bytes);
      if (through.length) await line.write(through);
    },
    read: async (ms) => pass(await line.read(ms)),
  };
}

export const digest = (bytes: Uint8Array): string => {
  const hasher = sha256();
  hasher.update(bytes);
  return hasher.digest();
};

/** Bytes at the beginning of a board's region, some of them in the middle FF. */
export function madeUp(target: Target, bytes: number, seed = 9): Extent {
  const random = createRandom(seed);
  const image = Uint8Array.from({ length: bytes }, () => random.below(256));
  image.fill(0xff, bytes >> 1, (bytes >> 1) + (bytes >> 3));
  return { start: target.region.start, bytes: image };
}

export async function flashOver(line: Line, protocol: LineProtocol, target: Target, image: Extent, onProgress?: () => void): Promise<FlashReport> {
  const chip = await protocol.connect(line, target);
  return new Flasher(chip, target, line.name, { hash: digest, onProgress }).flash(image, "made-up");
}

/** Does the twin have the image, and, where a start counts, has it started it? */
export function holds({ memory, booted }: Twin, { start, bytes }: Extent, started = true): boolean {
  return (booted || !started) && bytes.every((b, i) => b === memory.bytes[start - memory.base + i]);
}

interface Outcome {
  readonly falseSuccess: boolean;
  readonly resumed: boolean;
}

/** @param after bytes on the line */
async function cutAt(after: number, twin: Twin, protocol: LineProtocol, target: Target, image: Extent): Promise<Outcome> {
  const claimed = await flashOver(cutLine(twin.line, after), protocol, target, image).catch((e) => {
    if (!(e instanceof SkintError)) throw e;
  });
  const falseSuccess = claimed !== undefined && !holds(twin, image, claimed.confirmed);
  twin.reset();
  await flashOver(twin.line, protocol, target, image);
  return { falseSuccess, resumed: holds(twin, image) };
}

/** Bytes on the line of a whole run, and how many there were at each boundary of sectors, when comparing, writing and checking. */
async function measureTraffic(protocol: LineProtocol, target: Target, image: Extent): Promise<{ total: number; boundaries: number[] }> {
  const line = cutLine(protocol.twin(target).line, Number.POSITIVE_INFINITY);
  const boundaries: number[] = [];
  await flashOver(line, protocol, target, image, () => boundaries.push(line.carried));
  return { total: line.carried, boundaries };
}

/** Cuts of the Verilated loader; undefined where it cannot be built. */
async function cutVerilated(random: Random, judge: (outcome: Outcome) => void, { signal, note }: GoalContext): Promise<string> {
  const why = await lacksSimulator("loader");
  if (why) return why;
  const { target, protocol } = targetOf("icebreaker") as { target: Target; protocol: LineProtocol };
  const image = madeUp(target, SMALL);
  const { total } = await measureTraffic(protocol, target, image);
  const program = await buildLoader(target, signal);
  note(`flash.cuts: the Verilated loader, ${VERILATED_CUTS} places`);
  for (let i = 0; i < VERILATED_CUTS; i++) {
    const folder = mkdtempSync(join(tmpdir(), "skint-cuts-"));
    const twin = loaderSimulator(program, folder);
    try {
      judge(await cutAt(random.below(total), twin, protocol, target, image));
    } finally {
      await twin.line.close();
      rmSync(folder, { recursive: true });
    }
  }
  return `${VERILATED_CUTS} of the Verilated loader`;
}

/** Every byte of a small image on each twin; of a whole one random places, and those about each boundary of sectors; some of the Verilated loader. */
export async function falseSuccesses(context: GoalContext): Promise<Measured> {
  const { signal, note } = context;
  let [wrong, stuck, cuts] = [0, 0, 0];
  const judge = ({ falseSuccess, resumed }: Outcome) => {
    cuts++;
    if (falseSuccess) wrong++;
    if (!resumed) stuck++;
  };
  const run = async (board: string, bytes: number, placesOf: (traffic: { total: number; boundaries: number[] }) => number[]) => {
    const { target, protocol } = targetOf(board) as { target: Target; protocol: LineProtocol };
    const image = madeUp(target, bytes);
    const traffic = await measureTraffic(protocol, target, image);
    const places = placesOf(traffic);
    note(`flash.cuts: ${board}, ${places.length} places in ${traffic.total} bytes`);
    for (const after of places) {
      throwIfAborted(signal, "flash.cuts");
      judge(await cutAt(after, protocol.twin(target), protocol, target, image));
    }
    return places.length;
  };
  const random = createRandom(4);
  for (const board of BOARDS) await run(board, SMALL, ({ total }) => Array.from({ length: total }, (_, i) => i));
  const whole = await run("icebreaker", WHOLE, ({ total, boundaries }) => [
    ...Array.from({ length: RANDOM_CUTS }, () => random.below(total)),
    ...boundaries.flatMap((b) => [b - 1, b, b + 1]),
  ]);
  const verilated = await cutVerilated(random, judge, context);
  const done = stuck === 0 ? "the second run finished each" : `${stuck} second runs did not finish`;
  return { value: wrong + stuck, note: `${cuts} cuts: every byte of ${SMALL} on ${BOARDS.join(", ")}; ${whole} places of ${WHOLE} bytes; ${verilated}; ${done}` };
}
