// The timing behind the choice between the builds relaxed and dot32.
import { expect, test } from "vitest";
import { prefersDot32, timeDots } from "../../targets/devices/wasm/dots.ts";
import { host } from "../../targets/hosts/node/host.ts";
import "../support/core.ts"; // lets Node 20 have relaxed SIMD

test("each dot product counts by the best of its rounds", () => {
  const took = [5, 2, 3, 6, 4, 7]; // ms: into i32, into i16, and so on
  let reads = 0;
  let time = 0;
  // The clock is read at the start of a round, between its halves and at its end.
  const clock = () => {
    if (reads++ % 3) time += took.shift() ?? 0;
    return time;
  };
  expect(timeDots(clock)).toEqual({ i32: 3, i16: 2 });
  expect(took).toEqual([]);
});

test("the choice is made once", () => {
  const first = prefersDot32(host.now);
  expect(prefersDot32(() => expect.unreachable("timed again"))).toBe(first);
});
