// Files that are flashed: what is read, and what is refused before anything is allocated for it.
import { describe, expect, test } from "vitest";
import { readHex, writeHex } from "../../targets/flash/image/hex.ts";
import { judgeRegion, readImage } from "../../targets/flash/image/read.ts";
import { readUf2, writeUf2 } from "../../targets/flash/image/uf2.ts";

const REGION = { start: 0x1000, end: 0x2000 };
const text = (s: string) => new TextEncoder().encode(s);
const BYTES = Uint8Array.from({ length: 600 }, (_, i) => (i * 7) & 255);
const FAMILY = 0xe48bff56;
/** Lines of Intel HEX that put a zero at an address, whose upper part is said each time. */
function apart(address: number): string {
  const line = (...bytes: number[]) => `:${Buffer.from([...bytes, -bytes.reduce((a, b) => a + b, 0) & 255]).toString("hex")}\n`;
  const [top, high, low] = [address >> 16, (address >> 8) & 255, address & 255];
  return line(2, 0, 0, 4, 0, top) + line(1, high, low, 0, 0);
}
const failure = (code: string, offset?: number) => expect.objectContaining({ code, ...(offset === undefined ? {} : { place: expect.objectContaining({ offset }) }) });

describe("bytes", () => {
  test("go to the beginning of the region", () => {
    expect(readImage(BYTES, "a.bin", REGION)).toEqual({ start: 0x1000, bytes: BYTES });
  });

  test("none, or more than any flash holds, are refused", () => {
    expect(() => readImage(new Uint8Array(0), "a.bin", REGION)).toThrow(failure("format.truncated"));
    expect(() => readImage(new Uint8Array(2 ** 24 + 1), "a.bin", REGION)).toThrow(failure("format.limit"));
  });

  test.each([
    [0xfff, 1],
    [0x1000, 0x1001],
    [0x1fff, 2],
    [0x2000, 1],
  ])("from %i on, %i of them, lie outside of the region", (start, count) => {
    expect(() => judgeRegion({ start, bytes: new Uint8Array(count) }, REGION, "a.bin")).toThrow(failure("flash.region"));
  });

  test("that fill the region are inside", () => {
    expect(() => judgeRegion({ start: 0x1000, bytes: new Uint8Array(0x1000) }, REGION, "a.bin")).not.toThrow();
  });
});

describe("Intel HEX", () => {
  test.each([0, 0xfff8, 0x12345, 0x0800_0000])("comes back from what is written, from %i on", (start) => {
    expect(readImage(text(writeHex({ start, bytes: BYTES })), "a.hex", REGION)).toEqual({ start, bytes: BYTES });
  });

  test("has lines in any order, carriage returns and holes, which are FF", () => {
    const image = readHex(text(":02000400AABB95\r\n:0200000001 02FB\r\n".replace(" ", "") + ":0400000300000000F9\r\n:00000001FF\r\n"), "a.hex");
    expect(image).toEqual({ start: 0, bytes: Uint8Array.of(1, 2, 0xff, 0xff, 0xaa, 0xbb) });
  });

  test("segments count 16 bytes, linear addresses 64 KiB", () => {
    expect(readHex(text(":020000021000EC\n:0100000005FA\n:00000001FF\n"), "a.hex").start).toBe(0x10000);
    expect(readHex(text(":020000040800F2\n:0100000005FA\n:00000001FF\n"), "a.hex").start).toBe(0x0800_0000);
  });

  test.each([
    ["a line that is none", ":zz\n", "format.header", 0],
    ["a line shorter than it says", ":0500000005FA\n", "format.header", 0],
    ["a wrong checksum", ":0100000005FA\n:0100010005FA\n", "format.hash", 14],
    ["a type that there is not", ":0100000905F1\n", "format.header", 0],
    ["no end", ":0100000005FA\n", "format.truncated", 14],
    ["nothing but an end", ":00000001FF\n", "format.truncated", undefined],
    ["two lines about one byte", ":0100000005FA\n:0100000006F9\n:00000001FF\n", "format.overlap", 14],
    ["more stretches than are kept", `${Array.from({ length: 65_537 }, (_, i) => apart(2 * i)).join("")}:00000001FF\n`, "format.limit", undefined],
    ["bytes 2 GiB apart", ":0100000005FA\n:020000048000 7A\n:0100000005FA\n:00000001FF\n".replace(" ", ""), "format.limit", undefined],
  ])("%s is refused", (_, file, code, offset) => {
    expect(() => readHex(text(file), "a.hex")).toThrow(failure(code, offset));
  });
});

describe("UF2", () => {
  const file = () => writeUf2({ start: 0x1000_0000, bytes: BYTES }, FAMILY);
  const patched = (at: number, value: number) => {
    const bytes = file();
    new DataView(bytes.buffer).setUint32(at, value, true);
    return bytes;
  };

  test("comes back from what is written, in whole pages", () => {
    const image = readImage(file(), "a.uf2", REGION);
    expect(image.start).toBe(0x1000_0000);
    expect(image.bytes.subarray(0, 600)).toEqual(BYTES);
    expect([...image.bytes.subarray(600)]).toEqual(new Array(168).fill(0xff));
  });

  test("an image from the middle of a page on begins with the page", () => {
    const image = readUf2(writeUf2({ start: 0x1000_0010, bytes: BYTES }, FAMILY), "a.uf2");
    expect(image.start).toBe(0x1000_0000);
    expect(image.bytes.subarray(16, 616)).toEqual(BYTES);
  });

  test("blocks may come in any order", () => {
    const bytes = file();
    const turned = Uint8Array.from([...bytes.subarray(1024), ...bytes.subarray(512, 1024), ...bytes.subarray(0, 512)]);
    expect(readUf2(turned, "a.uf2")).toEqual(readUf2(bytes, "a.uf2"));
  });

  test("blocks that are not for the main memory are left out", () => {
    const bytes = patched(512 + 8, 0x2001);
    expect([...readUf2(bytes, "a.uf2").bytes.subarray(256, 512)]).toEqual(new Array(256).fill(0xff));
  });

  test.each([
    ["part of a block", () => file().subarray(0, 1000), "format.truncated", 1000],
    ["part of the file", () => file().subarray(0, 1024), "format.truncated", 0],
    ["a block without its first magic", () => patched(512, 0), "format.header", 512],
    ["a block without its last magic", () => patched(1020, 0), "format.header", 512],
    ["a payload of nothing", () => patched(16, 0), "format.limit", 0],
    ["a payload larger than a block", () => patched(16, 477), "format.limit", 0],
    ["a payload of 4 GiB", () => patched(16, 0xffff_ffff), "format.limit", 0],
    ["a number that stands twice", () => patched(512 + 20, 0), "format.duplicate", 512],
    ["a number beyond the count", () => patched(20, 9), "format.duplicate", 0],
    ["two chips' families", () => patched(512 + 28, 0x1234), "format.header", 512],
    ["blocks of a family and of none", () => patched(512 + 8, 0), "format.header", 512],
    ["blocks that overlap", () => patched(512 + 12, 0x1000_0080), "format.overlap", 512],
    ["blocks 1 GiB apart", () => patched(512 + 12, 0x5000_0000), "format.limit", 512],
    ["a block beyond the end of addresses", () => patched(12, 0xffff_ff80), "format.limit", 0],
  ])("%s is refused", (_, make, code, offset) => {
    expect(() => readUf2(make(), "a.uf2")).toThrow(failure(code, offset));
  });
});
