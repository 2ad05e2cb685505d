// What a quantisation of GGUF is here: how many weights lie in how many bytes, and what they stand for. Products and sums are those of ggml's
// dequantize_row, in its order; each is rounded to f32 once, when it is stored: scales have 11 bits, codes at most 7, so that products are exact
// and one sum of two of them fits a double.
import { f16ToF32 } from "../../../num/half.ts";

export interface Block {
  /** Name of the type in ggml. */
  readonly name: string;
  /** Weights of a block. */
  readonly elements: number;
  /** Bytes of a block. */
  readonly bytes: number;
  /** The weights of `count` blocks into out[0, count × elements). */
  decode(blocks: Uint8Array, count: number, out: Float32Array): void;
}

/** The f16 at byte `at`. */
export function half(bytes: Uint8Array, at: number): number {
  return f16ToF32(bytes[at] | (bytes[at + 1] << 8));
}
