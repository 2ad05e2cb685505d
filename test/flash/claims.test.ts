// What an image says of the board it is for, and that another board's is refused before a byte of the line is used.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { Flasher } from "../../targets/flash/flasher.ts";
import { claimsOf, judgeBoard } from "../../targets/flash/image/claims.ts";
import type { Extent } from "../../targets/flash/image/extent.ts";
import { readHex, writeHex } from "../../targets/flash/image/hex.ts";
import { chipOf, dieOf, MULTIBOOT_BYTES, multiboot, vectorsOf, withComment } from "../../targets/flash/image/ice40.ts";
import { recordedBoard, seal, unsealed } from "../../targets/flash/image/record.ts";
import { readUf2, writeUf2 } from "../../targets/flash/image/uf2.ts";
import type { LineProtocol } from "../../targets/flash/protocol.ts";
import { TARGETS, targetOf } from "../../targets/flash/targets.ts";
import { scratch } from "./peers.ts";

const hash = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const text = (s: string) => new TextEncoder().encode(s);
const failure = (code: string, about = "") => expect.objectContaining({ code, message: expect.stringContaining(about) });
const folder = scratch();
afterAll(() => folder.close());

const UP5K = Uint8Array.from(Buffer.from(`ff0000ff7eaa997e51000105920020${"6202b3"}${"720150"}${"1100"}${"0101"}${"00".repeat(400)}`, "hex"));
const HX8K = Uint8Array.from(Buffer.from(`ff0000ff7eaa997e51000105920020${"620367"}${"720110"}${"1100"}${"0101"}${"00".repeat(400)}`, "hex"));

function made(bitstream: Uint8Array, board: string): Uint8Array {
  const bytes = withComment(bitstream, unsealed(board));
  seal(bytes, hash);
  return bytes;
}
/** An agent as its build leaves it: the record somewhere in the middle. */
function agent(board: string): Uint8Array {
  const bytes = new Uint8Array(1500).map((_, i) => i);
  bytes.set(text(unsealed(board)), 700);
  seal(bytes, hash);
  return bytes;
}
const at = (board: string, bytes: Uint8Array): Extent => ({ start: targetOf(board).target.region.start, bytes });
const ESP = (chip: number) => Uint8Array.of(0xe9, 2, 2, 0x20, 0x34, 0x10, 0x08, 0x40, 0xee, 0, 0, 0, chip, 0, ...new Array(50).fill(0));

describe("the record", () => {
  test("names the board; bytes behind it may be there", () => {
    expect(recordedBoard(agent("rp2040"), "a.bin", hash)).toBe("rp2040");
    expect(recordedBoard(Uint8Array.from([...agent("rp2040"), 0xff, 0xff]), "a.bin", hash)).toBe("rp2040");
    expect(recordedBoard(new Uint8Array(1500), "a.bin", hash)).toBeUndefined();
  });

  test("comes through HEX and UF2", () => {
    const image = { start: 0x1000_0000, bytes: agent("rp2040") };
    expect(recordedBoard(readHex(text(writeHex(image)), "a.hex").bytes, "a.hex", hash)).toBe("rp2040");
    expect(recordedBoard(readUf2(writeUf2(image, 1), "a.uf2").bytes, "a.uf2", hash)).toBe("rp2040");
  });

  test("that was not sealed, as a linker leaves it, names the board and vouches for nothing", () => {
    expect(recordedBoard(text(`.. ${unsealed("rp2040")} ..`), "a.bin", hash)).toBe("rp2040");
  });

  test("every changed byte is noticed, of the record too", () => {
    const whole = agent("rp2040");
    for (let i = 0; i < whole.length; i += i > 690 && i < 820 ? 1 : 37) {
      const bytes = whole.slice();
      bytes[i] ^= 4;
      let board: string | undefined;
      try {
        board = recordedBoard(bytes, "a.bin", hash);
      } catch (e) {
        expect(e, `byte ${i}`).toMatchObject({ code: expect.stringMatching(/^format\.(hash|truncated)$/) });
        continue;
      }
      // a record that is none any more says nothing
      expect(board, `byte ${i}`).toBeUndefined();
    }
  });

  test("a part of the image is noticed", () => {
    for (const count of [1499, 1000, 820]) expect(() => recordedBoard(agent("rp2040").subarray(0, count), "a.bin", hash)).toThrow(failure("format.truncated", "1500"));
  });
});

