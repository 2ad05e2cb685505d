// Goals of the FPGA device: right everywhere, near its peak, small and fast enough for its boards, and unmoved by noise.
import { shareExact, utilisation } from "../fpga/exact.ts";
import { cellShare, megahertz } from "../fpga/images.ts";
import { finishedShare, wrongAnswers } from "../fpga/noise.ts";
import { shareSplit } from "../fpga/split.ts";
import type { Absent, Area, Goal, GoalContext, Measured } from "../goal.ts";

type Line = readonly [id: string, figure: string, unit: string, op: Goal["must"]["op"], bound: number, measure: (context: GoalContext) => Promise<Measured | Absent>];

const LINES: readonly Line[] = [
  ["exact", "jobs of the shape ladder, every mode: simulator (RTL, vendor cells) = twin = reference", "share", "=", 1, shareExact],
  ["util_int8", "int8 multiply-adds a clock over the bitstream's peak, least over k from 128 on", "share", ">=", 0.9, (c) => utilisation("int8", c)],
  ["util_int4", "int4 multiply-adds a clock over the bitstream's peak, least over k from 128 on", "share", ">=", 0.9, (c) => utilisation("int4", c)],
  ["up5k_cells", "int8, int4, 2:4 and sequencer on the UP5K: logic cells", "share", "<=", 0.75, (c) => cellShare("icebreaker", c)],
  ["up5k_mhz", "the same: fastest clock by nextpnr", "MHz", ">=", 24, (c) => megahertz("icebreaker", c)],
  ["hx8k_mhz", "the HX8K's image: fastest clock by nextpnr", "MHz", ">=", 60, (c) => megahertz("hx8k", c)],
  ["noise", "wrong answers in 1,000 jobs with 1 % of bytes corrupted or lost each way", "jobs", "=", 0, wrongAnswers],
  ["noise_done", "of those jobs, finished", "share", ">=", 0.99, finishedShare],
  ["split", "models shared between the FPGA's twin and WASM that give the bits of WASM alone", "share", "=", 1, shareSplit],
];

export const area: Area = {
  name: "fpga",
  goals: LINES.map(([id, figure, unit, op, value, measure]) => ({ id: `fpga.${id}`, figure, unit, must: { op, value }, measure })),
};
