// The same as fuzz.test.ts for long, and the ESP32, whose client waits in real time.
import { describe, expect, test } from "vitest";
import { TARGETS, targetOf } from "../../targets/flash/targets.ts";
import { fuzzFiles, fuzzReplies, fuzzUf2Drive } from "./fuzz.ts";

const MINUTES = 60_000;
const SEEDS = [1, 2, 3, 4];
/** By protocol, where each takes its time. */
const RUNS: Readonly<Record<string, number>> = { esp32: 6, skint: 60 };

test.each(SEEDS)(
  "5000 damaged files, seed %i",
  (seed) => {
    const { read, refused } = fuzzFiles(seed, 5000);
    expect(read + refused).toBe(5000);
    fuzzUf2Drive(seed, 2000);
  },
  10 * MINUTES,
);

describe.each([...TARGETS.keys()].filter((name) => targetOf(name).protocol.kind === "line"))("%s", (board) => {
  const runs = RUNS[targetOf(board).protocol.name] ?? 500;
  test.each(board === "esp32" ? SEEDS.slice(0, 1) : SEEDS)(
    `${runs} lines whose far end lies, seed %i`,
    async (seed) => {
      const ends = await fuzzReplies(board, seed, runs);
      expect(Object.values(ends).reduce((a, b) => a + b, 0)).toBe(runs);
    },
    10 * MINUTES,
  );
});
