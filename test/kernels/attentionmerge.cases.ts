// attentionmerge. A sum of n shares of about one errs by a few roundings each: 1e-6 relative, of values below 4.
import { BLOCK, blocksOf, partWords } from "../../runtime/ops/attention/parts.ts";
import { normal } from "../support/data.ts";
import type { Case } from "./case.ts";

interface Shape {
  readonly rows: number;
  readonly heads: number;
  readonly dh: number;
  readonly pos: number;
  readonly window?: number;
  readonly gap?: number;
  /** How far greatest scores lie apart. */
  readonly spread?: number;
}

function make({ rows, heads, dh, pos, window = 0, gap = 0, spread = 1 }: Shape): Case {
  const capacity = pos + rows + 3;
  const stride = heads * dh + gap;
  const words = partWords(dh);
  return {
    name: `rows ${rows}, ${heads} heads of ${dh}, pos ${pos}${window ? `, window ${window}` : ""}${gap ? `, gap ${gap}` : ""}, spread ${spread}`,
    variant: "f32",
    rows,
    values: { pos, heads, dh, capacity, window },
    strides: { y: stride },
    tensors: () => {
      const parts = normal(rows * heads * blocksOf(capacity) * words, 5);
      for (let at = 0; at < parts.length; at += words) {
        parts[at] *= spread;
        parts[at + 1] = 1 + Math.abs(parts[at + 1]) * BLOCK;
        for (let i = 4; i < words; i++) parts[at + i] *= parts[at + 1];
      }
      return { parts, y: new Float32Array(rows * stride).fill(7) };
    },
    compare: { y: { abs: 4e-6, rel: 1e-6 } },
  };
}

export const cases: Case[] = [
  ...[1, 3, 16, 20, 64, 127].map((dh) => make({ rows: 1, heads: 2, dh, pos: 700 })),
  ...[0, 255, 256, 5000].map((pos) => make({ rows: 1, heads: 9, dh: 64, pos })),
  ...[1, 256, 300].map((window) => make({ rows: 3, heads: 2, dh: 24, pos: 510, window, gap: 5 })),
  make({ rows: 1, heads: 3, dh: 32, pos: 2000, spread: 40 }),
  make({ rows: 0, heads: 3, dh: 32, pos: 2 }),
];
