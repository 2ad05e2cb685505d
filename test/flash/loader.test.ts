// The resident loader: its twin, and the Verilated one before the flash in C++, are the same to a line, byte for byte, and to the flash.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createRandom, type Random } from "../../runtime/num/random.ts";
import { crc32 } from "../../targets/devices/fpga/link/crc.ts";
import { encodeFrame, FRAME_TYPES, FrameParser } from "../../targets/devices/fpga/link/frame.ts";
import type { Line } from "../../targets/devices/fpga/link/line.ts";
import { encodeFetch, encodeProgram, LOADER_OPS, words32 } from "../../targets/devices/fpga/link/loader.ts";
import { OPS } from "../../targets/devices/fpga/link/protocol.ts";
import type { LineProtocol, Target, Twin } from "../../targets/flash/protocol.ts";
import { targetOf } from "../../targets/flash/targets.ts";
import { buildLoader, loaderSimulator } from "../../targets/hosts/node/loader-simulator.ts";
import { lacksSimulator } from "../../targets/hosts/node/simulator.ts";
import { cutLine, flashOver, holds, madeUp } from "../../tools/goals/flash/cutting.ts";

const { target, protocol } = targetOf("icebreaker") as { target: Target; protocol: LineProtocol };
const { start, end } = target.region;
const EMPTY = new Uint8Array(0);

let program: string;
let missing: string | undefined;
const folder = mkdtempSync(join(tmpdir(), "skint-loader-"));
let made = 0;
const open: Twin[] = [];

beforeAll(async () => {
  missing = await lacksSimulator("loader");
  if (!missing) program = await buildLoader(target);
}, 240_000);
afterAll(async () => {
  for (const t of open) await t.line.close();
  rmSync(folder, { recursive: true, force: true });
});

const KINDS = ["twin", "Verilated"] as const;

function loader(kind: (typeof KINDS)[number], skip: (why: string) => void, faults: readonly string[] = []): Twin {
  if (kind === "twin") return protocol.twin(target);
  if (missing) skip(missing);
  const sim = loaderSimulator(program, mkdtempSync(join(folder, `${made++}-`)), faults);
  open.push(sim);
  return sim;
}

async function answer(line: Line, bytes: Uint8Array): Promise<string> {
  await line.write(bytes);
  const all: number[] = [];
  for (let part = await line.read(1); part.length > 0; part = await line.read(1)) all.push(...part);
  return Buffer.from(all).toString("hex");
}

/** Requests one after the other, and the flags and payloads of their replies. */
function asking({ line }: Twin) {
  let seq = 0;
  return async (op: number, payload: Uint8Array) => {
    const bytes = encodeFrame({ type: FRAME_TYPES.request, op, seq: seq++ & 255, flags: 0, payload });
    const parser = new FrameParser([FRAME_TYPES.reply, FRAME_TYPES.nak]);
    for (const b of Buffer.from(await answer(line, bytes), "hex")) {
      const parsed = parser.push(b);
      if (parsed && "frame" in parsed) return { flags: parsed.frame.flags, payload: [...parsed.frame.payload.subarray(4)] };
    }
    throw new Error("no reply");
  };
}

describe.each(KINDS)("%s", (kind) => {
  test("takes an image, and starts it", async ({ skip }) => {
    const twin = loader(kind, skip);
    const image = madeUp(target, 9000);
    expect(await flashOver(twin.line, protocol, target, image)).toMatchObject({ written: 3, repeats: 0 });
    expect(holds(twin, image)).toBe(true);
    expect(Object.values(twin.violations).every((n) => n === 0)).toBe(true);
  });

  test("refuses by itself whatever would leave the region or a page", async ({ skip }) => {
    const twin = loader(kind, skip);
    const ask = asking(twin);
    await ask(OPS.hello, EMPTY);
    const one = Uint8Array.of(0);
    for (const at of [0, start - 4096, start + 1, end, 2 ** 24, 2 ** 32 - 4096]) expect((await ask(LOADER_OPS.erase, words32(at))).flags, `erase ${at}`).toBe(1);
    for (const at of [0, start - 1, end, 2 ** 32 - 1]) expect((await ask(LOADER_OPS.program, encodeProgram(at, one))).flags, `program ${at}`).toBe(1);
    for (const [at, n] of [
      [start + 255, 2],
      [end - 1, 2],
      [start, 249],
    ])
      expect((await ask(LOADER_OPS.program, encodeProgram(at, new Uint8Array(n)))).flags).toBe(1);
    expect((await ask(LOADER_OPS.program, words32(start))).flags).toBe(1);
    expect((await ask(LOADER_OPS.fetch, encodeFetch(2 ** 24, 1))).flags).toBe(1);
    expect((await ask(LOADER_OPS.fetch, encodeFetch(0, 249))).flags).toBe(1);
    expect((await ask(LOADER_OPS.boot, words32(end - start + 1, 0))).flags).toBe(1);
    expect((await ask(21, words32(0))).flags).toBe(1);
    expect(twin.memory.bytes.every((b) => b === 0xff)).toBe(true);
    expect((await ask(LOADER_OPS.program, encodeProgram(end - 1, one))).flags).toBe(0);
    expect(twin.memory.bytes[end - 1]).toBe(0);
    expect(Object.values(twin.violations).every((n) => n === 0)).toBe(true);
  });

  test("starts only what has the CRC-32 that it was told, and not before the line is quiet", async ({ skip }) => {
    const twin = loader(kind, skip);
    const ask = asking(twin);
    await ask(OPS.hello, EMPTY);
    const crc = crc32(new Uint8Array(1000).fill(0xff));
    expect(await ask(LOADER_OPS.boot, words32(1000, crc ^ 1))).toEqual({ flags: 0, payload: [...words32(crc)] });
    await twin.line.read(100);
    expect(twin.booted).toBe(false);
    expect(await ask(LOADER_OPS.boot, words32(1000, crc))).toEqual({ flags: 0, payload: [...words32(crc)] });
    await twin.line.read(100);
    expect(twin.booted).toBe(true);
  });

  test("a request that comes again is answered again and not done again", async ({ skip }) => {
    const twin = loader(kind, skip);
    await asking(twin)(OPS.hello, EMPTY);
    const request = (seq: number, at: number, byte: number) =>
      encodeFrame({ type: FRAME_TYPES.request, op: LOADER_OPS.program, seq, flags: 0, payload: encodeProgram(at, Uint8Array.of(byte)) });
    const first = await answer(twin.line, request(1, start, 0xf0));
    expect(await answer(twin.line, request(1, start, 0x0f))).toBe(first);
    expect(twin.memory.bytes[start]).toBe(0xf0);
  });

  test("a cut in the middle starts nothing, and the same call goes on there", async ({ skip }) => {
    const twin = loader(kind, skip);
    const image = madeUp(target, 9000);
    await expect(flashOver(cutLine(twin.line, 20_000), protocol, target, image)).rejects.toMatchObject({ message: expect.stringContaining("run the same command again") });
    expect(twin.booted).toBe(false);
    twin.reset();
    expect((await flashOver(twin.line, protocol, target, image)).written).toBeLessThan(3);
    expect(holds(twin, image)).toBe(true);
  });
});

