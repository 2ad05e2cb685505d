// The link is cut behind some byte: does anything then claim a success that is none, and does the same call finish once the link is whole?
import { SkintError, throwIfAborted } from "../../../runtime/errors.ts";
import { createRandom } from "../../../runtime/num/random.ts";
import type { Line } from "../../../targets/devices/fpga/link/line.ts";
import { Flasher, type FlashReport } from "../../../targets/flash/flasher.ts";
import type { Extent } from "../../../targets/flash/image/extent.ts";
import type { LineProtocol, Target, Twin } from "../../../targets/flash/protocol.ts";
import { targetOf } from "../../../targets/flash/targets.ts";
import { sha256 } from "../../../targets/hosts/node/hash.ts";
import type { GoalContext, Measured } from "../goal.ts";
import { sumOf } from "./nor.ts";

const SMALL = 2048;
/** An image of the UP5K. */
const WHOLE = 104_090;
const RANDOM_CUTS = 1000;
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

/** Does the twin have the image, and has it started it? */
export function holds({ memory, booted }: Twin, { start, bytes }: Extent): boolean {
  return booted && bytes.every((b, i) => b === memory.bytes[start - memory.base + i]);
}

interface Outcome {
  readonly falseSuccess: boolean;
  readonly resumed: boolean;
}

/** @param after bytes on the line */
async function cutAt(after: number, protocol: LineProtocol, target: Target, image: Extent, tally: (twin: Twin) => void): Promise<Outcome> {
  const twin = protocol.twin(target);
  const claimed = await flashOver(cutLine(twin.line, after), protocol, target, image).then(
    () => true,
    (e) => {
      if (e instanceof SkintError) return false;
      throw e;
    },
  );
  const falseSuccess = claimed && !holds(twin, image);
  twin.reset();
  await flashOver(twin.line, protocol, target, image);
  tally(twin);
  return { falseSuccess, resumed: holds(twin, image) };
}

/** Bytes on the line of a whole run, and how many there were at each boundary of sectors, when comparing, writing and checking. */
async function measureTraffic(protocol: LineProtocol, target: Target, image: Extent): Promise<{ total: number; boundaries: number[] }> {
  const line = cutLine(protocol.twin(target).line, Number.POSITIVE_INFINITY);
  const boundaries: number[] = [];
  await flashOver(line, protocol, target, image, () => boundaries.push(line.carried));
  return { total: line.carried, boundaries };
}

/** Every byte of a small image on each twin; of a whole one random places, and those about each boundary of sectors. */
export async function falseSuccesses({ signal, note }: GoalContext): Promise<Measured> {
  let wrong = 0;
  let stuck = 0;
  let cuts = 0;
  const violations = new Map<string, number>();
  const at = async (after: number, board: string, image: Extent) => {
    throwIfAborted(signal, "flash.cuts");
    const { target, protocol } = targetOf(board);
    const { falseSuccess, resumed } = await cutAt(after, protocol as LineProtocol, target, image, (twin) => sumOf(twin, violations));
    cuts++;
    if (falseSuccess) wrong++;
    if (!resumed) stuck++;
  };
  for (const board of BOARDS) {
    const { target, protocol } = targetOf(board);
    const image = madeUp(target, SMALL);
    const { total } = await measureTraffic(protocol as LineProtocol, target, image);
    note(`flash.cuts: ${board}, ${total} bytes`);
    for (let after = 0; after < total; after++) await at(after, board, image);
  }
  const { target, protocol } = targetOf("icebreaker");
  const image = madeUp(target, WHOLE);
  const { total, boundaries } = await measureTraffic(protocol as LineProtocol, target, image);
  const random = createRandom(4);
  const places = [...Array.from({ length: RANDOM_CUTS }, () => random.below(total)), ...boundaries.flatMap((b) => [b - 1, b, b + 1])];
  note(`flash.cuts: ${places.length} places in ${total} bytes of a whole image`);
  for (const after of places) await at(after, "icebreaker", image);
  if (stuck) note(`flash.cuts: ${stuck} runs did not finish when they were taken up again`);
  const done = stuck === 0 ? "the second run finished each" : `${stuck} second runs did not finish`;
  return { value: wrong + stuck, note: `${cuts} cuts: every byte of ${SMALL} on ${BOARDS.join(", ")}; ${places.length} of ${WHOLE} bytes; ${done}` };
}
