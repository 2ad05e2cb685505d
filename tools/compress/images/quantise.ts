// A network over images in whole numbers: weights to int8 or int4 codes with a scale an output, activations to stored bytes with one scale a layer,
// and between them fx16 (runtime/num/fx16.ts). All but the scores come out of ReLUs, so that their zero is the byte -128.
import { SkintError } from "../../../runtime/errors.ts";
import type { Convolution } from "../../../runtime/graph/images.ts";
import { CODES, packFx16, packWeights } from "../../../runtime/image/weights.ts";
import { FX16, FX16_ZERO, fx16Scales } from "../../../runtime/num/fx16.ts";
import { roundEven } from "../../../runtime/num/round.ts";

/** What values of 0…255 of a layer stand for: (value − zero) · step. */
export interface Range {
  readonly step: number;
  readonly zero: number;
}

/** The range whose values reach from `low` (at most 0) to `high`. Throws `recipe.invalid` if nothing lies between. */
export function rangeOf(low: number, high: number, what: string): Range {
  const [least, most] = [Math.min(low, 0), Math.max(high, 0)];
  const step = (most - least) / 255;
  if (!(step > 0 && Number.isFinite(step))) throw new SkintError("recipe.invalid", `${what} reaches from ${low} to ${high}, which leaves nothing to tell apart`, { what });
  return { step, zero: Math.round(-least / step) };
}

export interface FloatLayer {
  readonly name: string;
  /** f32 [outputs, taps, channels]. */
  readonly weights: Float32Array;
  readonly bias: Float32Array;
  readonly shape: readonly [outputs: number, taps: number, channels: number];
  readonly from: Range;
  readonly to: Range;
}

export interface ByteLayer {
  readonly weight: Uint8Array;
  readonly fx16: Uint8Array;
  readonly shift: number;
  /** Σ (w − code · scale)² / Σ w². */
  readonly relativeSquaredError: number;
}

/** Codes and requantisation of a convolution. Throws `recipe.invalid` where a sum or a bias does not fit the widths of the hardware. */
export function quantiseLayer(layer: FloatLayer, numbers: Exclude<Convolution["numbers"], "f32">): ByteLayer {
  const { name, weights, shape, from, to } = layer;
  const [outputs, taps, channels] = shape;
  const format = numbers === "w8" ? "conv8" : "conv4";
  const most = CODES[format][1];
  const k = taps * channels;
  const codes = new Int8Array(weights.length);
  const scales = Array.from({ length: outputs }, (_, o) => weights.subarray(o * k, (o + 1) * k).reduce((m, w) => Math.max(m, Math.abs(w)), 0) / most);
  let [lost, whole] = [0, 0];
  weights.forEach((w, i) => {
    const scale = scales[Math.floor(i / k)];
    codes[i] = scale > 0 ? Math.max(-most, Math.min(most, roundEven(w / scale))) : 0;
    lost += (w - codes[i] * scale) ** 2;
    whole += w ** 2;
  });
  const requantise = fx16Scales(scales.map((s) => (s * from.step) / to.step));
  const biases = Int16Array.from({ length: outputs }, (_, o) => biasOf(layer, codes.subarray(o * k, (o + 1) * k), requantise.scales[o] / 2 ** requantise.shift, o));
  const packed = { weight: packWeights(format, shape, codes), fx16: packFx16(requantise.scales, biases) };
  if (from.zero !== 0) throw new SkintError("recipe.invalid", `${name} reads values whose zero is ${from.zero}; only the last layer may have one`, { what: name });
  return { ...packed, shift: requantise.shift, relativeSquaredError: whole ? lost / whole : 0 };
}

/** What a stored byte lacks to be its value, through all weights of output o, and the layer's own bias, in steps of the outputs. */
function biasOf({ name, bias, to }: FloatLayer, codes: Int8Array, factor: number, o: number): number {
  const sum = codes.reduce((s, c) => s + c, 0);
  const reach = codes.reduce((s, c) => s + Math.abs(c), 0) * -FX16_ZERO;
  const whole = roundEven(-FX16_ZERO * sum * factor + bias[o] / to.step) + to.zero;
  if (reach > FX16.acc[1]) throw new SkintError("recipe.invalid", `output ${o} of ${name} may sum to ${reach}, which does not fit 24 bits; give it int4 weights`, { what: name });
  if (whole < FX16.bias[0] || whole > FX16.bias[1])
    throw new SkintError("recipe.invalid", `output ${o} of ${name} has the bias ${whole}, which does not fit 16 bits`, { what: name });
  return whole;
}
