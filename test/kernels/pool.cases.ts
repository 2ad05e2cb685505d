// pool: windows, strides and borders; means by fx16. Floats: sums of at most 49 numbers below 4.
import { imageBytes, windows } from "../../runtime/image/format.ts";
import { normal } from "../support/data.ts";
import type { Case } from "./case.ts";
import { blank, images, withoutGaps } from "./images.ts";

interface Shape {
  readonly side: readonly [height: number, width: number];
  readonly channels: number;
  readonly window?: readonly [kh: number, kw: number];
  readonly stride?: number;
  readonly pad?: number;
  readonly rows?: number;
  readonly gap?: number;
}

function make(variant: string, name: string, { side, channels, window = [2, 2], stride = 2, pad = 0, rows = 1, gap = 0 }: Shape): Case {
  const [height, width] = side;
  const [kh, kw] = window;
  const [oh, ow] = [windows(height, kh, stride, pad), windows(width, kw, stride, pad)];
  const floats = variant.endsWith("f32");
  const [xBytes, yBytes] = floats ? [height * width * channels, oh * ow * channels] : [imageBytes(height, width, channels), imageBytes(oh, ow, channels)];
  const between = floats ? 0 : gap;
  return {
    name: `${name}: ${rows} of ${height}×${width}×${channels}, window ${kh}×${kw}, stride ${stride}, pad ${pad}`,
    variant,
    rows,
    values: { height, width, channels, oh, ow, kh, kw, stride, pad, scale: Math.round(2 ** 15 / (kh * kw)) - 1, shift: 15 },
    strides: { x: xBytes + between, y: yBytes + between },
    tensors: () =>
      floats
        ? { x: normal(rows * xBytes, 1), y: new Float32Array(rows * yBytes).fill(7) }
        : { x: images(rows, height, width, channels, 1, gap), y: blank(rows, oh, ow, channels, gap) },
    compare: { y: floats ? { abs: 1e-5, rel: 1e-5 } : "exact" },
    ...(floats ? {} : { view: { y: withoutGaps(rows, yBytes, gap) } }),
  };
}

const shapes: [string, Shape][] = [
  ...[1, 16, 20, 116].flatMap((channels): [string, Shape][] => [["channels", { side: [4, 6], channels }]]),
  ["as CoDeNet's stem", { side: [7, 8], channels: 24, window: [3, 3], pad: 1 }],
  ["overlapping", { side: [5, 5], channels: 16, window: [3, 2], stride: 1 }],
  ["global", { side: [7, 7], channels: 32, window: [7, 7], stride: 1 }],
  ["global, not square", { side: [3, 5], channels: 16, window: [3, 5], stride: 1 }],
  ["several images", { side: [4, 4], channels: 20, rows: 3, gap: 16 }],
  ["no images", { side: [4, 4], channels: 16, rows: 0 }],
];

export const cases: Case[] = ["max", "avg", "maxf32", "avgf32"].flatMap((variant) => shapes.map(([name, s]) => make(variant, name, s)));
