// Writes GGUF files from a description, sound ones and, where a field says otherwise than it should, broken ones.
import { type GgufType, TENSOR_TYPES, VALUE_TYPES } from "../../runtime/formats/gguf/types.ts";
import { roundup } from "../../runtime/num/int.ts";
import type { Random } from "../../runtime/num/random.ts";

/** A metadata value as it stands in the file behind its key. */
export interface GgufField {
  /** Number of the type. */
  readonly type: number;
  readonly bytes: Uint8Array;
}

export interface GgufTensorSpec {
  /** Bytes stand for a name that is not UTF-8. */
  readonly name: string | Uint8Array;
  /** Name of a type of ggml, or its number. */
  readonly dtype: string | number;
  /** Our order: the outermost dimension first. */
  readonly shape: readonly (number | bigint)[];
  readonly data: Uint8Array;
  /** Rank, offset and length of the name that the directory claims instead of the true ones. */
  readonly rank?: number;
  readonly offset?: bigint;
  readonly nameLength?: bigint;
}

export interface GgufSpec {
  readonly magic?: string;
  readonly version?: number;
  /** A list can hold a key twice; bytes stand for a key that is not UTF-8. */
  readonly metadata?: Readonly<Record<string, GgufField>> | readonly (readonly [string | Uint8Array, GgufField])[];
  readonly tensors?: readonly GgufTensorSpec[];
  /** Counts that the header claims instead of the true ones. */
  readonly tensorCount?: bigint;
  readonly keyCount?: bigint;
  /** Alignment by which the file is laid out; `general.alignment` is not written from it. */
  readonly alignment?: number;
  /** Whether the last tensor is padded too, as writers do. Default true. */
  readonly padEnd?: boolean;
}

const utf8 = (text: string | Uint8Array) => (typeof text === "string" ? new TextEncoder().encode(text) : text);

export const concat = (...parts: readonly Uint8Array[]) => joined(parts);

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function number(bytes: number, write: (view: DataView) => void): Uint8Array {
  const view = new DataView(new ArrayBuffer(bytes));
  write(view);
  return new Uint8Array(view.buffer);
}

export const u32Bytes = (v: number) => number(4, (view) => view.setUint32(0, v, true));
export const u64Bytes = (v: bigint | number) => number(8, (view) => view.setBigUint64(0, BigInt.asUintN(64, BigInt(v)), true));

/** A text behind its length, or behind the length it claims. */
export function textBytes(text: string | Uint8Array, length?: bigint): Uint8Array {
  const bytes = utf8(text);
  return concat(u64Bytes(length ?? bytes.length), bytes);
}

type Item = number | bigint | boolean | string | Uint8Array;

const ENCODERS: Readonly<Record<Exclude<GgufType, "array">, (v: Item) => Uint8Array>> = {
  u8: (v) => Uint8Array.of(Number(v)),
  i8: (v) => Uint8Array.of(Number(v)),
  u16: (v) => number(2, (view) => view.setUint16(0, Number(v), true)),
  i16: (v) => number(2, (view) => view.setInt16(0, Number(v), true)),
  u32: (v) => u32Bytes(Number(v)),
  i32: (v) => u32Bytes(Number(v)),
  f32: (v) => number(4, (view) => view.setFloat32(0, Number(v), true)),
  bool: (v) => Uint8Array.of(Number(v)),
  string: (v) => textBytes(v as string | Uint8Array),
  u64: (v) => u64Bytes(v as bigint),
  i64: (v) => u64Bytes(v as bigint),
  f64: (v) => number(8, (view) => view.setFloat64(0, Number(v), true)),
};

/** A value of any type but array: `field("u32", 4)`, `field("string", "llama")`. */
export function field(type: Exclude<GgufType, "array">, value: Item): GgufField {
  return { type: VALUE_TYPES.indexOf(type), bytes: ENCODERS[type](value) };
}

/** An array: `list("string", tokens)`. */
export function list(type: Exclude<GgufType, "array">, items: readonly Item[]): GgufField {
  return rawList(VALUE_TYPES.indexOf(type), BigInt(items.length), joined(items.map(ENCODERS[type])));
}

