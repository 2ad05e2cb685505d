// What ops over windows of images share: the rules for their attributes, and how references look at images.
import { LANES, pixelBytes, windows } from "../image/format.ts";
import { FX16, FX16_ZERO } from "../num/fx16.ts";
import type { Attributes } from "./define.ts";

/** A window that a kernel's arithmetic has room for. */
const MOST_TAPS = 31;
const MOST_SIDE = 1 << 15;

/** Complaint about a window of kh × kw over [height, width] with stride and pad that gives [oh, ow]. */
export function badWindow(a: Attributes, kh: number, kw: number, pad: number): string | undefined {
  if (Math.max(a.height, a.width) > MOST_SIDE) return `an image of ${a.height} × ${a.width}, a side is at most ${MOST_SIDE}`;
  if (kh < 1 || kw < 1 || a.stride < 1 || a.channels < 1) return "a window, stride or number of channels of zero";
  if (a.stride > MOST_TAPS || pad > MOST_TAPS) return `stride ${a.stride} and padding ${pad}, at most ${MOST_TAPS} are supported`;
  const [oh, ow] = [windows(a.height, kh, a.stride, pad), windows(a.width, kw, a.stride, pad)];
  if (oh < 1 || ow < 1) return `a window of ${kh} × ${kw} does not fit an image of ${a.height} × ${a.width}`;
  return oh === a.oh && ow === a.ow ? undefined : `${a.oh} × ${a.ow} outputs, the window gives ${oh} × ${ow}`;
}

/** Complaint about the requantisation of a layer. */
export function badFx16(a: Attributes): string | undefined {
  const [least, most] = FX16.shift;
  if (a.relu > 1) return `relu is ${a.relu}, neither 0 nor 1`;
  return a.shift < least || a.shift > most ? `shift is ${a.shift}, fx16 takes ${least} to ${most}` : undefined;
}

/** Bytes as stored, whatever the view. */
export const signed = (t: ArrayBufferView): Int8Array => new Int8Array(t.buffer, t.byteOffset, t.byteLength);

/** Reads image r of a tensor: the byte at (y, x, c), the byte of zero outside. */
export function reader(t: ArrayBufferView, row: number, height: number, width: number, channels: number): (y: number, x: number, c: number) => number {
  const bytes = signed(t);
  const step = pixelBytes(channels);
  return (y, x, c) => (y < 0 || x < 0 || y >= height || x >= width ? FX16_ZERO : bytes[row + (y * width + x) * step + c]);
}

/** Writes one pixel of `channels` bytes from f(c); the padding becomes the byte of zero. */
export function writePixel(t: ArrayBufferView, at: number, channels: number, f: (c: number) => number): void {
  const bytes = signed(t);
  for (let c = 0; c < pixelBytes(channels); c++) bytes[at + c] = c < channels ? f(c) : FX16_ZERO;
}

/** Work of a step in multiply-adds an output pixel, in whole vectors as it is done. */
export const vectors = (channels: number): number => Math.ceil(channels / LANES) * LANES;
