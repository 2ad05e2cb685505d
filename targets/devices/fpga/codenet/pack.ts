// How the weights of a pass lie in the memory: slices of eight output channels, each the words of the convolution, of depthwise, and the parameters of both
// (rtl/codenet/passes.v). Channels are padded to eight with zeros, which give the byte of zero.
import type { Fx16 } from "../../../../runtime/num/fx16.ts";
import { encodeParameters, SLICE } from "./pass.ts";

export interface ConvWeights {
  /** Codes [outputs, taps, channels]; −8 … 7 where `nibbles`. */
  readonly codes: Int8Array;
  readonly outputs: number;
  readonly taps: number;
  readonly channels: number;
  readonly nibbles: boolean;
  /** A channel each. */
  readonly quant: readonly Fx16[];
}

export interface DeepWeights {
  /** Codes [9, channels]. */
  readonly codes: Int8Array;
  readonly channels: number;
  readonly quant: readonly Fx16[];
}

const parameters = (quant: readonly Fx16[] | undefined, slice: number) => encodeParameters((quant ?? []).slice(SLICE * slice, SLICE * (slice + 1)));

/** Words of a convolution's weights a slice. */
export const convWords = ({ taps, channels, nibbles }: Pick<ConvWeights, "taps" | "channels" | "nibbles">): number => taps * Math.ceil(channels / SLICE) * (nibbles ? 4 : 8);

function convSlice(w: ConvWeights, slice: number): Uint8Array {
  const out = new Uint8Array(8 * convWords(w));
  const code = (o: number, t: number, c: number) => (o < w.outputs && c < w.channels ? w.codes[(o * w.taps + t) * w.channels + c] : 0);
  let at = 0;
  for (let t = 0; t < w.taps; t++)
    for (let k = 0; k < Math.ceil(w.channels / SLICE); k++)
      for (let o = SLICE * slice; o < SLICE * (slice + 1); o += w.nibbles ? 2 : 1)
        for (let c = SLICE * k; c < SLICE * (k + 1); c++) out[at++] = w.nibbles ? (code(o, t, c) & 15) | (code(o + 1, t, c) << 4) : code(o, t, c);
  return out;
}

function deepSlice({ codes, channels }: DeepWeights, slice: number): Uint8Array {
  return Uint8Array.from({ length: 9 * SLICE }, (_, i) => {
    const c = SLICE * slice + (i % SLICE);
    return c < channels ? codes[Math.floor(i / SLICE) * channels + c] : 0;
  });
}

/** The weights of a pass with these halves. */
export function packPass(conv: ConvWeights | undefined, deep: DeepWeights | undefined): Uint8Array {
  const slices = Math.ceil((conv?.outputs ?? deep?.channels ?? 0) / SLICE);
  const parts = Array.from({ length: slices }, (_, s) => [
    ...(conv ? [convSlice(conv, s)] : []),
    ...(deep ? [deepSlice(deep, s)] : []),
    parameters(conv?.quant, s),
    parameters(deep?.quant, s),
  ]).flat();
  const out = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  parts.reduce((at, p) => {
    out.set(p, at);
    return at + p.length;
  }, 0);
  return out;
}
