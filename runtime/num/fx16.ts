// fx16: requantisation of integer sums to stored bytes with whole numbers only, the same bits in TypeScript, WASM and gateware.
//     v = (acc · scale + 2^(shift-1)) >> shift      halves go up; >> rounds towards minus infinity
//     v = v + bias;  v = max(v, 0) where the layer has a ReLU
//     y = clamp(v - 128, -128, 127)                 the stored byte is the value less 128: zero behind a ReLU is the byte -128
// Widths as the hardware has them: acc 24 bits, scale and bias 16 bits, all signed; scale and bias a channel, shift a layer (CoDeNet's engine: 16).
// Weights multiply stored bytes, so that the exporter folds 128 · Σ w · scale into bias (specs/codenet.md §4). Not for sums of floats.
import { SkintError } from "../errors.ts";

/** Stored byte of the value zero behind a ReLU, and of every place outside an image. */
export const FX16_ZERO = -128;

/** Bounds of the operands, ends included. Below a shift of 8 a sum would not fit 32 bits. */
export const FX16 = {
  acc: [-(2 ** 23), 2 ** 23 - 1],
  scale: [-(2 ** 15), 2 ** 15 - 1],
  bias: [-(2 ** 15), 2 ** 15 - 1],
  shift: [8, 31],
} as const;

/** How one channel of a layer is requantised. */
export interface Fx16 {
  readonly scale: number;
  readonly shift: number;
  readonly bias: number;
  readonly relu: boolean;
}

/**
 * One sum to its stored byte, -128…127. The caller keeps to the bounds of `FX16`; every product is exact in a double (38 bits).
 * Source: specs/codenet.md §4, with the shift an attribute instead of 16.
 */
export function fx16(acc: number, { scale, shift, bias, relu }: Fx16): number {
  const rounded = Math.floor((acc * scale + 2 ** (shift - 1)) / 2 ** shift) + bias;
  const v = relu ? Math.max(rounded, 0) : rounded;
  return Math.min(Math.max(v + FX16_ZERO, -128), 127);
}

/**
 * The greatest shift and the scales that come nearest to the factors (stored steps a unit of acc), one a channel: the largest of them uses
 * 15 bits. Throws `recipe.invalid` if a factor is not finite or too large for 16 bits at the least shift.
 */
export function fx16Scales(factors: readonly number[]): { shift: number; scales: Int16Array } {
  const largest = Math.max(...factors.map(Math.abs));
  const [least, most] = FX16.shift;
  const fits = (shift: number) => Math.round(largest * 2 ** shift) <= FX16.scale[1];
  let shift: number = most;
  while (shift > least && !fits(shift)) shift--;
  if (!Number.isFinite(largest) || !fits(shift))
    throw new SkintError("recipe.invalid", `a layer multiplies its sums by ${largest}, fx16 takes at most ${FX16.scale[1] / 2 ** least}; check the ranges of its activations`);
  return { shift, scales: Int16Array.from(factors, (f) => Math.round(f * 2 ** shift)) };
}
