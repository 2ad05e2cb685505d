// How weights of convolutions lie in memory. Codes are symmetric a channel; what they stand for is in the layer's fx16 (runtime/num/fx16.ts).
//   conv8   i8  [n, taps, c]: blocks of 16 outputs, each [taps][c / 2][16 outputs][2 channels]; n and c are padded to 16 with zeros
//   conv4   the same with codes -8…7 in nibbles, stored plus 8: a byte is an output's pair, the lower channel in the lower nibble
//   dw8     i8  [taps, 1, c]: [taps][c], c padded to 16 with zeros; dw4 has codes -8…7 in whole bytes, as a tap of 16 channels is one vector either way
//   fx16    [c]: blocks of 16 channels, 16 scales then 16 biases, i16; padding has scale and bias zero, which gives the byte of zero
import { SkintError } from "../errors.ts";
import type { Fx16 } from "../num/fx16.ts";
import { mul, roundup } from "../num/int.ts";
import { LANES } from "./format.ts";

export type WeightFormat = "conv8" | "conv4" | "dw8" | "dw4";

/** Formats with the greatest and the least code each. */
export const CODES: Readonly<Record<WeightFormat, readonly [number, number]>> = { conv8: [-127, 127], conv4: [-8, 7], dw8: [-127, 127], dw4: [-8, 7] };

export const isWeightFormat = (format: string): format is WeightFormat => Object.hasOwn(CODES, format);

/** Bytes of weights of the shape [n, taps, c], or [taps, 1, c] of depthwise ones. Throws `format.limit` beyond 2^53. */
export function weightBytes(format: WeightFormat, [n, taps, c]: readonly number[]): number {
  if (format.startsWith("dw")) return mul("weights", n, roundup(c, LANES));
  const codes = mul("weights", roundup(n, LANES), taps, roundup(c, LANES));
  return format === "conv4" ? codes / 2 : codes;
}

/** Place of the code of output o, tap t, channel c: byte, or for conv4 nibble. */
function place(format: WeightFormat, [, taps, channels]: readonly number[], o: number, t: number, c: number): number {
  const padded = roundup(channels, LANES);
  if (format.startsWith("dw")) return o * padded + c;
  const pair = ((o >> 4) * taps + t) * (padded / 2) + (c >> 1);
  return pair * 2 * LANES + 2 * (o & 15) + (c & 1);
}

function eachCode(shape: readonly number[], f: (o: number, t: number, c: number, i: number) => void): void {
  const [n, taps, channels] = shape;
  let i = 0;
  for (let o = 0; o < n; o++) for (let t = 0; t < taps; t++) for (let c = 0; c < channels; c++) f(o, t, c, i++);
}

/** Codes i8 in row-major order of the shape → memory. Throws `format.limit` for a code the format does not have. */
export function packWeights(format: WeightFormat, shape: readonly number[], codes: Int8Array): Uint8Array {
  const out = new Uint8Array(weightBytes(format, shape)).fill(format === "conv4" ? 0x88 : 0);
  const [least, most] = CODES[format];
  eachCode(shape, (o, t, c, i) => {
    const code = codes[i];
    if (!(code >= least && code <= most)) throw new SkintError("format.limit", `weight ${i} has the code ${code}, ${format} takes ${least} to ${most}`, { what: format });
    const at = place(format, shape, o, t, c);
    if (format !== "conv4") out[at] = code;
    else out[at >> 1] = at & 1 ? (out[at >> 1] & 0x0f) | ((code + 8) << 4) : (out[at >> 1] & 0xf0) | (code + 8);
  });
  return out;
}

/** The inverse of `packWeights`. */
export function unpackWeights(format: WeightFormat, shape: readonly number[], packed: Uint8Array): Int8Array {
  const codes = new Int8Array(shape.reduce((p, d) => p * d, 1));
  eachCode(shape, (o, t, c, i) => {
    const at = place(format, shape, o, t, c);
    codes[i] = format === "conv4" ? ((packed[at >> 1] >> (at & 1 ? 4 : 0)) & 15) - 8 : packed[at];
  });
  return codes;
}

export const fx16Bytes = (c: number): number => roundup(c, LANES) * 4;

/** Scales and biases i16 [c] → memory. */
export function packFx16(scales: Int16Array, biases: Int16Array): Uint8Array {
  const out = new Int16Array(fx16Bytes(scales.length) / 2);
  scales.forEach((scale, c) => {
    out[2 * LANES * (c >> 4) + (c & 15)] = scale;
    out[2 * LANES * (c >> 4) + LANES + (c & 15)] = biases[c];
  });
  return new Uint8Array(out.buffer);
}

/** How channel c of a layer is requantised. */
export function fx16Of(packed: Uint8Array, c: number, shift: number, relu: boolean): Fx16 {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const at = 4 * LANES * (c >> 4) + 2 * (c & 15);
  return { scale: view.getInt16(at, true), bias: view.getInt16(at + 2 * LANES, true), shift, relu };
}

/** Throws `model.tensor` for a byte that is no code of the format: kernels count on sums of its codes to fit. Nibbles are always codes. */
export function checkCodes(name: string, format: "dw8" | "dw4", packed: Uint8Array): void {
  const [least, most] = CODES[format];
  const codes = new Int8Array(packed.buffer, packed.byteOffset, packed.length);
  const at = codes.findIndex((c) => c < least || c > most);
  if (at >= 0)
    throw new SkintError("model.tensor", `tensor ${name}: byte ${at} is ${codes[at]}, ${format} has ${least} to ${most}; the file is damaged: fetch it or write it again`, {
      what: name,
    });
}
