// deltadwconv2d: the windows of dwconv2d, with few changes, with more than it goes by events for, and with a step that is dense whatever changed.
import { eventsBytes, pairsOf } from "../../runtime/image/events.ts";
import { imageBytes, windows } from "../../runtime/image/format.ts";
import { REFERENCES } from "../../runtime/ops/references.gen.ts";
import type { Case } from "./case.ts";
import { changing } from "./events.cases.ts";
import { blank, requantisation, weights } from "./images.ts";

interface Shape {
  readonly side: readonly [height: number, width: number];
  readonly channels: number;
  readonly size?: number;
  readonly stride?: number;
  readonly pad?: number;
  readonly relu?: number;
  readonly share?: number;
  /** Share of the pairs up to which the step goes by events; default 1. */
  readonly most?: number;
  readonly dense?: boolean;
}

function make(variant: "w8" | "w4", name: string, { side, channels, size = 3, stride = 1, pad = size >> 1, relu = 1, share = 0.03, most = 1, dense = false }: Shape): Case {
  const [height, width] = side;
  const [oh, ow] = [windows(height, size, stride, pad), windows(width, size, stride, pad)];
  const shift = variant === "w8" ? 20 : 16;
  const values = { height, width, channels, oh, ow, size, stride, pad, shift, relu };
  const strides = { x: imageBytes(height, width, channels), y: imageBytes(oh, ow, channels) };
  const w = weights(variant === "w8" ? "dw8" : "dw4", [size * size, 1, channels], 2);
  const quant = requantisation(channels, size * size, variant === "w8" ? 127 : 8, shift, 3);
  return {
    name: `${name}: ${height}×${width}×${channels} → ${oh}×${ow}, window ${size}, stride ${stride}, pad ${pad}, ${share} changed`,
    variant,
    rows: 1,
    values,
    strides,
    tensors: () => {
      const { x, before } = changing(height, width, channels, share);
      const list = new Uint8Array(eventsBytes(height, width, channels));
      new Uint32Array(list.buffer)[0] = dense ? 0 : Math.floor(most * height * width * pairsOf(channels)) + 1;
      const y = blank(1, oh, ow, channels);
      // What the step before left, unless this one must not look at it.
      const [v, then] = [{ ...values, rows: 1, xs: strides.x, ys: strides.y }, before.slice()];
      if (!dense) REFERENCES.deltadwconv2d({ tensors: { x: then, w, quant, y }, values: v }, variant);
      REFERENCES.events({ tensors: { x, before: then, list }, values: v }, "image");
      return { x, w, quant, y, list };
    },
    compare: { y: "exact" },
  };
}

const shapes: [string, Shape][] = [
  ...[1, 16, 17, 116].map((channels): [string, Shape] => ["channels", { side: [6, 5], channels }]),
  ...[2, 3].map((stride): [string, Shape] => ["strides", { side: [9, 8], channels: 20, stride }]),
  ...[0, 1, 2].map((pad): [string, Shape] => ["borders", { side: [7, 5], channels: 16, pad }]),
  ...[1, 2, 5].map((size): [string, Shape] => ["windows", { side: [8, 6], channels: 16, size }]),
  ["no ReLU", { side: [5, 4], channels: 20, relu: 0 }],
  ["nothing changed", { side: [5, 4], channels: 16, share: 0 }],
  ["all changed", { side: [5, 4], channels: 16, share: 1 }],
  ["more than is gone by events for", { side: [5, 4], channels: 16, share: 0.5, most: 0.1 }],
  ["dense", { side: [5, 4], channels: 20, dense: true }],
];

export const cases: Case[] = [...shapes.map(([name, s]) => make("w8", name, s)), ...shapes.map(([name, s]) => make("w4", name, s))];
