// Malformed files and far ends that lie, from a seed: every one ends in an error of its kind or in what is right, and soon.
import { describe, expect, test } from "vitest";
import { createRandom } from "../../runtime/num/random.ts";
import type { Line } from "../../targets/devices/fpga/link/line.ts";
import { PROTOCOLS } from "../../targets/flash/protocols/catalogue.gen.ts";
import { lineTarget } from "../../tools/goals/flash/cutting.ts";
import { fuzzFiles, fuzzReplies, fuzzUf2Drive } from "./fuzz.ts";

/** A board of each protocol over a line whose twin has its own time; the ESP32's client waits in real time and is thrown at in the long tests. */
const BOARDS = ["icebreaker", "tinyfpga-bx", "arduino-uno", "bluepill", "f030-demo"];

test("300 damaged HEX, UF2, bitstream and multi-boot files are read within bounds, or refused by their place", () => {
  const { read, refused } = fuzzFiles(2026, 300);
  expect(read).toBeGreaterThan(30);
  expect(refused).toBeGreaterThan(150);
});

test("what a drive made of a UF2 file is read within bounds, or refused", () => {
  expect(fuzzUf2Drive(5, 100).refused).toBeGreaterThan(50);
});

test("every protocol is thrown at, here or in the long tests", () => {
  expect(new Set(BOARDS.map((b) => lineTarget(b).protocol.name))).toEqual(new Set(Object.keys(PROTOCOLS).filter((p) => p !== "esp32" && p !== "uf2")));
});

describe.each(BOARDS)("%s", (board) => {
  const runs = board === "icebreaker" ? 6 : 30;
  test(`${runs} lines whose far end lies: no success that is none`, async () => {
    const ends = await fuzzReplies(board, 7, runs);
    expect(Object.values(ends).reduce((a, b) => a + b, 0)).toBe(runs);
    expect(Object.keys(ends)).toContain("device.noisy");
  });

  test("a line that never stops talking is given up", async () => {
    const { target, protocol } = lineTarget(board);
    const random = createRandom(3);
    let reads = 0;
    const chatter: Line = {
      name: "chatter",
      write: async () => {},
      async read() {
        if (++reads > 100_000) throw new Error("it is listened to for ever");
        return Uint8Array.from({ length: 64 }, () => random.below(256));
      },
      close: async () => {},
    };
    await expect(protocol.connect(chatter, target)).rejects.toMatchObject({ code: expect.stringMatching(/^device\./) });
  });
});
