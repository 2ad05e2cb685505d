// A hundred thousand random steps through linears and through convolutions drift by nothing (specs/delta-activation.md §12.1).
import { expect, test } from "vitest";
import { depthwiseNet, expectNoDrift, mlp } from "../support/streams.ts";

test.each([
  ["linears", mlp],
  ["convolutions", depthwiseNet],
] as const)(
  "%s: sums and outputs are those of computing all, every 1000th step of 100,000",
  async (_, make) => {
    const { stats } = await expectNoDrift(() => make(), 100_000, 1000);
    expect(stats[0]).toMatchObject({ dense: 1, sparse: 99_999 });
  },
  600_000,
);
