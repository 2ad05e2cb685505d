// What is said to Skint's resident loader (rtl/loader/), in the frames and by the rules of protocol.ts. HELLO is the engine's, with no words in any
// memory. Addresses are bytes of the flash. Every reply's payload begins with four zeros, as the engine's begins with clocks.
import { SkintError } from "../../../../runtime/errors.ts";
import type { Hello } from "./protocol.ts";

export const LOADER_OPS = {
  /** → JEDEC id: 3 bytes | 0 | start:u32 | end:u32 of what may be written */
  identify: 16,
  /** address:u32, of a sector of 4 KiB → nothing */
  erase: 17,
  /** address:u32 | bytes, one to MAX_DATA, in one page of 256 → nothing */
  program: 18,
  /** address:u32 | count:u16, at most MAX_DATA → the bytes */
  fetch: 19,
  /** length:u32 | CRC-32:u32 → CRC-32 of the first `length` bytes of what may be written; if it is the one that was given, they are started then */
  boot: 20,
} as const;

/** Characters' time of silence after which a loader that was told to starts what was written: a host that misses the answer asks again before. */
export const LEAVE_CHARACTERS = 4096;
/** Bytes in one PROGRAM or FETCH. */
export const MAX_DATA = 248;

export interface LoaderIdentity {
  /** Six hexadecimal digits. */
  readonly jedec: string;
  readonly start: number;
  readonly end: number;
}

/** Is it a loader that said HELLO, and no engine? */
export const isLoader = ({ words }: Hello) => words.weights + words.activations + words.parameters === 0;

export function words32(...values: readonly number[]): Uint8Array {
  const out = new Uint8Array(4 * values.length);
  const view = new DataView(out.buffer);
  values.forEach((v, i) => {
    view.setUint32(4 * i, v, true);
  });
  return out;
}

/** @param payload of IDENTIFY's reply, without the first four bytes. Throws `device.wrong`. */
export function parseIdentity(payload: Uint8Array, line: string): LoaderIdentity {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const [start, end] = payload.length === 12 ? [view.getUint32(4, true), view.getUint32(8, true)] : [0, 0];
  if (start >= end || end > 2 ** 24)
    throw new SkintError("device.wrong", `the loader on ${line} names no region that may be written; write the loader anew: docs/flash.md`, { what: line });
  return { jedec: [...payload.subarray(0, 3)].map((b) => b.toString(16).padStart(2, "0")).join(""), start, end };
}

export const encodeProgram = (at: number, bytes: Uint8Array) => Uint8Array.of(...words32(at), ...bytes);
export const encodeFetch = (at: number, count: number) => Uint8Array.of(...words32(at), count & 255, count >> 8);
