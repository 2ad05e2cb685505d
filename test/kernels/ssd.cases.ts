// ssd. Error: as scan's (scan.cases.ts), with one exponential a head; ssd-bound.test.ts holds the bound of both forms to account.
import type { OperandArray } from "../../runtime/ops/define.ts";
import { CHUNK, scratchWords } from "../../runtime/ops/ssd/chunks.ts";
import { scheme } from "../../runtime/quant/f32.ts";
import { normal } from "../support/data.ts";
import { packed } from "./blocks.ts";
import type { Case } from "./case.ts";

interface Shape {
  readonly rows: number;
  readonly heads: number;
  readonly dh: number;
  readonly groups?: number;
  readonly states?: number;
  readonly gap?: number;
  readonly limits?: readonly [number, number];
  readonly step?: number;
}

function make(name: string, { rows, heads, dh, groups = 1, states = 16, gap = 0, limits = [0, 0], step = -2 }: Shape): Case {
  const channels = heads * dh;
  const [wide, narrow, shared] = [channels + gap, heads + gap, groups * states + gap];
  return {
    name: `${name}: rows ${rows}, ${heads} heads of ${dh}, groups ${groups}, states ${states}, step ${step}, limits ${limits}${gap ? `, gap ${gap}` : ""}`,
    variant: "f32",
    rows,
    values: { heads, dh, groups, states, least: Math.fround(limits[0]), most: Math.fround(limits[1]) },
    strides: { x: wide, dt: narrow, y: wide, b: shared, c: shared },
    tensors: () => ({
      x: normal(rows * wide, 1),
      dt: normal(rows * narrow, 2).map((v) => v + step),
      bias: normal(heads, 3, 0.5),
      a: normal(heads, 4).map((v) => -1 - Math.abs(v)),
      b: normal(rows * shared, 5),
      c: normal(rows * shared, 6),
      d: normal(heads, 7),
      hidden: packed(normal(channels * states, 8), channels, states),
      y: new Float32Array(rows * wide).fill(7),
    }),
    compare: { y: { abs: 1e-4, rel: 1e-5 }, hidden: { abs: 5e-6, rel: 2e-5 } },
    view: { hidden: (t: OperandArray) => scheme.decode(t as Uint8Array, channels, states) },
    alike: { hidden: (t) => new Float32Array(t.slice().buffer) },
  };
}

/** Units that a case is cut into at most (kernels.test.ts). */
const UNITS = 7;

function chunks(name: string, shape: Shape): Case {
  const plain = make(name, shape);
  const words = scratchWords(plain.values);
  return {
    ...plain,
    name: `${plain.name}, by chunks`,
    variant: "chunks",
    strides: { ...plain.strides, scratch: words },
    tensors: () => ({ ...plain.tensors(), scratch: new Float32Array(UNITS * words).fill(Number.NaN) }),
  };
}

/** A prompt of a layer: what is timed. */
export const prompt = (variant: "f32" | "chunks", rows: number, heads: number, dh: number, states: number): Case =>
  ({ f32: make, chunks })[variant]("a prompt", { rows, heads, dh, states });

export const cases: Case[] = [
  ...[1, 3, 4, 8, 15, 16, 17, 32, 64].map((dh) => make("widths", { rows: 2, heads: 3, dh, gap: dh % 5 })),
  ...[1, 2, 5, 16, 64, 128].map((states) => make("states", { rows: 2, heads: 2, dh: 16, states })),
  ...[1, 2, 3, 6].map((groups) => make("groups", { rows: 2, heads: 6, dh: 16, groups })),
  ...[1, 2, 7, 40].map((rows) => make("prompts", { rows, heads: 2, dh: 16 })),
  make("steps within limits", { rows: 4, heads: 4, dh: 16, limits: [0.05, 0.2] }),
  make("states that hardly decay", { rows: 30, heads: 2, dh: 16, step: -8 }),
  make("states that decay at once", { rows: 3, heads: 2, dh: 16, step: 40 }),
  make("no rows", { rows: 0, heads: 2, dh: 16 }),
  ...[1, 8, 15, 16, 17, 32, 64].map((dh) => chunks("widths", { rows: CHUNK, heads: 3, dh, gap: dh % 5 })),
  ...[1, 2, 5, 16, 64, 128].map((states) => chunks("states", { rows: CHUNK, heads: 2, dh: 16, states })),
  ...[1, 2, 3, 6].map((groups) => chunks("groups", { rows: CHUNK, heads: 6, dh: 16, groups })),
  ...[1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 7].map((rows) => chunks("prompts", { rows, heads: 2, dh: 16 })),
  chunks("steps within limits", { rows: 2 * CHUNK, heads: 4, dh: 16, limits: [0.05, 0.2] }),
  chunks("states that hardly decay", { rows: 2 * CHUNK, heads: 2, dh: 16, step: -8 }),
  chunks("states that decay at once", { rows: CHUNK + 3, heads: 2, dh: 16, step: 40 }),
  chunks("no rows", { rows: 0, heads: 2, dh: 16 }),
];
