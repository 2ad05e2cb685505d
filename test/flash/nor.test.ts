// The flash in software is as unforgiving as silicon, and counts what a careful flasher never does.
import { describe, expect, test } from "vitest";
import { Nor } from "../../targets/flash/twins/nor.ts";

const REGION = { start: 0x1000, end: 0x4000 };
const made = () => new Nor({ size: 0x8000, jedec: [1, 2, 3], region: REGION });

function send(nor: Nor, out: readonly number[], count = 0): number[] {
  nor.select();
  for (const b of out) nor.transfer(b);
  const got = Array.from({ length: count }, () => nor.transfer(0));
  nor.deselect();
  return got;
}
const at = (a: number) => [(a >> 16) & 255, (a >> 8) & 255, a & 255];
const settle = (nor: Nor) => {
  let looks = 0;
  while (send(nor, [5], 1)[0] & 1) looks++;
  return looks;
};
const write = (nor: Nor, out: readonly number[]) => {
  send(nor, [6]);
  send(nor, out);
  return settle(nor);
};
const none = { unerased: 0, wrapped: 0, outside: 0, unlatched: 0, busy: 0 };

describe("a NOR flash", () => {
  test("programs, is busy for a while, and reads back in both ways", () => {
    const nor = made();
    expect(write(nor, [2, ...at(0x1010), 0x12, 0x34])).toBeGreaterThan(0);
    expect(send(nor, [3, ...at(0x100f)], 4)).toEqual([0xff, 0x12, 0x34, 0xff]);
    expect(send(nor, [0x0b, ...at(0x1010), 0], 2)).toEqual([0x12, 0x34]);
    expect(send(nor, [0x9f], 3)).toEqual([1, 2, 3]);
    expect(nor.violations).toEqual(none);
  });

  test("programming only clears bits, and says so where it should have set one", () => {
    const nor = made();
    write(nor, [2, ...at(0x1000), 0xf0]);
    write(nor, [2, ...at(0x1000), 0x3c]);
    expect(nor.bytes[0x1000]).toBe(0x30);
    expect(nor.violations).toEqual({ ...none, unerased: 1 });
  });

  test("erases the whole sector an address lies in", () => {
    const nor = made();
    nor.bytes.fill(0);
    write(nor, [0x20, ...at(0x2345)]);
    expect([nor.bytes[0x1fff], nor.bytes[0x2000], nor.bytes[0x2fff], nor.bytes[0x3000]]).toEqual([0, 0xff, 0xff, 0]);
    expect(nor.violations).toEqual(none);
  });

  test("wraps round within a page", () => {
    const nor = made();
    write(nor, [2, ...at(0x10fe), 1, 2, 3]);
    expect([nor.bytes[0x10fe], nor.bytes[0x10ff], nor.bytes[0x1000], nor.bytes[0x1100]]).toEqual([1, 2, 3, 0xff]);
    expect(nor.violations).toEqual({ ...none, wrapped: 1 });
  });

  test("counts what is written outside of the region, which it cannot prevent", () => {
    const nor = made();
    write(nor, [2, ...at(0x0fff), 7]);
    write(nor, [0x20, ...at(0x4000)]);
    expect(nor.bytes[0x0fff]).toBe(7);
    expect(nor.violations.outside).toBe(3);
  });

  test("writes nothing without the latch, which each write uses up, a reset too", () => {
    const nor = made();
    send(nor, [2, ...at(0x1000), 0]);
    write(nor, [2, ...at(0x1001), 0]);
    send(nor, [2, ...at(0x1002), 0]);
    send(nor, [6]);
    nor.reset();
    send(nor, [2, ...at(0x1003), 0]);
    expect([...nor.bytes.subarray(0x1000, 0x1004)]).toEqual([0xff, 0, 0xff, 0xff]);
    expect(nor.violations).toEqual({ ...none, unlatched: 3 });
  });

  test("answers nothing but its status while it is at work", () => {
    const nor = made();
    send(nor, [6]);
    send(nor, [2, ...at(0x1000), 0]);
    expect(send(nor, [3, ...at(0x1000)], 1)).toEqual([0xff]);
    send(nor, [6]);
    settle(nor);
    send(nor, [2, ...at(0x1001), 0]);
    expect(nor.bytes[0x1001]).toBe(0xff);
    expect(nor.violations).toEqual({ ...none, busy: 2, unlatched: 1 });
  });

  test("sleeps until it is woken", () => {
    const nor = made();
    send(nor, [0xb9]);
    expect(send(nor, [0x9f], 1)).toEqual([0xff]);
    send(nor, [0xab]);
    expect(send(nor, [0x9f], 1)).toEqual([1]);
  });
});
