// Flashing held to others' programs: optiboot itself in simavr, avrdude before it, stm32flash before our twin of the ROM's loader.
import { writeFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import type { Line } from "../../targets/devices/fpga/link/line.ts";
import type { LineProtocol, Target } from "../../targets/flash/protocol.ts";
import { targetOf } from "../../targets/flash/targets.ts";
import { flashOver, holds, madeUp } from "../../tools/goals/flash/cutting.ts";
import { avrdude, lacksAvr, lacksAvrdude, lacksStm32flash, scratch, startAvr, stm32flash } from "./peers.ts";

const over = (name: string) => targetOf(name) as { target: Target; protocol: LineProtocol };
const folder = scratch();
afterAll(() => folder.close());

/** Says K on the serial line for ever: r16 to UCSR0B, r16 to UDR0, stay. */
const SAYS_K = [0x08, 0xe0, 0x00, 0x93, 0xc1, 0x00, 0x0b, 0xe4, 0x00, 0x93, 0xc6, 0x00, 0xff, 0xcf];

describe("optiboot in simavr", () => {
  const { target, protocol } = over("arduino-uno");
  const image = madeUp(target, 3000);
  image.bytes.set(SAYS_K);

  test("takes our image and starts it, and avrdude's is the same", async ({ skip }) => {
    const why = lacksAvr();
    if (why) skip(why);
    const avr = startAvr(folder.path("ours.bin"));
    expect(await flashOver(avr.line, protocol, target, image)).toMatchObject({ id: "1e950f", booted: true });
    expect(Buffer.from(await avr.line.read(20_000)).toString()).toBe("K");
    const flash = await avr.end();
    expect(Buffer.compare(flash.subarray(0, 3000), image.bytes)).toBe(0);
    const lacking = lacksAvrdude();
    if (lacking) skip(lacking);
    writeFileSync(folder.path("image.bin"), image.bytes);
    expect(Buffer.compare(await avrdude(folder.path("image.bin"), folder.path("theirs.bin"), folder.path("avr")), flash)).toBe(0);
  }, 120_000);

  test("is reset by DTR and goes on where bytes were lost", async ({ skip }) => {
    const why = lacksAvr();
    if (why) skip(why);
    const avr = startAvr(folder.path("lossy.bin"));
    let count = 0;
    const lossy: Line = { ...avr.line, write: (bytes) => avr.line.write(++count === 30 ? bytes.subarray(0, bytes.length - 3) : bytes) };
    const report = await flashOver(lossy, protocol, target, image);
    expect(report.repeats).toBeGreaterThan(0);
    expect(Buffer.compare((await avr.end()).subarray(0, 3000), image.bytes)).toBe(0);
  }, 120_000);
});

/** By board: the image's bytes, and the command that its ROM erases by. */
const ROMS: readonly (readonly [board: string, bytes: number, erase: string])[] = [
  ["bluepill", 20_000, "43"],
  ["f030-demo", 9000, "44"],
];
for (const [board, bytes, erase] of ROMS)
  test(`stm32flash writes, verifies and starts the image on our twin of the ROM's loader: ${board}, which erases by ${erase}`, async ({ skip }) => {
    const why = lacksStm32flash();
    if (why) skip(why);
    const { target, protocol } = over(board);
    const twin = protocol.twin(target);
    const image = madeUp(target, bytes);
    writeFileSync(folder.path("stm32.bin"), image.bytes);
    await stm32flash(folder.path("stm32.bin"), twin, folder.path(`stm32-${erase}`));
    expect(holds(twin, image)).toBe(true);
    expect(twin.violations).toEqual({ unerased: 0, outside: 0 });
    // and what it wrote is to our client the image that it would have written
    twin.reset();
    expect(await flashOver(twin.line, protocol, target, image)).toMatchObject({ written: 0, booted: true });
  }, 60_000);
