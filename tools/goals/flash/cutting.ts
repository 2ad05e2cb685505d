// One cut of the link behind some byte: does anything then claim a success that is none, and does the same call finish once the link is whole?
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SkintError } from "../../../runtime/errors.ts";
import { createRandom } from "../../../runtime/num/random.ts";
import type { Line } from "../../../targets/devices/fpga/link/line.ts";
import { Flasher, type FlashReport } from "../../../targets/flash/flasher.ts";
import type { Extent } from "../../../targets/flash/image/extent.ts";
import type { LineProtocol, Target, Twin } from "../../../targets/flash/protocol.ts";
import { targetOf } from "../../../targets/flash/targets.ts";
import { sha256 } from "../../../targets/hosts/node/hash.ts";
import { buildLoader, loaderSimulator } from "../../../targets/hosts/node/loader-simulator.ts";

/** A board that is flashed over a line. */
export const lineTarget = (board: string) => targetOf(board) as { target: Target; protocol: LineProtocol };

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

/** Cuts of one image on its way to one board. */
export interface Cuts {
  readonly board: string;
  readonly image: number;
  /** Before the Verilated loader instead of the twin. */
  readonly verilated: boolean;
  /** Bytes on the line, both ways counted, behind which it is cut: a run each. */
  readonly places: readonly number[];
}

export interface Outcome {
  readonly falseSuccesses: number;
  /** Second runs, over a line that is whole, that did not leave the image there and started. */
  readonly stuck: number;
}

/** @param after bytes on the line */
async function cutAt(after: number, twin: Twin, protocol: LineProtocol, target: Target, image: Extent): Promise<Outcome> {
  const claimed = await flashOver(cutLine(twin.line, after), protocol, target, image).catch((e) => {
    if (!(e instanceof SkintError)) throw e;
  });
  const falseSuccess = claimed !== undefined && !holds(twin, image, claimed.confirmed);
  twin.reset();
  const again = await flashOver(twin.line, protocol, target, image).catch((e) => {
    if (!(e instanceof SkintError)) throw e;
  });
  return { falseSuccesses: Number(falseSuccess), stuck: Number(again === undefined || !holds(twin, image)) };
}

/** The Verilated loader for one cut, and what is left of it. */
async function withVerilated<T>(target: Target, what: (twin: Twin) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "skint-cuts-"));
  const twin = loaderSimulator(await buildLoader(target), folder);
  try {
    return await what(twin);
  } finally {
    await twin.line.close();
    rmSync(folder, { recursive: true });
  }
}

/** Does one cut after the other, each of a board whose memory is empty and which was just switched on. */
export async function cutAll({ board, image: bytes, verilated, places }: Cuts): Promise<Outcome> {
  const { target, protocol } = lineTarget(board);
  const image = madeUp(target, bytes);
  const twin = protocol.twin(target);
  const fresh = () => {
    twin.reset();
    twin.memory.bytes.fill(0xff);
    return twin;
  };
  let [falseSuccesses, stuck] = [0, 0];
  for (const after of places) {
    const one = await (verilated ? withVerilated(target, (sim) => cutAt(after, sim, protocol, target, image)) : cutAt(after, fresh(), protocol, target, image));
    falseSuccesses += one.falseSuccesses;
    stuck += one.stuck;
  }
  return { falseSuccesses, stuck };
}

/** Bytes on the line of a whole run, and how many there were at each boundary of sectors, when comparing, writing and checking. */
export async function measureTraffic(board: string, bytes: number): Promise<{ total: number; boundaries: number[] }> {
  const { target, protocol } = lineTarget(board);
  const image = madeUp(target, bytes);
  const line = cutLine(protocol.twin(target).line, Number.POSITIVE_INFINITY);
  const boundaries: number[] = [];
  await flashOver(line, protocol, target, image, () => boundaries.push(line.carried));
  return { total: line.carried, boundaries };
}
