// conv1d. Error: a sum of at most 8 products and a bias below 4 · 4, each rounded, then silu (activate.cases.ts).
import { format as i8static } from "../../runtime/act/i8static.ts";
import { normal } from "../support/data.ts";
import { packed } from "./blocks.ts";
import type { Case } from "./case.ts";

interface Shape {
  readonly rows: number;
  readonly channels: number;
  readonly taps?: number;
  readonly bias?: boolean;
  readonly silu?: boolean;
  readonly gap?: number;
}

function make(name: string, { rows, channels, taps = 4, bias = true, silu = true, gap = 0 }: Shape): Case {
  const stride = channels + gap;
  return {
    name: `${name}: rows ${rows}, channels ${channels}, taps ${taps}${bias ? "" : ", no bias"}${silu ? "" : ", no silu"}${gap ? `, gap ${gap}` : ""}`,
    variant: "f32",
    rows,
    values: { channels, taps, silu: silu ? 1 : 0 },
    strides: { x: stride, y: stride },
    tensors: () => ({
      x: normal(rows * stride, 1),
      w: packed(normal(channels * taps, 2), channels, taps),
      ...(bias ? { bias: normal(channels, 3) } : {}),
      window: normal(taps * channels, 4),
      y: new Float32Array(rows * stride).fill(7),
    }),
    compare: { y: { abs: 4e-6, rel: 1e-6 }, window: "exact" },
  };
}

/** The case with x as rows of i8static, some of them clamped, and a window of codes. */
function int8(name: string, shape: Shape): Case {
  const plain = make(name, shape);
  const { rows, channels, taps = 4, gap = 0 } = shape;
  const stride = i8static.bytes(channels) + 64 * gap;
  return {
    ...plain,
    name: `${plain.name}, int8`,
    variant: "i8",
    strides: { x: stride, y: plain.strides.y },
    tensors: () => {
      const t = plain.tensors();
      const x = new Uint8Array(rows * stride).fill(0x55);
      for (let r = 0; r < rows; r++) i8static.encode((t.x as Float32Array).slice(r * (channels + gap), r * (channels + gap) + channels), x.subarray(r * stride), 0, 2);
      return { ...t, x, window: Uint8Array.from({ length: taps * channels }, (_, i) => ((i * 37) % 255) - 127) };
    },
  };
}

export const cases: Case[] = [
  ...[1, 3, 4, 5, 15, 16, 17, 20, 31, 32, 50, 64, 127, 256].map((channels) => make("widths", { rows: 2, channels, gap: channels % 5 })),
  ...[1, 2, 3, 4, 5, 8, 9, 20].map((rows) => make("prompts", { rows, channels: 37 })),
  ...[1, 2, 3, 5, 8].flatMap((taps) => [1, 3, 11].map((rows) => make("taps", { rows, channels: 24, taps }))),
  make("plain", { rows: 3, channels: 40, bias: false, silu: false }),
  make("no bias", { rows: 3, channels: 40, bias: false }),
  make("no activation", { rows: 3, channels: 40, silu: false }),
  make("no rows", { rows: 0, channels: 20 }),
  ...[1, 3, 15, 16, 17, 31, 32, 50, 64, 127, 256].map((channels) => int8("widths", { rows: 2, channels, gap: channels % 5 })),
  ...[1, 2, 3, 4, 5, 8, 9, 20].map((rows) => int8("prompts", { rows, channels: 37 })),
  ...[1, 2, 3, 5, 8].flatMap((taps) => [1, 3, 11].map((rows) => int8("taps", { rows, channels: 24, taps }))),
  int8("plain", { rows: 3, channels: 40, bias: false, silu: false }),
  int8("no rows", { rows: 0, channels: 20 }),
];
