import { normal } from "../support/data.ts";
import type { Case } from "./case.ts";

const make = (variant: string, rows: number, k: number, gap = 0): Case => ({
  name: `rows ${rows}, k ${k}${gap ? `, gap ${gap}` : ""}`,
  variant,
  rows,
  values: { k },
  strides: { x: k + gap, y: k + gap },
  tensors: () => ({ x: normal(rows * (k + gap), 1), y: normal((variant === "last" ? 1 : rows) * (k + gap), 3) }),
  compare: { y: "exact" },
});

export const cases: Case[] = ["rows", "last"].flatMap((variant) => [
  ...[1, 3, 4, 5, 32, 127, 576].map((k) => make(variant, 1, k)),
  make(variant, 3, 37),
  make(variant, 5, 16, 8),
  make(variant, 0, 8),
]);
