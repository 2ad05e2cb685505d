import { normal } from "../support/data.ts";
import type { Case } from "./case.ts";

const make = (rows: number, k: number, stride = k): Case => ({
  name: `rows ${rows}, k ${k}, stride ${stride}`,
  variant: "f32",
  rows,
  values: { k },
  strides: { a: stride, b: stride, y: stride },
  tensors: () => ({ a: normal(rows * stride, 1), b: normal(rows * stride, 2), y: normal(rows * stride, 3) }),
  compare: { y: "exact" },
});

export const cases: Case[] = [make(1, 1), make(1, 3), make(1, 4), make(1, 64), make(3, 37), make(5, 16, 24), make(0, 8)];
