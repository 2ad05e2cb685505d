// Goals of whole models against other engines: SmolLM2-135M's shape at int4, everything included.
import { fromContest } from "../byo/contests.ts";
import type { Goal } from "../goal.ts";

/** id, figure, bound, contest, figure of the contest, who of us plays. */
type Line = readonly [id: string, figure: string, bound: number, contest: string, work: "decode" | "prefill", ours: string];

const NATIVE = "int4 decode over native llama.cpp Q4_0, the faster of its JavaScript API and a C driver";
const WLLAMA = "int4 decode over the faster wllama, same Chromium";
const PREFILL = "int4 prefill of 512 tokens over native llama.cpp Q4_0";

const LINES: readonly Line[] = [
  ["kernels.native_1t", `${NATIVE}, 1 thread`, 1.0, "native-1t", "decode", "skint int4"],
  ["kernels.native_2t", `${NATIVE}, 2 threads`, 1.3, "native-2t", "decode", "skint int4"],
  ["kernels.native_simd_1t", `${NATIVE}, 1 thread, simd build`, 0.7, "native-1t", "decode", "skint int4 simd"],
  ["kernels.wllama_1t", `${WLLAMA}, 1 thread`, 10, "browser-1t", "decode", "skint page int4"],
  ["kernels.wllama_2t", `${WLLAMA}, 2 threads`, 10, "browser-2t", "decode", "skint page int4"],
  ["kernels.prefill_1t", `${PREFILL}, 1 thread`, 0.6, "native-1t", "prefill", "skint int4"],
  ["kernels.prefill_1t_rv", `${PREFILL}, 1 thread, V8 revectorizing`, 0.9, "native-1t", "prefill", "skint int4 revectorize"],
];

export const goals: readonly Goal[] = LINES.map(([id, figure, value, contest, work, ours]) => ({
  id,
  figure,
  unit: "ratio",
  must: { op: ">=", value },
  measure: fromContest({ contest, figure: work, ours }),
}));
