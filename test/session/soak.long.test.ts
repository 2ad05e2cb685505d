// Half an hour of mixed steps leaves no memory behind.
import { expect, test } from "vitest";
import { soak } from "../../tools/goals/sparse/soak.ts";

const HALF_HOUR = 30 * 60_000;

test(
  "memory after mixed steps for half an hour is what it was",
  async () => {
    const end = performance.now() + HALF_HOUR;
    while (performance.now() < end) expect((await soak(50_000)).value).toBe(0);
  },
  2 * HALF_HOUR,
);
