// Made-up images, weights and requantisations of the cases of convolution.
import { imageBytes, padPixels } from "../../runtime/image/format.ts";
import { CODES, packFx16, packWeights, type WeightFormat } from "../../runtime/image/weights.ts";
import { random } from "../support/data.ts";

const spread = (n: number, seed: number, least: number, most: number): Int8Array => {
  const r = random(seed);
  return Int8Array.from({ length: n }, () => least + Math.floor(r() * (most - least + 1)));
};

const bytesOf = (t: Int8Array): Uint8Array => new Uint8Array(t.buffer, t.byteOffset, t.byteLength);

/** Images [rows, h, w, c] of bytes least…most, each followed by `gap` bytes of something else. */
export function images(rows: number, h: number, w: number, c: number, seed: number, gap = 0, [least, most] = [-128, 127]): Uint8Array {
  const stride = imageBytes(h, w, c) + gap;
  const out = new Uint8Array(rows * stride).fill(0x55);
  for (let r = 0; r < rows; r++) out.set(bytesOf(padPixels(spread(h * w * c, seed + r, least, most), c)), r * stride);
  return out;
}

/** Where outputs go: bytes that must not survive. */
export const blank = (rows: number, h: number, w: number, c: number, gap = 0): Uint8Array => new Uint8Array(rows * (imageBytes(h, w, c) + gap)).fill(0x33);

/** Bytes of a tensor of images without the gaps between them. */
export const withoutGaps = (rows: number, bytes: number, gap: number) => (t: ArrayLike<number>) =>
  Uint8Array.from({ length: rows * bytes }, (_, i) => t[Math.floor(i / bytes) * (bytes + gap) + (i % bytes)]);

/** Weights over the whole range of their format, its ends included. */
export function weights(format: WeightFormat, shape: readonly number[], seed: number): Uint8Array {
  const [least, most] = CODES[format];
  const codes = spread(
    shape.reduce((p, d) => p * d, 1),
    seed,
    least,
    most,
  );
  codes.set([least, most].slice(0, codes.length));
  return packWeights(format, shape, codes);
}

/** Requantisation that spreads sums of `terms` products with codes up to `most` over the bytes; some channels clamp, one has a negative scale. */
export function requantisation(channels: number, terms: number, most: number, shift: number, seed: number): Uint8Array {
  const r = random(seed);
  const typical = 80 / (most * 0.6 * 74 * Math.sqrt(terms));
  const scales = Int16Array.from({ length: channels }, (_, c) => Math.max(-32768, Math.min(32767, Math.round((c === 3 ? -1 : 0.4 + 2 * r()) * typical * 2 ** shift))));
  return packFx16(
    scales,
    Int16Array.from({ length: channels }, () => Math.floor(r() * 300)),
  );
}
