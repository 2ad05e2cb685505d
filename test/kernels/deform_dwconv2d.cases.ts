// deform_dwconv2d: every dilation, both strides, borders, channels at, below and above whole vectors (specs/codenet.md §9).
import { imageBytes, windows } from "../../runtime/image/format.ts";
import type { Case } from "./case.ts";
import { blank, images, requantisation, weights, withoutGaps } from "./images.ts";

interface Shape {
  readonly side: readonly [height: number, width: number];
  readonly channels: number;
  readonly stride?: number;
  /** One dilation for all outputs; default: all of 0…7, mixed. */
  readonly dilation?: number;
  readonly rows?: number;
  readonly gap?: number;
}

function make(variant: "w8" | "w4", name: string, { side, channels, stride = 1, dilation, rows = 1, gap = 0 }: Shape): Case {
  const [height, width] = side;
  const shift = variant === "w8" ? 20 : 16;
  const [oh, ow] = [windows(height, 3, stride, 1), windows(width, 3, stride, 1)];
  const [xBytes, yBytes, dBytes] = [imageBytes(height, width, channels), imageBytes(oh, ow, channels), imageBytes(oh, ow, 1)];
  const range: [number, number] = dilation === undefined ? [-128, -121] : [dilation - 128, dilation - 128];
  return {
    name: `${name}: ${rows} of ${height}×${width}×${channels}, stride ${stride}, dilation ${dilation ?? "mixed"}`,
    variant,
    rows,
    values: { height, width, channels, oh, ow, stride, shift, relu: 0 },
    strides: { x: xBytes + gap, y: yBytes + gap, dilation: dBytes + gap },
    tensors: () => ({
      x: images(rows, height, width, channels, 1, gap),
      dilation: images(rows, oh, ow, 1, 4, gap, range),
      w: weights(variant === "w8" ? "dw8" : "dw4", [9, 1, channels], 2),
      quant: requantisation(channels, 9, variant === "w8" ? 127 : 8, shift, 3),
      y: blank(rows, oh, ow, channels, gap),
    }),
    compare: { y: "exact" },
    view: { y: withoutGaps(rows, yBytes, gap) },
  };
}

const shapes: [string, Shape][] = [
  ...[0, 1, 2, 3, 4, 5, 6, 7].flatMap((dilation): [string, Shape][] => [1, 2].map((stride) => ["dilations", { side: [9, 10], channels: 16, stride, dilation }])),
  ...[1, 16, 20, 116].flatMap((channels): [string, Shape][] => [["channels", { side: [8, 7], channels }]]),
  ["a stride of 2", { side: [17, 16], channels: 20, stride: 2 }],
  ["beyond 7", { side: [9, 9], channels: 16, dilation: 200 }],
  ["smaller than its reach", { side: [3, 2], channels: 16, dilation: 7 }],
  ["several images", { side: [5, 6], channels: 20, rows: 2, gap: 16 }],
  ["no images", { side: [5, 6], channels: 16, rows: 0 }],
];

export const cases: Case[] = [...shapes.map(([name, s]) => make("w8", name, s)), ...shapes.map(([name, s]) => make("w4", name, s))];
