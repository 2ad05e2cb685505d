// How the references of ops with an f32 and an i8tok variant write one row of output.
import { encodeI8tok, i8tokLayout } from "../act/i8tok.ts";
import type { Operands } from "./define.ts";

/** Puts row r of `y`: rounds f64 values to f32, then (variant `i8tok`) quantises them. */
export function writeRow({ tensors, values: v }: Operands, variant: string, r: number, row: readonly number[]): void {
  if (variant === "f32") (tensors.y as Float32Array).set(row, r * v.ys);
  else encodeI8tok(Float32Array.from(row), (tensors.y as Uint8Array).subarray(r * v.ys, r * v.ys + i8tokLayout(v.k).bytes), v.panel);
}
