// The flasher over every protocol, against the twins: what is written, what is left, what is refused, and what happens when bytes are lost.
import { describe, expect, test } from "vitest";
import type { Line } from "../../targets/devices/fpga/link/line.ts";
import { Flasher } from "../../targets/flash/flasher.ts";
import type { Extent } from "../../targets/flash/image/extent.ts";
import type { Chip, LineProtocol, Target, Twin } from "../../targets/flash/protocol.ts";
import { TARGETS, targetOf } from "../../targets/flash/targets.ts";
import { cutLine, digest, flashOver, holds, madeUp } from "../../tools/goals/flash/cutting.ts";

/** esptool-js waits in real time, so the ESP32 has tests of its own (esp32.test.ts). */
const LINES = [...TARGETS.keys()].filter((name) => targetOf(name).protocol.kind === "line" && name !== "esp32");
const over = (name: string) => targetOf(name) as { target: Target; protocol: LineProtocol };
const none = (twin: Twin) => Object.values(twin.violations).every((n) => n === 0);

/** A line that loses one byte, the n-th of those that go one way or the other. */
function losing(line: Line, n: number): Line {
  let passed = 0;
  const pass = (bytes: Uint8Array) => bytes.filter(() => passed++ !== n);
  return { ...line, write: (b) => line.write(pass(b)), read: async (ms) => pass(await line.read(ms)) };
}

describe.each(LINES)("%s", (name) => {
  const { target, protocol } = over(name);
  const image = madeUp(target, 5000);

  test("has the image afterwards, has started it, and nothing else was touched", async () => {
    const twin = protocol.twin(target);
    twin.memory.bytes.forEach((_, i) => {
      twin.memory.bytes[i] = (i * 5) & 255;
    });
    const before = twin.memory.bytes.slice();
    const report = await flashOver(twin.line, protocol, target, image);
    expect(report).toMatchObject({ bytes: 5000, start: target.region.start, sha256: digest(image.bytes), repeats: 0, booted: true });
    expect(holds(twin, image)).toBe(true);
    before.set(image.bytes, image.start - twin.memory.base);
    expect(Buffer.compare(twin.memory.bytes, before)).toBe(0);
    expect(twin.violations).toEqual(Object.fromEntries(Object.keys(twin.violations).map((k) => [k, 0])));
  });

  test("an image that is there already is not written again, a changed byte costs its sector", async () => {
    const twin = protocol.twin(target);
    const { sectors } = await flashOver(twin.line, protocol, target, image);
    twin.reset();
    expect(await flashOver(twin.line, protocol, target, image)).toMatchObject({ written: 0, sectors, booted: true });
    twin.reset();
    const changed: Extent = { ...image, bytes: image.bytes.slice() };
    changed.bytes[4500] ^= 0x10;
    expect(await flashOver(twin.line, protocol, target, changed)).toMatchObject({ written: 1 });
    expect(holds(twin, changed)).toBe(true);
  });

  test("images of one byte and of many", async () => {
    for (const bytes of [1, Math.min(50_000, target.region.end - target.region.start)]) {
      const twin = protocol.twin(target);
      const made = madeUp(target, bytes);
      await flashOver(twin.line, protocol, target, made);
      expect(holds(twin, made) && none(twin)).toBe(true);
    }
  });

  test("a byte beyond the region is refused before anything is written", async () => {
    const twin = protocol.twin(target);
    const sent = flashOver(twin.line, protocol, target, madeUp(target, target.region.end - target.region.start + 1));
    await expect(sent).rejects.toMatchObject({ code: "flash.region" });
    await expect(flashOver(twin.line, protocol, target, { start: target.region.start - 1, bytes: Uint8Array.of(0) })).rejects.toMatchObject({ code: "flash.region" });
    expect(twin.memory.bytes.every((b) => b === 0xff)).toBe(true);
  });

  test("another board is refused", async () => {
    const twin = protocol.twin(target);
    await expect(flashOver(twin.line, protocol, { ...target, id: "other" }, image)).rejects.toMatchObject({ code: "device.wrong" });
    expect(twin.memory.bytes.every((b) => b === 0xff)).toBe(true);
  });

  test("a dry run says what would be written, and writes and starts nothing", async () => {
    const twin = protocol.twin(target);
    const chip = await protocol.connect(twin.line, target);
    const report = await new Flasher(chip, target, "twin", { hash: digest, dryRun: true }).flash(image, "a.bin");
    expect(report.booted).toBe(false);
    expect(report.written).toBeGreaterThan(0.8 * report.sectors);
    expect(twin.booted || twin.memory.bytes.some((b) => b !== 0xff)).toBe(false);
  });

  test("a cut is an error that says how far it got, and the same call goes on there", async () => {
    const whole = cutLine(protocol.twin(target).line, Number.POSITIVE_INFINITY);
    const { sectors } = await flashOver(whole, protocol, target, image);
    for (const share of [0.1, 0.5, 0.6, 0.75, 0.95]) {
      const twin = protocol.twin(target);
      const cut = flashOver(cutLine(twin.line, Math.round(share * whole.carried)), protocol, target, image);
      await expect(cut).rejects.toMatchObject({ code: expect.stringMatching(/^device\./), message: expect.stringMatching(/nothing was written|of \d+ sectors are right/) });
      expect(twin.booted).toBe(false);
      twin.reset();
      const again = await flashOver(twin.line, protocol, target, image);
      expect(holds(twin, image) && none(twin)).toBe(true);
      if (share > 0.7) expect(again.written).toBeLessThan(sectors);
    }
  });

  test("Ctrl-C ends it and says how far it got", async () => {
    const twin = protocol.twin(target);
    const stop = new AbortController();
    const chip = await protocol.connect(twin.line, target, { signal: stop.signal });
    const onProgress = (stage: string) => {
      if (stage === "writing") stop.abort();
    };
    const flasher = new Flasher(chip, target, "twin", { hash: digest, signal: stop.signal, onProgress });
    await expect(flasher.flash(image, "a.bin")).rejects.toMatchObject({ code: "aborted", message: expect.stringMatching(/\d+ of \d+ sectors are right.*same command/) });
    expect(twin.booted).toBe(false);
  });

  test("a line cut before its last byte claims no more than the board has", async () => {
    const whole = cutLine(protocol.twin(target).line, Number.POSITIVE_INFINITY);
    await flashOver(whole, protocol, target, image);
    const twin = protocol.twin(target);
    const report = await flashOver(cutLine(twin.line, whole.carried - 1), protocol, target, image).catch((e: Error) => e);
    if (!(report instanceof Error)) expect(report).toMatchObject({ booted: true, confirmed: false });
    expect(holds(twin, image, false)).toBe(true);
  });

  test("nobody there is said to be so", async () => {
    const dead: Line = { name: "dead", write: async () => {}, read: async () => new Uint8Array(0), close: async () => {} };
    await expect(protocol.connect(dead, target)).rejects.toMatchObject({ code: expect.stringMatching(/^device\.(unavailable|noisy)$/) });
  });
});

