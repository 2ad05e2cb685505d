// wkv. Error: a sum of dh products of three factors each, every one rounded; a state forgets its error as it decays.
import type { OperandArray } from "../../runtime/ops/define.ts";
import { scheme } from "../../runtime/quant/f32.ts";
import { normal } from "../support/data.ts";
import { packed } from "./blocks.ts";
import type { Case } from "./case.ts";

function make(name: string, rows: number, heads: number, dh: number, { gap = 0, decay = 0.9 } = {}): Case {
  const channels = heads * dh;
  const stride = channels + gap;
  return {
    name: `${name}: rows ${rows}, ${heads} heads of ${dh}, decay to ${decay}${gap ? `, gap ${gap}` : ""}`,
    variant: "f32",
    rows,
    values: { heads, dh },
    strides: { receptance: stride, key: stride, value: stride, y: stride },
    tensors: () => ({
      receptance: normal(rows * stride, 1),
      key: normal(rows * stride, 2),
      value: normal(rows * stride, 3),
      decay: normal(channels, 4).map((v) => decay / (1 + Math.abs(v))),
      bonus: normal(channels, 5),
      hidden: packed(normal(channels * dh, 6), channels, dh),
      y: new Float32Array(rows * stride).fill(7),
    }),
    compare: { y: { abs: 1e-6 * (dh + 8), rel: 1e-5 }, hidden: { abs: 5e-6, rel: 2e-5 } },
    view: { hidden: (t: OperandArray) => scheme.decode(t as Uint8Array, channels, dh) },
    alike: { hidden: (t) => new Float32Array(t.slice().buffer) },
  };
}

export const cases: Case[] = [
  ...[1, 3, 4, 8, 15, 16, 17, 32, 64].map((dh) => make("widths", 2, 3, dh, { gap: dh % 5 })),
  ...[1, 2, 7, 40].map((rows) => make("prompts", rows, 2, 16)),
  make("a state that stays", 5, 2, 16, { decay: 1 }),
  make("a state that goes", 5, 2, 16, { decay: 0 }),
  make("no rows", 0, 2, 16),
];
