// dwconv2d: strides, borders, windows and channels at, below and above whole vectors. Floats: sums of at most 25 products below 16, each rounded.
import { imageBytes, windows } from "../../runtime/image/format.ts";
import { normal } from "../support/data.ts";
import type { Case } from "./case.ts";
import { blank, images, requantisation, weights, withoutGaps } from "./images.ts";

interface Shape {
  readonly side: readonly [height: number, width: number];
  readonly channels: number;
  readonly size?: number;
  readonly stride?: number;
  readonly pad?: number;
  readonly rows?: number;
  readonly relu?: number;
  readonly gap?: number;
}

function valuesOf({ side, channels, size = 3, stride = 1, pad = size >> 1, relu = 1 }: Shape, shift: number) {
  const [height, width] = side;
  return { height, width, channels, size, stride, pad, shift, relu, oh: windows(height, size, stride, pad), ow: windows(width, size, stride, pad) };
}

function int(variant: "w8" | "w4", name: string, s: Shape): Case {
  const shift = variant === "w8" ? 20 : 16;
  const v = valuesOf(s, shift);
  const { rows = 1, gap = 0 } = s;
  const [xBytes, yBytes] = [imageBytes(v.height, v.width, v.channels), imageBytes(v.oh, v.ow, v.channels)];
  return {
    name: `${name}: ${rows} of ${v.height}×${v.width}×${v.channels} → ${v.oh}×${v.ow}, window ${v.size}, stride ${v.stride}, pad ${v.pad}${v.relu ? "" : ", no ReLU"}`,
    variant,
    rows,
    values: v,
    strides: { x: xBytes + gap, y: yBytes + gap },
    tensors: () => ({
      x: images(rows, v.height, v.width, v.channels, 1, gap),
      w: weights(variant === "w8" ? "dw8" : "dw4", [v.size * v.size, 1, v.channels], 2),
      quant: requantisation(v.channels, v.size * v.size, variant === "w8" ? 127 : 8, shift, 3),
      y: blank(rows, v.oh, v.ow, v.channels, gap),
    }),
    compare: { y: "exact" },
    view: { y: withoutGaps(rows, yBytes, gap) },
  };
}

/** Every product as great as it can be: what lanes of 16 bits have room for. */
function extreme(variant: "w8" | "w4"): Case {
  const plain = int(variant, "extremes", { side: [4, 4], channels: 16, relu: 0 });
  return {
    ...plain,
    tensors: () => {
      const t = plain.tensors();
      (t.x as Uint8Array).fill(0x80);
      (t.w as Uint8Array).fill(variant === "w8" ? 0x81 : 0xf8);
      return t;
    },
  };
}

function float(name: string, s: Shape): Case {
  const v = valuesOf(s, 8);
  const [x, y] = [v.height * v.width * v.channels, v.oh * v.ow * v.channels];
  return {
    name: `${name}: ${v.height}×${v.width}×${v.channels}, window ${v.size}, stride ${v.stride}`,
    variant: "f32",
    rows: 2,
    values: v,
    strides: { x, y },
    tensors: () => ({ x: normal(2 * x, 1), w: normal(v.size * v.size * v.channels, 2), bias: normal(v.channels, 3), y: new Float32Array(2 * y).fill(7) }),
    compare: { y: { abs: 4e-5, rel: 1e-5 } },
  };
}

const shapes: [string, Shape][] = [
  ...[1, 15, 16, 17, 20, 116].flatMap((channels): [string, Shape][] => [["channels", { side: [4, 5], channels }]]),
  ...[1, 2, 3].flatMap((stride): [string, Shape][] => [["strides", { side: [7, 8], channels: 20, stride }]]),
  ...[0, 1, 2].flatMap((pad): [string, Shape][] => [["borders", { side: [5, 3], channels: 16, pad }]]),
  ...[1, 2, 4, 5, 7].flatMap((size): [string, Shape][] => [["windows", { side: [8, 6], channels: 16, size }]]),
  ["one pixel", { side: [1, 1], channels: 16 }],
  ["several images", { side: [3, 4], channels: 20, rows: 3, gap: 16 }],
  ["no ReLU", { side: [3, 4], channels: 20, relu: 0 }],
  ["no images", { side: [3, 4], channels: 16, rows: 0 }],
];

export const cases: Case[] = [
  ...shapes.map(([name, s]) => int("w8", name, s)),
  ...shapes.map(([name, s]) => int("w4", name, s)),
  extreme("w8"),
  extreme("w4"),
  float("floats", { side: [6, 5], channels: 20 }),
  float("floats", { side: [6, 5], channels: 3, size: 5, stride: 2, relu: 0 }),
];
