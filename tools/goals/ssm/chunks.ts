// Speed of Mamba-2's scan by chunks over the same scan one token after the other: Mamba2-130M's shape, one thread, both in turn.
import { bootstrapRatio } from "../../../runtime/stats/bootstrap.ts";
import type { GoalContext, Measured } from "../goal.ts";
import { enableRelaxed } from "../slice/model.ts";

const [TOKENS, HEADS, DH, STATES] = [128, 24, 64, 128];
const ROUNDS = 40;
const WARM_UP = 8;

export async function chunksOverRows({ signal }: GoalContext): Promise<Measured> {
  const build = enableRelaxed() ? "relaxed" : "simd";
  const { bytesFor, place, RECORD } = await import("../../../test/kernels/harness.ts");
  const { instantiate } = await import("../../../test/support/core.ts");
  const { prompt } = await import("../../../test/kernels/ssd.cases.ts");
  const how = { units: 1, skew: 0 };
  const cores = (["f32", "chunks"] as const).map((variant) => {
    const c = prompt(variant, TOKENS, HEADS, DH, STATES);
    const core = instantiate(build, Math.ceil(bytesFor(c, how) / 65536));
    place(core.memory, build, `ssd_${variant}__simd`, "ssd", c, how);
    return core;
  });
  const spans: number[][] = cores.map(() => []);
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    signal.throwIfAborted();
    for (const [i, core] of cores.entries()) {
      const begin = performance.now();
      core.unit(RECORD, 0, 1);
      if (round >= 0) spans[i].push(performance.now() - begin);
    }
  }
  const ms = spans.map((s) => [...s].sort((a, b) => a - b)[s.length >> 1].toFixed(2));
  return { ...bootstrapRatio(spans[0], spans[1], "median"), note: `one after the other ${ms[0]} ms, by chunks ${ms[1]} ms, in build ${build}` };
}
