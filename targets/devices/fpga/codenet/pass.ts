// A pass of CoDeNet's engine, four words in its memory (rtl/codenet/passes.v). Addresses are in words of 64 bits.
import type { Fx16 } from "../../../../runtime/num/fx16.ts";
import { FX16 } from "../../../../runtime/num/fx16.ts";

/** Rows that the depthwise half is behind, and rows of the line buffer: those between the furthest taps of a window and the one that comes in. */
export const LEAD = 8;
export const LINE_ROWS = 16;
/** Channels of a slice: of a word. */
export const SLICE = 8;
export const PASS_BYTES = 32;
/** Greatest side of a tile, and greatest window, stride and number of slices. */
export const MOST = 255;
/** Words that a slice has of depthwise weights and of parameters. */
export const DEEP_WORDS = 9;
export const PARAMETER_WORDS = 8;

export interface Pass {
  /** Of the first window's first tap; with `bytes`, a byte's address. May lie before the image by the padding. Modulo 2^16. */
  readonly x: number;
  readonly y: number;
  readonly weights: number;
  readonly dilation: number;
  /** Words of the convolution's weights a slice. */
  readonly count: number;
  /** Of the input. */
  readonly width: number;
  readonly height: number;
  /** Of the convolution's output, which the depthwise half sees. */
  readonly cw: number;
  readonly ch: number;
  readonly size: number;
  readonly pad: number;
  readonly stride: number;
  /** Words a pixel of the input; 1 with `bytes`. */
  readonly xw: number;
  /** Words a pixel of the output. */
  readonly slices: number;
  /** Halves that are there. */
  readonly conv: boolean;
  readonly deep: boolean;
  readonly deform: boolean;
  /** The depthwise half has a stride of 2. */
  readonly byTwo: boolean;
  /** Weights of the convolution are int4. */
  readonly nibbles: boolean;
  /** The input is an image of one channel, a byte a pixel. */
  readonly bytes: boolean;
  /** Of fx16, a half each. */
  readonly shiftConv: number;
  readonly shiftDeep: number;
}

const FLAGS = ["conv", "deep", "deform", "byTwo", "nibbles", "bytes"] as const;
const SIDES = ["width", "height", "cw", "ch", "size", "pad", "stride", "xw"] as const;

/** Words from a row of the input to the next, from a window to the next, and to the one below; bytes with `bytes`. */
export const stepsOf = ({ width, xw, stride }: Pick<Pass, "width" | "xw" | "stride">) => ({ pitch: width * xw, xstep: stride * xw, ystep: stride * width * xw });

export function encodePass(p: Pass): Uint8Array {
  const out = new Uint8Array(PASS_BYTES);
  const view = new DataView(out.buffer);
  const { pitch, xstep, ystep } = stepsOf(p);
  [p.x, pitch, xstep, ystep, p.y, p.weights, p.dilation, p.count].forEach((v, i) => {
    view.setUint16(2 * i, v & 0xffff, true);
  });
  SIDES.forEach((name, i) => {
    out[16 + i] = p[name];
  });
  out[24] = p.slices;
  FLAGS.forEach((name, i) => {
    out[25] |= p[name] ? 1 << i : 0;
  });
  out[26] = p.shiftConv - 1;
  out[27] = p.shiftDeep - 1;
  return out;
}

/** What a device keeps of a pass, its steps as they are written. */
export interface Decoded extends Pass {
  readonly pitch: number;
  readonly xstep: number;
  readonly ystep: number;
}

/** Undefined if the engine refuses it. */
export function decodePass(bytes: Uint8Array, room: { readonly buffer: number; readonly columns: number }): Decoded | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, PASS_BYTES);
  const [x, pitch, xstep, ystep, y, weights, dilation, count] = Array.from({ length: 8 }, (_, i) => view.getUint16(2 * i, true));
  const sides = Object.fromEntries(SIDES.map((name, i) => [name, bytes[16 + i]])) as Record<(typeof SIDES)[number], number>;
  const flags = Object.fromEntries(FLAGS.map((name, i) => [name, (bytes[25] & (1 << i)) !== 0])) as Record<(typeof FLAGS)[number], boolean>;
  const [shiftConv, shiftDeep] = [(bytes[26] & 31) + 1, (bytes[27] & 31) + 1];
  const slices = bytes[24];
  const { conv, deep } = flags;
  const none = (!conv && !deep) || sides.cw === 0 || sides.ch === 0 || slices === 0;
  const crowded = count + (deep ? DEEP_WORDS : 0) > room.buffer || (deep && sides.cw > room.columns);
  const badShift = (conv && shiftConv < FX16.shift[0]) || (deep && shiftDeep < FX16.shift[0]);
  if (none || crowded || badShift || (conv && (sides.size === 0 || sides.xw === 0))) return undefined;
  return { x, pitch, xstep, ystep, y, weights, dilation, count, ...sides, slices, ...flags, shiftConv, shiftDeep };
}

/** What a half adds and multiplies: eight channels' words. */
export function encodeParameters(channels: readonly Pick<Fx16, "scale" | "bias">[]): Uint8Array {
  const out = new Uint8Array(4 * SLICE);
  const view = new DataView(out.buffer);
  channels.forEach(({ scale, bias }, i) => {
    view.setInt16(4 * i, scale, true);
    view.setInt16(4 * i + 2, bias, true);
  });
  return out;
}
