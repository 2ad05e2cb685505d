// Goals of sparse activation: only the work that matters is done.
import type { Absent, Area, Goal, GoalContext, Measured } from "../goal.ts";
import { countCost } from "../sparse/count.ts";
import { loss, macs, worst } from "../sparse/delta.ts";
import { tenthOverLlama } from "../sparse/native.ts";
import { coreOverRandom, onePercent } from "../sparse/quality.ts";
import { soakGoal } from "../sparse/soak.ts";
import { specs } from "../sparse/specs.ts";
import { coreOverDense, decodeTenth, skipping } from "../sparse/speed.ts";

type Line = readonly [id: string, figure: string, unit: string, op: Goal["must"]["op"], bound: number, measure: (context: GoalContext) => Promise<Measured | Absent>];

const LINES: readonly Line[] = [
  ["specs", "golden vectors and rules of exactness of the four specs that hold", "share", "=", 1, specs],
  ["count_cost", "share of the time of reading a prompt that counting core neurons takes, SmolLM2's shape, 1 thread", "share", "<=", 0.05, countCost],
  ["soak", "growth of memory over 10,000 mixed steps: prompts, decoding, stopped readings, modes", "bytes", "=", 0, soakGoal],
  ["ffn_core", "feed-forward decode time with a core of 20 % over dense q4g32, compact, SmolLM2 shapes, cold", "ratio", "<=", 0.35, coreOverDense],
  ["skip10", "q4n feed-forward at 10 % active over our best dense, from DRAM, 1 thread", "ratio", ">=", 3, skipping(0.1)],
  ["skip20", "the same at 20 %", "ratio", ">=", 1.9, skipping(0.2)],
  ["skip40", "the same at 40 %", "ratio", ">=", 1.1, skipping(0.4)],
  ["decode10", "whole decode, SmolLM2's shape with ReLU², random weights, the greatest 10 % active, over our dense int4, 1 thread", "ratio", ">=", 1.3, decodeTenth],
  ["native10", "the same, Arcee's proportions (no gate), over native llama.cpp on a Q4_0 file of the shape, which reads all", "ratio", ">=", 1.3, tenthOverLlama],
  [
    "ppl1",
    "tiny-relu, tiny-swiglu: distance from 1 % of what the calibration for 1 % of perplexity costs on held-out text, calibrated on its other half, worst",
    "points",
    "<=",
    0.3,
    onePercent,
  ],
  [
    "core_vs_random",
    "log-perplexity cost of the prompt's core over that of a random set of equal size, a half of the neurons and fewer, worst",
    "ratio",
    "<=",
    0.5,
    coreOverRandom,
  ],
  ["delta_macs", "digits that move through an int8 CNN: multiply-adds of computing all over those of the stream", "ratio", ">=", 3, macs],
  ["delta_loss", "accuracy that the int8 stream loses against f32", "points", "<=", 1, loss],
  ["delta_worst", "a stream of noise: its time over that without a stream, 1 thread", "ratio", "<=", 1.1, worst],
];

export const area: Area = {
  name: "sparse",
  goals: LINES.map(([id, figure, unit, op, value, measure]) => ({ id: `sparse.${id}`, figure, unit, must: { op, value }, measure })),
};
