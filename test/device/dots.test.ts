// The timing behind the choice between the builds relaxed and dot32.
import { expect, test } from "vitest";
import { prefersDot32, timeDots } from "../../targets/devices/wasm/dots.ts";
import { host } from "../../targets/hosts/node/host.ts";
import "../support/core.ts"; // lets Node 20 have relaxed SIMD

/** A clock whose timings take these ms in turn: into i32 and into i16, after two of i32 that find out how much work is enough. */
function clockOf(took: number[]): () => number {
  let reads = 0;
  let time = 0;
  return () => {
    if (reads++ % 2) time += took.shift() ?? expect.unreachable("more timings than there should be");
    return time;
  };
}

test("each dot product counts by the best of its rounds", () => {
  const took = [1, 1, 5, 7, 3, 3, 6, 8];
  expect(timeDots(clockOf(took))).toEqual({ i32: 3, i16: 3 });
  expect(took).toEqual([]);
});

test("work is doubled until both of two timings are long: a stall does not pass for work", () => {
  const took = [9, 0.3, 0.6, 9, 1.2, 1.1, ...[1, 2], ...[1, 2], ...[1, 2]];
  expect(timeDots(clockOf(took))).toEqual({ i32: 1, i16: 2 });
  expect(took).toEqual([]);
});

test("where i32 seems slow it gets more rounds before that is believed", () => {
  expect(timeDots(clockOf([2, 2, ...[4, 2], ...[4, 2], ...[4, 2], ...[4, 2], ...[1.5, 2]]))).toEqual({ i32: 1.5, i16: 2 });
  const slow = [2, 2, ...Array.from({ length: 10 }, () => [4, 2]).flat()];
  expect(timeDots(clockOf(slow))).toEqual({ i32: 4, i16: 2 });
  expect(slow).toEqual([]);
});

test("the choice is made once", () => {
  const first = prefersDot32(host.now);
  expect(prefersDot32(() => expect.unreachable("timed again"))).toBe(first);
});