describe("an image", () => {
  test.each<[string, Uint8Array, string]>([
    ["a bitstream of ours", made(UP5K, "icebrkr"), "skint icebrkr, ice40 up5k"],
    ["a bitstream of others", HX8K, "ice40 hx8k or lp8k"],
    ["a bitstream of a chip that no board here has", Uint8Array.from([...HX8K.subarray(0, 16), 0x01, 0x4b, ...HX8K.subarray(18)]), "ice40 331x272"],
    ["a loader for the beginning of the flash", multiboot(withComment(UP5K, unsealed("icebrkr")), [0x28000]), "loader which only a programmer can write, skint icebrkr"],
    ["an application of ESP32s", ESP(0), "esp32 0"],
    ["one of ESP32-C3s", ESP(5), "esp32 5"],
    ["an ELF file", Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 1), "elf give the .bin or .hex made of it"],
    ["anything else", Uint8Array.of(1, 2, 3), ""],
    ["a comment without a bitstream", Uint8Array.of(0xff, 0, 0x41, 0, 0xff), ""],
    ["the first byte of an application", Uint8Array.of(0xe9), ""],
  ])("%s says so", (_, bytes, says) => {
    expect(
      claimsOf({ start: 0, bytes }, "a.bin", hash)
        .map((c) => `${c.kind} ${c.says}`)
        .join(", "),
    ).toBe(says);
  });

  test("of every board's own kind is taken by that board and by no other with another chip", () => {
    const own: readonly (readonly [Uint8Array, readonly string[]])[] = [
      [made(UP5K, "icebrkr"), ["icebreaker"]],
      [made(HX8K, "hx8k"), ["hx8k"]],
      [made(HX8K, "tinybx"), ["tinyfpga-bx"]],
      [HX8K, ["hx8k", "tinyfpga-bx"]],
      [agent("rp2040"), ["pico"]],
      [agent("an385"), []],
      [ESP(0), ["esp32"]],
      [ESP(9), []],
    ];
    for (const [bytes, boards] of own)
      for (const name of TARGETS.keys()) {
        const judge = () => judgeBoard(at(name, bytes), targetOf(name).target, "a.bin", hash);
        if (boards.includes(name)) expect(judge).not.toThrow();
        else expect(judge).toThrow(failure("flash.board", "--force"));
      }
  });

  test.each([
    ["pico", 0xe48bff56, true],
    ["pico", 0x5ee21072, false],
    ["bluepill", 0x5ee21072, true],
    ["f030-demo", 0x5ee21072, false],
    ["arduino-uno", 0xe48bff56, false],
  ])("as UF2 for %s of the family %i is taken: %s", (board, family, taken) => {
    const { target } = targetOf(board);
    const judge = () => judgeBoard(readUf2(writeUf2({ start: target.region.start, bytes: Uint8Array.of(1) }, family), "a.uf2"), target, "a.uf2", hash);
    if (taken) expect(judge).not.toThrow();
    else expect(judge).toThrow(failure("flash.board", "UF2"));
  });
});

test("the flasher refuses another board's before it erases anything, and writes it if it is told to", async () => {
  const { target } = targetOf("hx8k");
  const protocol = targetOf("hx8k").protocol as LineProtocol;
  const twin = protocol.twin(target);
  const image = at("hx8k", made(UP5K, "icebrkr"));
  const flash = async (force: boolean) => new Flasher(await protocol.connect(twin.line, target), target, "twin", { hash, force }).flash(image, "a.bin");
  await expect(flash(false)).rejects.toMatchObject({ code: "flash.board" });
  expect(twin.memory.bytes.every((b) => b === 0xff)).toBe(true);
  expect(await flash(true)).toMatchObject({ booted: true });
});

describe("several bitstreams in one flash", () => {
  test("vectors say where they begin: the first is started at power on, the one behind what may be written as the second", () => {
    for (const name of ["icebreaker", "hx8k"]) {
      const { start } = targetOf(name).target.region;
      const flash = multiboot(UP5K, [start]);
      expect(vectorsOf(flash)).toEqual([MULTIBOOT_BYTES, MULTIBOOT_BYTES, start, MULTIBOOT_BYTES, MULTIBOOT_BYTES]);
      expect(chipOf(flash.subarray(MULTIBOOT_BYTES))).toBe(dieOf("up5k"));
    }
  });

  test("vectors are those that icemulti makes", ({ skip }) => {
    if (!existsSync("/usr/bin/icemulti")) skip("icemulti is not here (Debian: fpga-icestorm)");
    for (const [name, bytes] of [
      ["up5k", UP5K],
      ["hx8k", HX8K],
    ] as const)
      writeFileSync(folder.path(name), bytes);
    execFileSync("icemulti", ["-p0", "-o", folder.path("multi"), folder.path("up5k"), folder.path("hx8k")]);
    const theirs = new Uint8Array(readFileSync(folder.path("multi")));
    const [, first, second] = vectorsOf(theirs);
    expect(first).toBe(MULTIBOOT_BYTES);
    expect(chipOf(theirs.subarray(second))).toBe(dieOf("hx8k"));
    expect(Buffer.compare(multiboot(UP5K, [second]).subarray(0, MULTIBOOT_BYTES + UP5K.length), theirs.subarray(0, MULTIBOOT_BYTES + UP5K.length))).toBe(0);
  });

  test("what is no bitstream gets no comment", () => {
    expect(() => withComment(Uint8Array.of(1, 2, 3), "x")).toThrow(failure("format.header"));
  });
});
