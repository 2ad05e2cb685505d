import { I8TOK, i8tokLayout, PANEL } from "../../runtime/act/i8tok.ts";
import type { OperandArray } from "../../runtime/ops/define.ts";
import { normal, random } from "../support/data.ts";
import type { Case } from "./case.ts";

type Fill = (k: number, seed: number) => Float32Array;

/** Values that sit on rounding ties once scaled: multiples of half a step. */
const ties: Fill = (k, seed) => {
  const r = random(seed);
  const x = Float32Array.from({ length: k }, () => (Math.floor(r() * 509) - 254) / 2);
  x[0] = 127;
  return x;
};

const fills: Record<string, Fill> = {
  normal,
  zero: (k) => new Float32Array(k),
  ties,
  negative: (k) => new Float32Array(k).fill(-3),
  subnormal: (k, seed) => normal(k, seed, 1e-41),
  huge: (k, seed) => normal(k, seed, 1e38),
  infinite: (k, seed) => normal(k, seed).fill(-Infinity, k >> 1),
};

/** What a row specifies: all before the panel, and 2·kp bytes of panel if there is one. */
function specified(rows: number, k: number, stride: number, panel: number) {
  const at = i8tokLayout(k);
  const end = panel === PANEL.none ? at.panel : at.panel + 2 * at.kp;
  return (t: OperandArray) => Uint8Array.from({ length: rows * end }, (_, i) => t[Math.floor(i / end) * stride + (i % end)]);
}

function make(fill: string, rows: number, k: number, panel: number, gap = 0): Case {
  const stride = i8tokLayout(k).bytes + gap;
  const xs = k + gap / 4;
  return {
    name: `${fill}, rows ${rows}, k ${k}, panel ${panel}${gap ? `, ${gap} bytes between rows` : ""}`,
    variant: "i8tok",
    rows,
    values: { k, panel },
    strides: { x: xs, y: stride },
    tensors: () => ({
      x: Float32Array.from(Array.from({ length: rows }, (_, r) => [...fills[fill](k, r + 1), ...new Float32Array(gap / 4)]).flat()),
      y: new Uint8Array(rows * stride).fill(0xee),
    }),
    compare: { y: "exact" },
    view: { y: specified(rows, k, stride, panel) },
  };
}

/** NaN must reach the scale; everything else of such a row is free. */
function poisoned(k: number, at: number): Case {
  const bytes = i8tokLayout(k).bytes;
  return {
    ...make("normal", 1, k, PANEL.q4),
    name: `NaN at ${at} of ${k}`,
    tensors: () => ({ x: normal(k, 1).fill(Number.NaN, at, at + 1), y: new Uint8Array(bytes) }),
    view: { y: (t) => new Float32Array([new DataView(t.buffer, t.byteOffset).getFloat32(0, true)]) },
  };
}

const panels = Object.values(PANEL);
export const cases: Case[] = [
  ...[1, 3, 15, 16, 17, 31, 32, 64, 127, I8TOK.align, 129, 300, 512, 1000].flatMap((k) => panels.map((panel) => make("normal", 2, k, panel))),
  ...Object.keys(fills).flatMap((fill) => panels.map((panel) => make(fill, 3, 160, panel))),
  ...panels.map((panel) => make("normal", 5, 200, panel, 64)),
  make("normal", 0, 64, PANEL.none),
  poisoned(64, 0),
  poisoned(67, 66),
];
