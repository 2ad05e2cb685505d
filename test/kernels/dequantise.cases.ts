// dequantise: every byte, zero points at both ends and between.
import { pixelBytes } from "../../runtime/image/format.ts";
import type { Case } from "./case.ts";
import { images } from "./images.ts";

const make = (rows: number, k: number, zero: number): Case => ({
  name: `rows ${rows}, k ${k}, zero ${zero}`,
  variant: "image",
  rows,
  values: { k, zero, factor: 0.0390625 },
  strides: { x: pixelBytes(k), y: k },
  tensors: () => ({ x: images(rows, 1, 1, k, 1), y: new Float32Array(rows * k).fill(7) }),
  compare: { y: "exact" },
});

export const cases: Case[] = [make(1, 10, 0), make(3, 16, 131), make(2, 37, 255), make(1, 300, 128), make(0, 10, 0)];
