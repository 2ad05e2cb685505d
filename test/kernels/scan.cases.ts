// scan. Error: a step multiplies a state by an exponential and adds a product, so that its relative error grows by at most 6e-7 a row; the
// sum of `states` products errs by (states + 4) roundings of Σ|c·h|. With values below 4, at most 64 states and 40 rows, 5e-5 of the
// largest state that can be (4 · 4 · δ · rows) covers it; the typical error is 1e-6.

import { format as i8static } from "../../runtime/act/i8static.ts";
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
    compare: { y: { abs: 5e-5, rel: 1e-5 }, hidden: { abs: 5e-6, rel: 2e-5 } },
    view: { hidden: (t: OperandArray) => scheme.decode(t as Uint8Array, channels, states) },
    // what fills the last block too
    alike: { hidden: (t) => new Float32Array(t.slice().buffer) },
  };
}

/** A case whose inputs are rows of i8static, some of them clamped. Hidden states of int8 may be a code off where the reference rounds the other way. */
function int8(variant: "i8f32" | "i8i8", name: string, shape: Shape): Case {
  const plain = make(name, shape);
  const { rows } = shape;
  const { channels, states } = plain.values;
  const widths: Record<string, number> = { x: channels, dt: channels, z: channels, b: states, c: states };
  const ranges: Record<string, number> = { x: 2.5, dt: 4, z: 5, b: 2, c: 3 };
  const stride = (field: string) => i8static.bytes(widths[field]) + 64 * (shape.gap ?? 0);
  const quantised = (field: string, values: Float32Array): Uint8Array => {
    const out = new Uint8Array(rows * stride(field)).fill(0x55);
    for (let r = 0; r < rows; r++) {
      const from = r * plain.strides[field];
      i8static.encode(values.slice(from, from + widths[field]), out.subarray(r * stride(field)), 0, ranges[field]);
    }
    return out;
  };
  const blocks = Math.ceil(channels / 16);
  const int8Hidden = variant === "i8i8";
  return {
    ...plain,
    name: `${plain.name}, ${variant}`,
    variant,
    strides: { ...Object.fromEntries(Object.keys(widths).map((f) => [f, stride(f)])), y: plain.strides.y },
    tensors: () => {
      const t = plain.tensors();
      return {
        ...t,
        ...Object.fromEntries(Object.keys(widths).map((f) => [f, quantised(f, t[f] as Float32Array)])),
        ...(int8Hidden
          ? {
              hidden: Uint8Array.from({ length: blocks * states * 16 }, (_, i) => ((i * 37) % 255) - 127),
              rangehidden: Float32Array.from({ length: states }, (_, n) => (n === 3 ? 0 : 6 / (n + 1))),
            }
          : {}),
        saturations: Uint32Array.from({ length: 2 * channels }, (_, i) => i),
      };
    },
    compare: int8Hidden
      ? { y: { abs: 0.5, rel: 1e-2 }, hidden: { abs: 1, rel: 0 }, saturations: { abs: 2, rel: 0 } }
      : { y: { abs: 2e-4, rel: 1e-5 }, hidden: { abs: 2e-5, rel: 2e-5 }, saturations: "exact" },
    view: { hidden: (t: OperandArray) => (int8Hidden ? Float32Array.from(new Int8Array(t.slice().buffer)) : scheme.decode(t as Uint8Array, channels, states)) },
    alike: { hidden: (t) => t.slice() },
  };
}

/** One token of a layer: what is timed. */
export const scanStep = (channels: number, states: number): Case => make("a step", { rows: 1, channels, states });

export const cases: Case[] = [
  ...[1, 3, 4, 5, 15, 16, 17, 20, 31, 32, 50, 64, 127, 256].map((channels) => make("widths", { rows: 2, channels, gap: channels % 5 })),
  ...[1, 2, 3, 5, 8, 16, 20, 64].map((states) => make("states", { rows: 3, channels: 36, states })),
  ...[1, 2, 3, 7, 40].map((rows) => make("prompts", { rows, channels: 20 })),
  make("states that hardly decay", { rows: 40, channels: 16, step: -7, decay: 0.01 }),
  make("states that decay at once", { rows: 3, channels: 16, step: 5, decay: 30 }),
  make("steps beyond the range of exp", { rows: 1, channels: 24, special: [0, -0, 20, 30, 88.5, 100, -20, -87, -88, -100, 1e4, -1e4, 1e-40] }),
  make("a step that is not finite", { rows: 2, channels: 8, special: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY] }),
  make("no rows", { rows: 0, channels: 20 }),
  ...(["i8f32", "i8i8"] as const).flatMap((variant) => [
    ...[1, 7, 8, 15, 16, 17, 24, 31, 32, 50, 64, 127, 256].map((channels) => int8(variant, "widths", { rows: 2, channels, gap: channels % 5 })),
    ...[1, 2, 3, 5, 8, 16, 20, 64].map((states) => int8(variant, "states", { rows: 2, channels: 36, states })),
    ...[1, 2, 3, 7, 20].map((rows) => int8(variant, "prompts", { rows, channels: 20 })),
    int8(variant, "states that hardly decay", { rows: 20, channels: 16, step: -7, decay: 0.01 }),
    int8(variant, "states that decay at once", { rows: 3, channels: 16, step: 5, decay: 30 }),
    int8(variant, "no rows", { rows: 0, channels: 20 }),
  ]),
];
