// events: none, some and all changed, odd numbers of channels, and a step that is asked to be dense.
import { eventsBytes, pairsOf } from "../../runtime/image/events.ts";
import type { OperandArray } from "../../runtime/ops/define.ts";
import { random } from "../support/data.ts";
import type { Case } from "./case.ts";
import { images } from "./images.ts";

/** An image and what follows it, in which about so many of the bytes are others. */
export function changing(h: number, w: number, c: number, share: number): { x: Uint8Array; before: Uint8Array } {
  const [x, other] = [images(1, h, w, c, 1), images(1, h, w, c, 9)];
  const r = random(5);
  return { x, before: x.map((v, i) => (r() < share ? other[i] : v)) };
}

/** The words that a list specifies: counts, and of each pixel its events. */
const specified = (h: number, w: number, c: number) => (t: OperandArray) => {
  const bytes = t as Uint8Array;
  const words = new Uint32Array(bytes.slice().buffer);
  const first = 1 + h + h * w;
  return words.map((v, i) => (i < first || (i - first) % (2 * pairsOf(c)) < 2 * words[1 + h + Math.floor((i - first) / (2 * pairsOf(c)))] ? v : 0));
};

const make = (name: string, h: number, w: number, c: number, share: number, dense = 0, rows = 1): Case => ({
  name: `${name}: ${h}×${w}×${c}, ${share} changed${dense ? ", dense" : ""}`,
  variant: "image",
  rows,
  values: { height: h, width: w, channels: c },
  strides: {},
  tensors: () => {
    const list = new Uint8Array(eventsBytes(h, w, c)).fill(0x11);
    new Uint32Array(list.buffer)[0] = dense ? 0 : 1;
    return { ...changing(h, w, c, share), list };
  },
  compare: { before: "exact", list: "exact" },
  ...(rows ? { view: { list: specified(h, w, c) } } : {}),
});

export const cases: Case[] = [
  make("nothing", 3, 4, 16, 0),
  ...[1, 2, 3, 15, 16, 17, 20, 116].map((c) => make("some", 4, 5, c, 0.2)),
  make("all", 3, 3, 20, 1),
  make("asked to be dense", 3, 4, 20, 0.3, 1),
  make("no image", 3, 4, 16, 0.5, 0, 0),
];
