// scan. Error: a step multiplies a state by an exponential and adds a product, so that its relative error grows by at most 6e-7 a row; the
// sum of `states` products errs by (states + 4) roundings of Σ|c·h|. With values below 4, at most 64 states and 40 rows, 5e-5 of the
// largest state that can be (4 · 4 · δ · rows) covers it; the typical error is 1e-6.

import type { OperandArray } from "../../runtime/ops/define.ts";
import { scheme } from "../../runtime/quant/f32.ts";
import { normal } from "../support/data.ts";
import { packed } from "./blocks.ts";
import type { Case } from "./case.ts";

interface Shape {
  readonly rows: number;
  readonly channels: number;
  readonly states?: number;
  readonly gap?: number;
  /** Mean of the steps before softplus, and the size of a: how fast states decay. */
  readonly step?: number;
  readonly decay?: number;
  /** First steps, whatever the others are. */
  readonly special?: readonly number[];
}

function make(name: string, { rows, channels, states = 16, gap = 0, step = -2, decay = 1, special = [] }: Shape): Case {
  const [wide, narrow] = [channels + gap, states + gap];
  return {
    name: `${name}: rows ${rows}, channels ${channels}, states ${states}${gap ? `, gap ${gap}` : ""}, step ${step}, decay ${decay}`,
    variant: "f32",
    rows,
    values: { channels, states },
    strides: { x: wide, dt: wide, z: wide, y: wide, b: narrow, c: narrow },
    tensors: () => {
      const dt = normal(rows * wide, 2).map((v) => v + step);
      dt.set(special);
      return {
        x: normal(rows * wide, 1),
        dt,
        bias: normal(channels, 3, 0.5),
        a: packed(
          normal(channels * states, 4).map((v, i) => -decay * (1 + (i % states) + Math.abs(v))),
          channels,
          states,
        ),
        b: normal(rows * narrow, 5),
        c: normal(rows * narrow, 6),
        d: normal(channels, 7),
        z: normal(rows * wide, 8, 2),
        hidden: packed(normal(channels * states, 9), channels, states),
        y: new Float32Array(rows * wide).fill(7),
      };
    },
    compare: { y: { abs: 5e-5, rel: 1e-5 }, dt: { abs: 1e-36, rel: 6e-7 }, hidden: { abs: 5e-6, rel: 2e-5 } },
    view: { hidden: (t: OperandArray) => scheme.decode(t as Uint8Array, channels, states) },
    // what fills the last block too
    alike: { hidden: (t) => new Float32Array(t.slice().buffer) },
  };
}

export const cases: Case[] = [
  ...[1, 3, 4, 5, 15, 16, 17, 20, 31, 32, 50, 64, 127, 256].map((channels) => make("widths", { rows: 2, channels, gap: channels % 5 })),
  ...[1, 2, 3, 5, 8, 16, 20, 64].map((states) => make("states", { rows: 3, channels: 36, states })),
  ...[1, 2, 3, 7, 40].map((rows) => make("prompts", { rows, channels: 20 })),
  make("states that hardly decay", { rows: 40, channels: 16, step: -7, decay: 0.01 }),
  make("states that decay at once", { rows: 3, channels: 16, step: 5, decay: 30 }),
  make("steps beyond the range of exp", { rows: 1, channels: 24, special: [0, -0, 20, 30, 88.5, 100, -20, -87, -88, -100, 1e4, -1e4, 1e-40] }),
  make("a step that is not finite", { rows: 2, channels: 8, special: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY] }),
  make("no rows", { rows: 0, channels: 20 }),
];