test("the Verilated loader takes an image over a line that loses and damages bytes", async ({ skip }) => {
  const twin = loader("Verilated", skip, ["--flip", "0.002", "--drop", "0.002"]);
  const image = madeUp(target, 3000);
  await flashOver(twin.line, protocol, target, image);
  await twin.line.read(100);
  expect(holds(twin, image)).toBe(true);
});

/** A request, good, damaged, cut or foreign, about a few sectors at the rims of the region. */
function burst(random: Random, seq: number): Uint8Array {
  const bytes = (n: number) => Uint8Array.from({ length: n }, () => random.below(256));
  const at = () => [start, end - 4096, start - 4096, end][random.below(4)] + (random.below(2) ? 0 : random.below(4096));
  const payloads: Record<number, () => Uint8Array> = {
    [LOADER_OPS.identify]: () => bytes(random.below(5)),
    [LOADER_OPS.erase]: () => (random.below(8) ? words32(at()) : bytes(random.below(8))),
    [LOADER_OPS.program]: () => encodeProgram(at(), bytes(random.below(250))),
    [LOADER_OPS.fetch]: () => (random.below(8) ? encodeFetch(at(), random.below(252)) : bytes(random.below(10))),
    [LOADER_OPS.boot]: () => words32(random.below(3000), random.u32()),
    [OPS.hello]: () => bytes(random.below(3)),
    9: () => bytes(random.below(9)),
  };
  const op = [16, 17, 18, 18, 18, 19, 19, 20, 9][random.below(9)];
  const frame = encodeFrame({ type: FRAME_TYPES.request, op, seq: (seq + (random.below(5) ? 0 : random.below(256))) & 255, flags: 0, payload: payloads[op]() });
  if (random.below(6) === 0) frame[random.below(frame.length)] ^= 1 << random.below(8);
  const whole = random.below(8) === 0 ? frame.subarray(0, random.below(frame.length)) : frame;
  return random.below(5) === 0 ? Uint8Array.from([...bytes(random.below(20)), ...whole]) : whole;
}

test("300 bursts of good, damaged, cut and foreign bytes: the twin's very bytes, and the same flash", async ({ skip }) => {
  const pair = KINDS.map((kind) => loader(kind, skip));
  const random = createRandom(12);
  const both = async (bytes: Uint8Array) => {
    const [a, b] = [await answer(pair[0].line, bytes), await answer(pair[1].line, bytes)];
    expect(b).toBe(a);
    return a;
  };
  await both(encodeFrame({ type: FRAME_TYPES.request, op: LOADER_OPS.identify, seq: 0, flags: 0, payload: EMPTY }));
  await both(encodeFrame({ type: FRAME_TYPES.request, op: OPS.hello, seq: 0, flags: 0, payload: EMPTY }));
  let seq = 1;
  for (let i = 0; i < 300; i++) {
    const said = await both(burst(random, seq));
    if (said.startsWith("a55a12") && Number.parseInt(said.slice(8, 10), 16) === seq) seq = (seq + 1) & 255;
  }
  expect(Buffer.compare(pair[0].memory.bytes, pair[1].memory.bytes)).toBe(0);
  expect(pair[1].violations.outside).toBe(0);
  expect(pair[1].violations).toEqual(pair[0].violations);
}, 120_000);