/** An array of arrays. */
export function nested(items: readonly GgufField[]): GgufField {
  return rawList(VALUE_TYPES.indexOf("array"), BigInt(items.length), joined(items.map(({ bytes }) => bytes)));
}

/** An array with any type and length. */
export function rawList(type: number, length: bigint, items: Uint8Array): GgufField {
  return { type: VALUE_TYPES.indexOf("array"), bytes: concat(u32Bytes(type), u64Bytes(length), items) };
}

const idOf = (dtype: string | number) => (typeof dtype === "number" ? dtype : ([...TENSOR_TYPES].find(([, { name }]) => name === dtype) as [number, unknown])[0]);

function directoryEntry({ name, dtype, shape, rank, offset, nameLength }: GgufTensorSpec, at: number): Uint8Array {
  const dims = [...shape].reverse().map((d) => u64Bytes(d));
  return concat(textBytes(name, nameLength), u32Bytes(rank ?? shape.length), ...dims, u32Bytes(idOf(dtype)), u64Bytes(offset ?? at));
}

/** The bytes of a file. Tensors lie in their order, each padded to the alignment. */
export function buildGguf(spec: GgufSpec): Uint8Array {
  const { alignment = 32, tensors = [], metadata = {}, padEnd = true } = spec;
  const fields = Array.isArray(metadata) ? (metadata as (readonly [string | Uint8Array, GgufField])[]) : Object.entries(metadata as Record<string, GgufField>);
  const parts = [utf8(spec.magic ?? "GGUF"), u32Bytes(spec.version ?? 3), u64Bytes(spec.tensorCount ?? tensors.length), u64Bytes(spec.keyCount ?? fields.length)];
  for (const [key, { type, bytes }] of fields) parts.push(textBytes(key), u32Bytes(type), bytes);
  const begins: number[] = [];
  let at = 0;
  for (const tensor of tensors) {
    begins.push(at);
    parts.push(directoryEntry(tensor, at));
    at = roundup(at + tensor.data.length, alignment);
  }
  const front = joined(parts);
  if (tensors.length === 0) return front;
  const begin = roundup(front.length, alignment);
  const last = begins.length - 1;
  const file = new Uint8Array(begin + (padEnd ? at : begins[last] + tensors[last].data.length));
  file.set(front);
  for (const [i, { data }] of tensors.entries()) file.set(data, begin + begins[i]);
  return file;
}

/** A tensor of f32 values. */
export function f32Tensor(name: string, shape: readonly number[], values: ArrayLike<number>): GgufTensorSpec {
  return { name, dtype: "F32", shape, data: new Uint8Array(Float32Array.from(values).buffer) };
}

/** Offsets of the f16 fields of a block. */
const HALVES: Readonly<Record<string, readonly number[]>> = {
  F16: [0],
  BF16: [0],
  Q4_0: [0],
  Q4_1: [0, 2],
  Q5_0: [0],
  Q5_1: [0, 2],
  Q8_0: [0],
  Q2_K: [80, 82],
  Q3_K: [108],
  Q4_K: [0, 2],
  Q5_K: [0, 2],
  Q6_K: [208],
};

/** A tensor of random blocks with scales between 2^-10 and 2^-6, so that weights look like a model's; F32, F16 and BF16 are small numbers. */
export function randomTensor(name: string, dtype: string, shape: readonly number[], random: Random): GgufTensorSpec {
  const { elements, bytes } = TENSOR_TYPES.get(idOf(dtype)) as { elements: number; bytes: number };
  const count = shape.reduce((product, d) => product * d, 1);
  if (dtype === "F32")
    return f32Tensor(
      name,
      shape,
      Float32Array.from({ length: count }, () => (random.f64() - 0.5) / 8),
    );
  const data = Uint8Array.from({ length: (count / elements) * bytes }, () => random.below(256));
  const view = new DataView(data.buffer);
  // f16 exponents 5 … 8 of bias 15; bf16 ones 117 … 120 of bias 127.
  const half = () => (random.below(2) << 15) | (dtype === "BF16" ? 0x3a80 + random.below(0x200) : 0x1400 + random.below(0x1000));
  for (let at = 0; at < data.length; at += bytes) for (const offset of HALVES[dtype] ?? []) view.setUint16(at + offset, half(), true);
  return { name, dtype, shape, data };
}
