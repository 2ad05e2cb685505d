// deltaconv2d: the cases of conv2d's windows, with few changes, with more than it goes by events for, and with a step that is asked to be dense.
import { eventsBytes } from "../../runtime/image/events.ts";
import { imageBytes, windows } from "../../runtime/image/format.ts";
import { REFERENCES } from "../../runtime/ops/references.gen.ts";
import type { Case } from "./case.ts";
import { changing } from "./events.cases.ts";
import { blank, requantisation, weights } from "./images.ts";

interface Shape {
  readonly side: readonly [height: number, width: number];
  readonly channels: number;
  readonly outputs: number;
  readonly size?: number;
  readonly stride?: number;
  readonly pad?: number;
  readonly share?: number;
  /** Share of the pairs up to which the step goes by events; default 1. */
  readonly most?: number;
  readonly dense?: boolean;
}

/** Makes the operands once, as references are slow, and hands out copies. */
function once(make: () => Record<string, Uint8Array>): () => Record<string, Uint8Array> {
  let made: Record<string, Uint8Array> | undefined;
  return () => {
    made ??= make();
    return Object.fromEntries(Object.entries(made).map(([field, bytes]) => [field, bytes.slice()]));
  };
}

function make(variant: "w8" | "w4", name: string, { side, channels, outputs, size = 3, stride = 1, pad = size >> 1, share = 0.15, most = 1, dense = false }: Shape): Case {
  const [height, width] = side;
  const [oh, ow] = [windows(height, size, stride, pad), windows(width, size, stride, pad)];
  const shift = variant === "w8" ? 24 : 18;
  const pairs = height * width * Math.ceil(channels / 2);
  const values = { height, width, channels, outputs, oh, ow, size, stride, pad, shift, relu: 1 };
  const strides = { x: imageBytes(height, width, channels), y: imageBytes(oh, ow, outputs) };
  const w = weights(variant === "w8" ? "conv8" : "conv4", [outputs, size * size, channels], 2);
  const quant = requantisation(outputs, size * size * channels, variant === "w8" ? 127 : 8, shift, 3);
  return {
    name: `${name}: ${height}×${width}×${channels} → ${oh}×${ow}×${outputs}, window ${size}, stride ${stride}, ${share} changed`,
    variant,
    rows: 1,
    values,
    strides,
    tensors: once(() => {
      const { x, before } = changing(height, width, channels, share);
      const list = new Uint8Array(eventsBytes(height, width, channels));
      new Uint32Array(list.buffer)[0] = dense ? 0 : Math.floor(most * pairs) + 1;
      const [y, sums] = [blank(1, oh, ow, outputs), new Uint8Array(4 * imageBytes(oh, ow, outputs))];
      // What the step before left, unless this one must not look at it.
      const [v, then] = [{ ...values, rows: 1, xs: strides.x, ys: strides.y }, before.slice()];
      if (!dense) REFERENCES.deltaconv2d({ tensors: { x: then, w, quant, y, sums }, values: v }, variant);
      REFERENCES.events({ tensors: { x, before: then, list }, values: v }, "image");
      return { x, w, quant, y, list, sums };
    }),
    compare: { y: "exact", sums: "exact" },
  };
}

const shapes: [string, Shape][] = [
  ...[1, 2, 17, 20].flatMap((channels): [string, Shape][] => [["channels", { side: [6, 5], channels, outputs: 16 }]]),
  ...[10, 33].flatMap((outputs): [string, Shape][] => [["outputs", { side: [5, 4], channels: 16, outputs }]]),
  ["a stride of 2", { side: [9, 8], channels: 16, outputs: 20, stride: 2 }],
  ["a linear", { side: [1, 1], channels: 116, outputs: 10, size: 1 }],
  ["the whole window", { side: [4, 4], channels: 32, outputs: 10, size: 4, pad: 0 }],
  ["nothing changed", { side: [5, 4], channels: 16, outputs: 16, share: 0 }],
  ["all changed", { side: [5, 4], channels: 16, outputs: 16, share: 1 }],
  ["more than is gone by events for", { side: [5, 4], channels: 16, outputs: 16, share: 0.5, most: 0.1 }],
  ["asked to be dense", { side: [5, 4], channels: 20, outputs: 16, dense: true }],
];

export const cases: Case[] = [...shapes.map(([name, s]) => make("w8", name, s)), ...shapes.map(([name, s]) => make("w4", name, s))];
