// One metadata value of a GGUF file, read and checked: no count is believed before the bytes behind it are known to be there.

import { LIMITS } from "../../limits.ts";
import { mul } from "../../num/int.ts";
import type { Cursor } from "./cursor.ts";
import { exact, type GgufList, type GgufScalar, type GgufValue, nestedList, numberList, textList, UTF8 } from "./lists.ts";
import { type GgufType, VALUE_BYTES, VALUE_TYPES } from "./types.ts";

export interface GgufEntry {
  readonly type: GgufType;
  readonly value: GgufValue;
}

/** What one file may still spend on arrays inside arrays. */
export interface Allowance {
  arrays: number;
}

type NumberType = Exclude<GgufType, "string" | "array">;

const ARRAYS: Readonly<Record<NumberType, { new (buffer: ArrayBuffer): ArrayLike<number> | ArrayLike<bigint> }>> = {
  u8: Uint8Array,
  i8: Int8Array,
  u16: Uint16Array,
  i16: Int16Array,
  u32: Uint32Array,
  i32: Int32Array,
  f32: Float32Array,
  bool: Uint8Array,
  u64: BigUint64Array,
  i64: BigInt64Array,
  f64: Float64Array,
};

const SCALARS: Readonly<Record<Exclude<NumberType, "bool">, (view: DataView) => number | bigint>> = {
  u8: (view) => view.getUint8(0),
  i8: (view) => view.getInt8(0),
  u16: (view) => view.getUint16(0, true),
  i16: (view) => view.getInt16(0, true),
  u32: (view) => view.getUint32(0, true),
  i32: (view) => view.getInt32(0, true),
  f32: (view) => view.getFloat32(0, true),
  u64: (view) => exact(view.getBigUint64(0, true)),
  i64: (view) => exact(view.getBigInt64(0, true)),
  f64: (view) => view.getFloat64(0, true),
};

/** A text behind its length of 64 bits. Keys and names hold no zero byte: what other programs read would end there. */
export async function readText(cursor: Cursor, meaning: string, most: number, name = false): Promise<string> {
  await cursor.need(8);
  const length = cursor.size(`the length of ${meaning}`, most);
  await cursor.need(length);
  const bytes = cursor.bytes(length);
  if (name && length === 0) cursor.fail(`${meaning} is empty`);
  if (name && bytes.includes(0)) cursor.fail(`${meaning} holds a zero byte`);
  try {
    return UTF8.decode(bytes);
  } catch {
    cursor.fail(`${meaning} is not UTF-8 text`);
  }
}

/** The value of `key`: its type, then its bytes. */
export async function readEntry(cursor: Cursor, key: string, allowance: Allowance): Promise<GgufEntry> {
  const type = await readType(cursor, key);
  if (type === "array") return { type, value: await readArray(cursor, key, 1, allowance) };
  return { type, value: await readScalar(cursor, key, type) };
}

async function readType(cursor: Cursor, key: string): Promise<GgufType> {
  await cursor.need(4);
  const id = cursor.u32();
  return VALUE_TYPES[id] ?? cursor.fail(`${id} is no type of a value`, "format.header", key);
}

async function readScalar(cursor: Cursor, key: string, type: Exclude<GgufType, "array">): Promise<GgufScalar> {
  if (type === "string") return readText(cursor, `the value of ${key.slice(0, 80)}`, LIMITS.metadataLength);
  await cursor.need(VALUE_BYTES[type]);
  const view = cursor.numbers(VALUE_BYTES[type]);
  return type === "bool" ? truth(cursor, key, view.getUint8(0)) : SCALARS[type](view);
}

function truth(cursor: Cursor, key: string, byte: number): boolean {
  if (byte > 1) cursor.fail(`${byte} is neither false (0) nor true (1)`, "format.header", key);
  return byte === 1;
}

async function readArray(cursor: Cursor, key: string, depth: number, allowance: Allowance): Promise<GgufList> {
  if (depth > LIMITS.ggufArrayDepth) cursor.fail(`more than ${LIMITS.ggufArrayDepth} levels of arrays`, "format.limit", key);
  const type = await readType(cursor, key);
  await cursor.need(8);
  const length = cursor.size("the length of an array", LIMITS.ggufArrayLength, key);
  const least = mul(key, length, VALUE_BYTES[type]);
  if (least > cursor.left) cursor.fail(`an array of ${length} ${type} takes at least ${least} bytes, ${cursor.left} are left`, "format.truncated", key);
  cursor.allow(least);
  if (type === "array") return readNested(cursor, key, length, depth, allowance);
  return type === "string" ? readTexts(cursor, key, length) : readNumbers(cursor, key, type, length);
}

async function readNested(cursor: Cursor, key: string, length: number, depth: number, allowance: Allowance): Promise<GgufList> {
  allowance.arrays -= length;
  if (allowance.arrays < 0) cursor.fail(`more than ${LIMITS.ggufArrays} arrays inside arrays`, "format.limit", key);
  const items: GgufList[] = [];
  for (let i = 0; i < length; i++) items.push(await readArray(cursor, key, depth + 1, allowance));
  return nestedList(items);
}

async function readNumbers(cursor: Cursor, key: string, type: NumberType, length: number): Promise<GgufList> {
  const bytes = new Uint8Array(length * VALUE_BYTES[type]);
  await cursor.readInto(bytes);
  if (type === "bool") for (const byte of bytes) truth(cursor, key, byte);
  return numberList(type, new ARRAYS[type](bytes.buffer));
}

/** Walks over the texts to find where they end, then takes them in one piece: nothing grows, and nothing is kept twice. */
async function readTexts(cursor: Cursor, key: string, length: number): Promise<GgufList> {
  const begin = cursor.offset;
  const starts = new Uint32Array(length + 1);
  for (let i = 0; i < length; i++) {
    starts[i] = cursor.offset - begin;
    const wait = cursor.need(8);
    if (wait !== undefined) await wait;
    cursor.skip(cursor.size("the length of a text", LIMITS.metadataLength, key));
  }
  starts[length] = cursor.offset - begin;
  const region = new Uint8Array(starts[length]);
  await cursor.readBack(begin, region);
  return textList(region, starts, `array ${key.slice(0, 80)}`);
}
