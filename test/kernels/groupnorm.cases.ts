// groupnorm. The error of a head is that of layernorm over dh elements (layernorm.cases.ts).
import { normal } from "../support/data.ts";
import type { Case } from "./case.ts";
import { LADDER, ROUNDING } from "./rows.ts";

function make(
  name: string,
  rows: number,
  heads: number,
  dh: number,
  { gap = 0, shift = 0, scale = 1, poison }: { gap?: number; shift?: number; scale?: number; poison?: number } = {},
): Case {
  const stride = heads * dh + gap;
  return {
    name: `${name}, rows ${rows}, ${heads} heads of ${dh}, gap ${gap}`,
    variant: "f32",
    rows,
    values: { heads, dh, eps: Math.fround(1e-5) },
    strides: { x: stride, y: stride },
    tensors: () => {
      const x = normal(rows * stride, dh, scale).map((v) => v + shift);
      if (poison !== undefined) x[0] = poison;
      return { x, weight: normal(heads * dh, 2), bias: normal(heads * dh, 3), y: new Float32Array(rows * stride).fill(7) };
    },
    compare: { y: { abs: (dh / 4 + 8) * ROUNDING * 4 * (Math.abs(shift) + 1), rel: (dh / 4 + 8) * ROUNDING } },
  };
}

export const cases: Case[] = [
  ...LADDER.map((dh) => make("normal", 1, 3, dh)),
  make("gaps", 3, 2, 64, { gap: 8 }),
  make("one head", 5, 1, 127),
  make("far from zero", 2, 2, 65, { shift: 50 }),
  make("zero", 2, 2, 16, { scale: 0 }),
  make("NaN stays in its head", 1, 2, 12, { poison: Number.NaN }),
  make("no rows", 0, 2, 8),
];
