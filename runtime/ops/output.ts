// How the references of ops with an f32 variant and one for each activation format write one row of output.
import { ACTS } from "../act/catalogue.gen.ts";
import type { Operands } from "./define.ts";

/** Puts row r of `y`: rounds f64 values to f32, then (variants other than `f32`) quantises them. */
export function writeRow({ tensors, values: v }: Operands, variant: string, r: number, row: readonly number[]): void {
  if (variant === "f32") (tensors.y as Float32Array).set(row, r * v.ys);
  else ACTS[variant].encode(Float32Array.from(row), (tensors.y as Uint8Array).subarray(r * v.ys, r * v.ys + ACTS[variant].bytes(v.k)), v.panel, tensors.range?.[0]);
}
