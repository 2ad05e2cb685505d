// conv2d: strides, borders, windows and channels at, below and above whole vectors. Floats: sums of at most 9 · 20 products below 16, each rounded.
import { imageBytes, windows } from "../../runtime/image/format.ts";
import { normal } from "../support/data.ts";
import type { Case } from "./case.ts";
import { blank, images, requantisation, weights, withoutGaps } from "./images.ts";

interface Shape {
  readonly side: readonly [height: number, width: number];
  readonly channels: number;
  readonly outputs: number;
  readonly size?: number;
  readonly stride?: number;
  readonly pad?: number;
  readonly rows?: number;
  readonly relu?: number;
  readonly gap?: number;
}

function valuesOf({ side, channels, outputs, size = 3, stride = 1, pad = size >> 1, relu = 1 }: Shape, shift: number) {
  const [height, width] = side;
  return { height, width, channels, outputs, size, stride, pad, shift, relu, oh: windows(height, size, stride, pad), ow: windows(width, size, stride, pad) };
}

function int(variant: "w8" | "w4", name: string, s: Shape): Case {
  const shift = variant === "w8" ? 24 : 18;
  const v = valuesOf(s, shift);
  const { rows = 1, gap = 0 } = s;
  const format = variant === "w8" ? "conv8" : "conv4";
  const [xBytes, yBytes] = [imageBytes(v.height, v.width, v.channels), imageBytes(v.oh, v.ow, v.outputs)];
  return {
    name: `${name}: ${rows} of ${v.height}×${v.width}×${v.channels} → ${v.oh}×${v.ow}×${v.outputs}, window ${v.size}, stride ${v.stride}, pad ${v.pad}${v.relu ? "" : ", no ReLU"}`,
    variant,
    rows,
    values: v,
    strides: { x: xBytes + gap, y: yBytes + gap },
    tensors: () => ({
      x: images(rows, v.height, v.width, v.channels, 1, gap),
      w: weights(format, [v.outputs, v.size * v.size, v.channels], 2),
      quant: requantisation(v.outputs, v.size * v.size * v.channels, variant === "w8" ? 127 : 8, shift, 3),
      y: blank(rows, v.oh, v.ow, v.outputs, gap),
    }),
    compare: { y: "exact" },
    view: { y: withoutGaps(rows, yBytes, gap) },
  };
}

function float(name: string, s: Shape): Case {
  const v = valuesOf(s, 8);
  const { rows = 1 } = s;
  const [x, y] = [v.height * v.width * v.channels, v.oh * v.ow * v.outputs];
  return {
    name: `${name}: ${v.height}×${v.width}×${v.channels} → ${v.outputs}, window ${v.size}, stride ${v.stride}, pad ${v.pad}`,
    variant: "f32",
    rows,
    values: v,
    strides: { x, y },
    tensors: () => ({
      x: normal(rows * x, 1),
      w: normal(v.outputs * v.size * v.size * v.channels, 2),
      bias: normal(v.outputs, 3),
      y: new Float32Array(rows * y).fill(7),
    }),
    compare: { y: { abs: 1e-4, rel: 1e-5 } },
  };
}

const shapes: [string, Shape][] = [
  ...[1, 2, 16, 20, 32].flatMap((channels): [string, Shape][] => [["channels", { side: [4, 5], channels, outputs: 16 }]]),
  ...[1, 15, 17, 33].flatMap((outputs): [string, Shape][] => [["outputs", { side: [3, 4], channels: 16, outputs }]]),
  ["116 channels", { side: [3, 3], channels: 116, outputs: 20 }],
  ["1 × 1", { side: [4, 3], channels: 20, outputs: 20, size: 1 }],
  ["a linear", { side: [1, 1], channels: 116, outputs: 10, size: 1, relu: 0 }],
  ...[1, 2, 3, 4].flatMap((stride): [string, Shape][] => [["strides", { side: [9, 8], channels: 3, outputs: 24, stride }]]),
  ...[0, 1, 2].flatMap((pad): [string, Shape][] => [["borders", { side: [5, 3], channels: 16, outputs: 16, pad }]]),
  ["a window of 5", { side: [6, 6], channels: 4, outputs: 16, size: 5, pad: 3 }],
  ["a window larger than the image", { side: [2, 2], channels: 16, outputs: 16, size: 5 }],
  ["one pixel", { side: [1, 1], channels: 16, outputs: 16 }],
  ["several images", { side: [3, 4], channels: 20, outputs: 20, rows: 3, gap: 32 }],
  ["no ReLU", { side: [3, 4], channels: 20, outputs: 20, relu: 0 }],
  ["no images", { side: [3, 4], channels: 16, outputs: 16, rows: 0 }],
];

export const cases: Case[] = [
  ...shapes.map(([name, s]) => int("w8", name, s)),
  ...shapes.map(([name, s]) => int("w4", name, s)),
  float("channels", { side: [4, 5], channels: 20, outputs: 7, rows: 2 }),
  float("strides", { side: [9, 8], channels: 3, outputs: 5, stride: 2 }),
  float("a linear", { side: [1, 1], channels: 20, outputs: 10, size: 1, relu: 0 }),
];
