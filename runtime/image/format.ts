// Images of stored bytes (format `image`): NHWC, i8 [images, height, width, channels], each pixel padded to whole vectors of 16 channels.
// A stored byte is a value 0…255 less 128 (runtime/num/fx16.ts); padding channels hold the byte of zero, and so does every place outside an image.
import { FX16_ZERO } from "../num/fx16.ts";
import { mul, roundup } from "../num/int.ts";

/** Channels of one vector. */
export const LANES = 16;

/** Bytes of a pixel of c channels. */
export const pixelBytes = (c: number): number => roundup(c, LANES);

/** Bytes of one image of [h, w, c]. Throws `format.limit` beyond 2^53. */
export const imageBytes = (h: number, w: number, c: number): number => mul("an image", h, w, pixelBytes(c));

/** Rows or columns that a window of `size`, moved by `stride`, gives of `length` ones with `pad` more on each side; 0 if it does not fit. */
export const windows = (length: number, size: number, stride: number, pad: number): number => Math.max(0, Math.floor((length + 2 * pad - size) / stride) + 1);

/** Plain bytes i8 [pixels, c] as an image lies in memory. */
export function padPixels(plain: Int8Array, c: number): Int8Array {
  const step = pixelBytes(c);
  const out = new Int8Array((plain.length / c) * step).fill(FX16_ZERO);
  for (let p = 0; p * c < plain.length; p++) out.set(plain.subarray(p * c, (p + 1) * c), p * step);
  return out;
}

/** The inverse: an image in memory as plain bytes i8 [pixels, c]. */
export function stripPixels(image: Int8Array, c: number): Int8Array {
  const step = pixelBytes(c);
  const pixels = image.length / step;
  const out = new Int8Array(pixels * c);
  for (let p = 0; p < pixels; p++) out.set(image.subarray(p * step, p * step + c), p * c);
  return out;
}