/** Where lost bytes are noticed and made good: TinyFPGA's protocol has nothing to do it with, and runs over USB, which loses none. */
describe.each(["icebreaker", "bluepill", "arduino-uno"])("%s", (name) => {
  test("makes good one byte that is lost, wherever", async () => {
    const { target, protocol } = over(name);
    const image = madeUp(target, 700);
    const whole = cutLine(protocol.twin(target).line, Number.POSITIVE_INFINITY);
    await flashOver(whole, protocol, target, image);
    for (let n = 0; n < whole.carried; n += 23) {
      const twin = protocol.twin(target);
      const report = await flashOver(losing(twin.line, n), protocol, target, image).catch((e: Error) => e.message);
      if (typeof report === "string") {
        // only the last answer may be missed: it was started, and nobody heard of it
        expect(twin.booted, `${n}: ${report}`).toBe(true);
        continue;
      }
      expect(holds(twin, image) && none(twin), `byte ${n}`).toBe(true);
    }
  });
});

test("a chip that gives back something else than was written is found out", async () => {
  const { target, protocol } = over("icebreaker");
  const twin = protocol.twin(target);
  const chip = await protocol.connect(twin.line, target);
  const worn = Object.create(chip, {
    program: {
      value: async (at: number, bytes: Uint8Array) =>
        chip.program(
          at,
          bytes.map((b, i) => (i === 9 ? b & 0xfe : b)),
        ),
    },
  });
  const image = madeUp(target, 5000);
  image.bytes[9] |= 1;
  await expect(new Flasher(worn, target, "twin", { hash: digest }).flash(image, "a.bin")).rejects.toMatchObject({
    code: "flash.verify",
    place: { offset: target.region.start + 9 },
  });
  expect(twin.booted).toBe(false);
});

test("the first sector is erased first and written last: a half-written image never starts", async () => {
  const { target, protocol } = over("icebreaker");
  const twin = protocol.twin(target);
  await flashOver(twin.line, protocol, target, madeUp(target, 9000, 1));
  twin.reset();
  const order: string[] = [];
  const chip = await protocol.connect(twin.line, target);
  const noted =
    <T>(what: string, does: (at: number, bytes: Uint8Array) => T) =>
    (at: number, bytes: Uint8Array) => {
      order.push(`${what} ${at}`);
      return does.call(chip, at, bytes);
    };
  const watched = Object.create(chip, { erase: { value: noted("erase", chip.erase as Chip["program"]) }, program: { value: noted("program", chip.program) } });
  await new Flasher(watched, target, "twin", { hash: digest }).flash(madeUp(target, 9000, 2), "a.bin");
  const { start } = target.region;
  expect(order[0]).toBe(`erase ${start}`);
  expect(order.filter((o) => o.startsWith("program")).at(-1)).toBe(`program ${start}`);
});
