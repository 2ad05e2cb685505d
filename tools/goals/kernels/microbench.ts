// Goals of single kernels: their share of what this machine can do, and of our own dense kernels. Kernels that are compared were timed in turn in
// one run (tools/bench/kernels); a run is made once for all goals that look at it.
import { ratioOf, shareOf } from "../../bench/kernels/record.ts";
import { type Sampled, type Samples, sampleKernels } from "../../bench/kernels/run.ts";
import type { State, Subject } from "../../bench/kernels/subject.ts";
import type { Absent, Goal, GoalContext, Measured } from "../goal.ts";

interface Setting {
  readonly n: number;
  readonly k: number;
  readonly tokens: number;
  readonly state: State;
  readonly threads: number;
  readonly isa: "auto" | "simd";
  readonly kernels: RegExp;
}

const SQUARE = { n: 4096, k: 4096, tokens: 1, state: "cold", isa: "auto" } as const;
const HALF = { n: 2048, k: 2048, tokens: 128, state: "hot", threads: 1 } as const;

const GEMV: Setting = { ...SQUARE, threads: 1, kernels: /^gemv_(?!f)/ };
const GEMV_2T: Setting = { ...SQUARE, threads: 2, kernels: /^gemv_q4g32__/ };
const GEMM: Setting = { ...HALF, isa: "auto", kernels: /^gemm_(?!f)/ };
const GEMV_SIMD: Setting = { n: 576, k: 1536, tokens: 1, state: "hot", threads: 1, isa: "simd", kernels: /^gemv_q4g32__/ };
const GEMM_SIMD: Setting = { ...HALF, isa: "simd", kernels: /^gemm_q8__/ };

const ROUNDS = 60;

const runs = new Map<Setting, Promise<Samples | undefined>>();

function runOf(setting: Setting, { signal, note }: GoalContext): Promise<Samples | undefined> {
  const { n, k, tokens, state, threads, isa, kernels } = setting;
  const make = () => {
    note(`timing ${kernels.source} at ${n} × ${k}, ${tokens} tokens, ${threads} threads`);
    const shape = { name: `${n}x${k}`, n, k, tokens: [tokens] };
    return sampleKernels({ shape, threads, isa, states: [state], rounds: ROUNDS, wanted: (kernel) => kernels.test(kernel), signal });
  };
  if (!runs.has(setting)) runs.set(setting, make());
  return runs.get(setting) as Promise<Samples | undefined>;
}

const NONE: Absent = { absent: "no such kernel in this build" };
const NO_RELAXED: Absent = { absent: "this engine has no relaxed SIMD" };

const rate = ({ of, ms }: Sampled<Subject>): number => (of.steps * of.macs) / [...ms].sort((a, b) => a - b)[Math.floor(ms.length / 4)];
const fastest = (all: readonly Sampled<Subject>[]) => [...all].sort((a, b) => rate(b) - rate(a)).at(0);

/** Weights of so many bits, every one of them kept. */
const isDense = (scheme: string, bits: string) => new RegExp(`^q${bits}(?:g\\d+m?)?$`).test(scheme);

type Judge = (samples: Samples) => Measured | Absent;

/** Share of the fastest kernel of these schemes in a limit. */
export function share(schemes: RegExp, limit: string, relaxed: boolean): Judge {
  return ({ limits, kernels, build }) => {
    if (relaxed && /^(?:simd|scalar)/.test(build)) return NO_RELAXED;
    const best = fastest(kernels.filter((s) => schemes.test(s.of.scheme)));
    const most = limits.find((l) => l.of.name === limit);
    if (!best || !most) return NONE;
    return { ...shareOf(best, most), note: `${best.of.kernel} in build ${build}` };
  };
}

/** Rate of the fastest kernel of these schemes over that of the fastest dense one of as many bits: of the same activation format, if there is one. */
export function overDense(schemes: RegExp, bits: string): Judge {
  return ({ kernels, build }) => {
    const mine = fastest(kernels.filter((s) => schemes.test(s.of.scheme)));
    if (!mine) return NONE;
    const dense = kernels.filter((s) => isDense(s.of.scheme, bits));
    const alike = dense.filter((s) => s.of.act === mine.of.act);
    const other = fastest(alike.length ? alike : dense);
    if (!other) return NONE;
    const ratio = ratioOf(mine.of.steps * mine.of.macs, mine.ms, other.of.steps * other.of.macs, other.ms);
    return { ...ratio, note: `${mine.of.kernel} over ${other.of.kernel} in build ${build}` };
  };
}

type Line = readonly [id: string, figure: string, bound: number, setting: Setting, judge: Judge];

const LINES: readonly Line[] = [
  ["q4_bw_1t", "int4 GEMV in groups of 32, cold 4096²: bytes of weights a second over a read-only stream, 1 thread", 0.6, GEMV, share(/^q4g32$/, "read", true)],
  ["q4_bw_2t", "the same on 2 threads", 0.85, GEMV_2T, share(/^q4g32$/, "read", true)],
  ["q4_simd_peak", "int4 GEMV of the simd build, hot 576 × 1536, over the peak of the i16 dot", 0.6, GEMV_SIMD, share(/^q4g32$/, "i16dot", false)],
  ["q8_bw_1t", "int8 GEMV, cold 4096²: bytes of weights a second over a read-only stream, 1 thread", 0.85, GEMV, share(/^q8(?:g\d+)?$/, "read", false)],
  ["gemm_q4", "int4 GEMM in groups of 32, 2048² with 128 tokens, over the peak of the i16 relaxed dot", 0.6, GEMM, share(/^q4g32$/, "i16rdot", true)],
  ["gemm_q8", "int8 GEMM of the simd build, 2048² with 128 tokens, over the peak of the i16 dot", 0.85, GEMM_SIMD, share(/^q8$/, "i16dot", false)],
  ["s24_q8", "2:4 int8 GEMV over our dense int8, cold 4096²", 1.5, GEMV, overDense(/^q8s24v?$/, "8")],
  ["s24v_q4", "2:4 int4 GEMV with shared masks over our dense int4, cold 4096²", 1.3, GEMV, overDense(/^q4s24v$/, "4")],
  ["s24_gemm", "2:4 int4 GEMM over our dense int4, 2048² with 128 tokens", 1.35, GEMM, overDense(/^q4s24v?$/, "4")],
  ["t2", "ternary GEMV over our dense int4, cold 4096²", 1.4, GEMV, overDense(/^t2$/, "4")],
  ["q161", "PTQ1.61 GEMV over our dense int4, cold 4096²", 1.1, GEMV, overDense(/^q161$/, "4")],
];

export const goals: readonly Goal[] = LINES.map(([id, figure, value, setting, judge]) => ({
  id: `kernels.${id}`,
  figure,
  unit: "ratio",
  must: { op: ">=", value },
  measure: async (context) => {
    const samples = await runOf(setting, context);
    return samples ? judge(samples) : NONE;
  },
}));
