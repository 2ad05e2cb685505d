// headnorm. The error of a head is that of rmsnorm over dh elements (rmsnorm.cases.ts).
import { normal } from "../support/data.ts";
import type { Case } from "./case.ts";
import { LADDER, ROUNDING } from "./rows.ts";

function make(
  name: string,
  rows: number,
  heads: number,
  dh: number,
  { gap = 0, scale = 1, offset = 0, poison }: { gap?: number; scale?: number; offset?: number; poison?: number } = {},
): Case {
  const stride = heads * dh + gap;
  return {
    name: `${name}, rows ${rows}, ${heads} heads of ${dh}, gap ${gap}`,
    variant: "f32",
    rows,
    values: { heads, dh, eps: Math.fround(1e-6), offset },
    strides: { x: stride },
    tensors: () => {
      const x = normal(rows * stride, dh, scale);
      if (poison !== undefined) x[0] = poison;
      return { x, weight: normal(dh, 2) };
    },
    compare: { x: { abs: 1e-37, rel: (dh / 8 + 8) * ROUNDING } },
  };
}

export const cases: Case[] = [
  ...LADDER.map((dh) => make("normal", 1, 3, dh)),
  make("gaps, Gemma's offset", 3, 2, 64, { gap: 8, offset: 1 }),
  make("one head", 5, 1, 127),
  make("zero", 2, 2, 16, { scale: 0 }),
  make("NaN stays in its head", 1, 2, 12, { poison: Number.NaN }),
  make("no rows", 0, 2, 8),
];
