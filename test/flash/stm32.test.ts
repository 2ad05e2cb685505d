// What the ROM of an STM32 does when it is told to erase, by the older command and by the later one, byte by byte (AN3155).
import { describe, expect, test } from "vitest";
import { targetOf } from "../../targets/flash/targets.ts";
import { type Stm32Options, stm32Twin } from "../../targets/flash/twins/stm32.ts";

const { target } = targetOf("bluepill");
const PAGE = 1024;
const [ACK, NACK] = [0x79, 0x1f];

/** A chip full of zeros that has measured the baud rate, and how it answers. */
function chip(options: Stm32Options) {
  const twin = stm32Twin(target, options);
  const say = async (...bytes: number[]) => {
    await twin.line.write(Uint8Array.from(bytes));
    return [...(await twin.line.read(1))];
  };
  twin.memory.bytes.fill(0);
  const erased = () =>
    Array.from({ length: twin.memory.bytes.length / PAGE }, (_, i) => i).filter((i) => twin.memory.bytes.subarray(i * PAGE, (i + 1) * PAGE).every((b) => b === 0xff));
  return { say, erased, sync: () => say(0x7f) };
}

const withCheck = (...bytes: number[]) => [...bytes, bytes.reduce((a, b) => a ^ b, 0)];
const EVERY = Array.from({ length: 64 }, (_, i) => i);

describe("44", () => {
  const open = async (options: Stm32Options = {}) => {
    const made = chip({ erase: 0x44, ...options });
    expect(await made.sync()).toEqual([ACK]);
    expect(await made.say(0x44, 0xbb)).toEqual([ACK]);
    return made;
  };

  test.each<[string, number[], number[]]>([
    ["one page", withCheck(0, 0, 0, 5), [5]],
    ["pages in any order", withCheck(0, 2, 0, 63, 0, 1, 0, 0), [0, 1, 63]],
    ["everything", withCheck(0xff, 0xff), EVERY],
  ])("erases %s", async (_, bytes, pages) => {
    const { say, erased } = await open();
    expect(await say(...bytes)).toEqual([ACK]);
    expect(erased()).toEqual(pages);
  });

  test.each<[string, number[]]>([
    ["a page behind the last", withCheck(0, 1, 0, 3, 0, 64)],
    ["a page beyond 255", withCheck(0, 0, 1, 0)],
    ["a wrong sum", [0, 0, 0, 5, 4]],
    ["a special code with a wrong sum", [0xff, 0xff, 0xff]],
    ["a bank, having one", withCheck(0xff, 0xfe)],
    ["a reserved code", withCheck(0xff, 0xf0)],
  ])("refuses %s and erases nothing", async (_, bytes) => {
    const { say, erased } = await open();
    expect(await say(...bytes)).toEqual([NACK]);
    expect(erased()).toEqual([]);
  });

  test("erases either of two banks, and knows no third", async () => {
    const { say, erased } = await open({ banks: 2 });
    expect(await say(...withCheck(0xff, 0xfd))).toEqual([ACK]);
    expect(erased()).toEqual(EVERY.slice(32));
    await say(0x44, 0xbb);
    expect(await say(...withCheck(0xff, 0xfc))).toEqual([NACK]);
    await say(0x44, 0xbb);
    expect(await say(...withCheck(0xff, 0xfe))).toEqual([ACK]);
    expect(erased()).toEqual(EVERY);
  });
});

describe("a ROM", () => {
  test.each([
    [0x43, 0x44],
    [0x44, 0x43],
  ] as const)("that erases by %i says so and does not know %i", async (erase, other) => {
    const { say, sync } = chip({ erase });
    await sync();
    expect(await say(0x00, 0xff)).toEqual([ACK, 7, 0x22, 0, 1, 2, 0x11, 0x21, 0x31, erase, ACK]);
    expect(await say(other, other ^ 255)).toEqual([NACK]);
  });

  test("that erases by 43 takes pages, or FF for all", async () => {
    const { say, sync, erased } = chip({ erase: 0x43 });
    await sync();
    await say(0x43, 0xbc);
    expect(await say(...withCheck(1, 0, 7))).toEqual([ACK]);
    expect(erased()).toEqual([0, 7]);
    await say(0x43, 0xbc);
    expect(await say(0xff, 0x00)).toEqual([ACK]);
    expect(erased()).toEqual(EVERY);
  });
});
