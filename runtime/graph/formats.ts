// Bytes and row strides of tensors by format.
import { ACTS } from "../act/catalogue.gen.ts";
import { SkintError } from "../errors.ts";
import { eventsBytes } from "../image/events.ts";
import { imageBytes } from "../image/format.ts";
import { fx16Bytes, isWeightFormat, weightBytes } from "../image/weights.ts";
import { mul, roundup } from "../num/int.ts";
import { SCHEMES } from "../quant/catalogue.gen.ts";
import { BLOCK_ROWS } from "../quant/scheme.ts";
import { columnsBytes } from "./columns.ts";
import type { Dim, TensorDef } from "./types.ts";

/** Values of the symbols in a plan: T and L are maxima. */
export interface Symbols {
  readonly T: number;
  readonly L: number;
  readonly C: number;
}

export function resolve(dim: Dim, symbols: Symbols): number {
  return typeof dim === "number" ? dim : symbols[dim];
}

export function dims(t: TensorDef, symbols: Symbols): number[] {
  return t.shape.map((d) => resolve(d, symbols));
}

/** Is the tensor a packed matrix of weights? A plain vector is `f32` with one dimension. */
export function isMatrix(t: TensorDef): boolean {
  return t.role === "weight" && t.shape.length === 2;
}

/** A state that is carried from token to token: it has no positions, so that it cannot be taken back to an earlier one. */
export function isRecurrent(t: TensorDef): boolean {
  return t.role === "state" && !t.shape.includes("C");
}

/** Formats of recurrent states: `<stem>_<variant>` of conv1d, scan, ssd and wkv. */
export const RECURRENT_FORMATS = ["conv_f32", "conv_i8", "ssm_f32", "ssm_i8f32", "ssm_i8i8", "saturations_i8f32", "saturations_i8i8", "ssd_f32", "wkv_f32"] as const;

/** Is it made of f32? */
export const isPlainState = (format: string): boolean => ["conv_f32", "ssm_f32", "ssm_i8f32", "ssd_f32", "wkv_f32"].includes(format);

/** Bytes of the tensor in device memory (a multiple of 4). */
export function byteLength(t: TensorDef, symbols: Symbols): number {
  const d = dims(t, symbols);
  if (isMatrix(t)) {
    const scheme = SCHEMES[t.format];
    if (!scheme)
      throw new SkintError("graph.invalid", `tensor ${t.name} is stored as ${t.format}, which is no weight scheme of this build (${Object.keys(SCHEMES).join(", ")})`, {
        what: t.name,
      });
    return scheme.bytes(d[0], d[1]);
  }
  if (isAct(t.format)) return mul(t.name, d[0], ACTS[t.format].bytes(d[1]));
  if (isWeightFormat(t.format)) return weightBytes(t.format, d);
  switch (t.format) {
    case "f32":
    case "u32":
    case "conv_f32":
    case "saturations_i8f32":
    case "saturations_i8i8":
      return mul(t.name, 4, ...d);
    case "image":
      return mul(t.name, d[0], imageBytes(d[1], d[2], d[3]));
    case "fx16":
      return fx16Bytes(d[0]);
    case "events":
      return eventsBytes(d[1], d[2], d[3]);
    case "sums":
      return mul(t.name, 4, imageBytes(d[1], d[2], d[3]));
    case "columns":
      return columnsBytes(d[0]);
    case "kv_f32":
      return mul(t.name, 4, ...d);
    case "kv_f16":
      return roundup(mul(t.name, 2, ...d), 4);
    case "kv_i8":
      return mul(t.name, d[0], roundup(d[1], 16), roundup(d[2], 16) + 8);
    case "conv_i8":
      return roundup(mul(t.name, ...d), 4);
    case "ssm_i8i8":
      return mul(t.name, roundup(d[0], BLOCK_ROWS), d[1]);
    case "ssm_f32":
    case "ssm_i8f32":
    case "ssd_f32":
    case "wkv_f32":
      return SCHEMES.f32.bytes(d[0], d[1]);
    default:
      throw new SkintError("graph.invalid", `tensor ${t.name} has the unknown format ${t.format}`, { what: t.name });
  }
}

/** Is it an activation format (runtime/act)? */
const isAct = (format: string) => Object.hasOwn(ACTS, format);

/** Distance between rows as kernels count it: elements for f32 and u32, bytes for activation formats and images. Rows of images are whole ones. */
export function rowStride(t: TensorDef): number {
  if (t.shape.length === 4) {
    const [, h, w, c] = t.shape as number[];
    return t.format === "image" ? imageBytes(h, w, c) : h * w * c;
  }
  const width = t.shape[t.shape.length - 1] as number;
  return isAct(t.format) ? ACTS[t.format].bytes(width) : width;
}
