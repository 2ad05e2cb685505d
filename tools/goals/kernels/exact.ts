// Goal: every kernel of every build, on any number of threads, gives what the reference gives, over all cases of test/kernels.
import type { Goal, GoalContext, Measured } from "../goal.ts";

async function share({ signal }: GoalContext): Promise<Measured> {
  // Loaded when it is needed: on Node 20 it switches relaxed SIMD on for the whole process.
  const { measureExactness } = await import("../../../test/kernels/exact.ts");
  const { checks, wrong } = await measureExactness(signal);
  return { value: (checks - wrong.length) / checks, note: [`${checks} kernels × builds × threads × cases`, ...wrong.slice(0, 3)].join("; ") };
}

export const goals: readonly Goal[] = [
  {
    id: "kernels.exact",
    figure: "kernels × builds × threads × cases equal to the reference (integers) or within its bound (floats)",
    unit: "share",
    must: { op: "=", value: 1 },
    measure: share,
  },
];
