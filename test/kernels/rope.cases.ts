import { normal } from "../support/data.ts";
import type { Case } from "./case.ts";

interface Shape {
  readonly rows: number;
  readonly heads: number;
  readonly dh: number;
  readonly rot: number;
  readonly pairing: number;
  readonly pos?: number;
  readonly gap?: number;
}

function make({ rows, heads, dh, rot, pairing, pos = 2, gap = 0 }: Shape): Case {
  const stride = heads * dh + gap;
  return {
    name: `rows ${rows}, ${heads} heads of ${dh}, rot ${rot}, pairing ${pairing}, pos ${pos}${gap ? `, gap ${gap}` : ""}`,
    variant: "f32",
    rows,
    values: { pos, heads, dh, rot, pairing },
    strides: { x: stride },
    tensors: () => ({ x: normal(rows * stride, 1), table: Float32Array.from(normal((pos + rows) * rot, 2), Math.sin) }),
    compare: { x: "exact" },
  };
}

export const cases: Case[] = [0, 1].flatMap((pairing) => [
  ...[2, 4, 6, 8, 10, 32, 64, 96].map((dh) => make({ rows: 2, heads: 3, dh, rot: dh, pairing })),
  make({ rows: 1, heads: 9, dh: 64, rot: 64, pairing, pos: 0 }),
  make({ rows: 3, heads: 2, dh: 80, rot: 32, pairing, gap: 5 }),
  make({ rows: 3, heads: 2, dh: 5, rot: 0, pairing }),
  make({ rows: 0, heads: 2, dh: 8, rot: 8, pairing }),
]);
