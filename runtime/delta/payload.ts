// Events and key frames as payloads of the one serial framing (targets/devices/fpga/link/frame.ts), little-endian, each whole in itself:
//   kind u8 (0 key, 1 delta) | layer u8 | step u16 | part u16 | parts u16 | values
// A step is `parts` payloads, part 0 first. Values of a delta: for each event a varint, how many elements lie between it and the one before in this payload
// (the first counts from element 0), then the change. Values of a key: a varint, the first element, then codes one after the other.
// A change or code is an i8; -128 says that an i16 follows.
import { SkintError } from "../errors.ts";
import type { Changes } from "./codes.ts";

export const KEY = 0;
export const DELTA = 1;
const HEAD = 8;
/** A varint of 32 bits and an escaped value. */
const LARGEST = 5 + 3;
const MOST_PARTS = 2 ** 16 - 1;

export interface Payload {
  readonly kind: typeof KEY | typeof DELTA;
  readonly layer: number;
  /** 0 … 65535, then 0 again. */
  readonly step: number;
  readonly part: number;
  readonly parts: number;
  readonly indices: readonly number[];
  readonly values: readonly number[];
}

/** Where payloads come from. */
export interface Origin {
  readonly layer: number;
  readonly step: number;
  /** Most bytes of one. */
  readonly room: number;
}

function putVarint(out: number[], v: number): void {
  let rest = v;
  for (; rest >= 128; rest = Math.floor(rest / 128)) out.push((rest % 128) | 128);
  out.push(rest);
}

function putValue(out: number[], v: number): void {
  if (v > -128 && v < 128) out.push(v & 255);
  else out.push(128, v & 255, (v >> 8) & 255);
}

/** Payloads of one step, at most `room` bytes each. Throws `usage` for changes beyond 16 bits, or a room or layer that no payload has. */
function split(kind: Payload["kind"], { layer, step, room }: Origin, count: number, put: (out: number[], i: number, first: boolean) => void): Uint8Array[] {
  if (room < HEAD + LARGEST || layer < 0 || layer > 255)
    throw new SkintError("usage", `payloads of ${room} bytes for layer ${layer}; give at least ${HEAD + LARGEST} bytes and a layer below 256`);
  const bodies: number[][] = [[]];
  for (let i = 0; i < count; i++) {
    const body = bodies[bodies.length - 1];
    const one: number[] = [];
    put(one, i, body.length === 0);
    if (HEAD + body.length + one.length <= room) {
      body.push(...one);
      continue;
    }
    const next: number[] = [];
    put(next, i, true);
    bodies.push(next);
  }
  if (bodies.length > MOST_PARTS) throw new SkintError("usage", `a step of ${bodies.length} payloads; at most ${MOST_PARTS} can be numbered`);
  return bodies.map((body, part) => Uint8Array.from([kind, layer, step & 255, (step >> 8) & 255, part & 255, part >> 8, bodies.length & 255, bodies.length >> 8, ...body]));
}

/** Payloads of what changed in a step. A step in which nothing did is one payload without values. */
export function encodeChanges({ indices, deltas }: Changes, from: Origin): Uint8Array[] {
  const wide = deltas.findIndex((d) => d < -32768 || d > 32767);
  if (wide >= 0) throw new SkintError("usage", `the change ${deltas[wide]} does not fit 16 bits; send a key frame`);
  return split(DELTA, from, indices.length, (out, i, first) => {
    putVarint(out, first ? indices[i] : indices[i] - indices[i - 1] - 1);
    putValue(out, deltas[i]);
  });
}

/** Payloads of all codes i16 [n]. */
export function encodeKey(codes: Int16Array, from: Origin): Uint8Array[] {
  return split(KEY, from, codes.length, (out, i, first) => {
    if (first) putVarint(out, i);
    putValue(out, codes[i]);
  });
}

/** Reads a payload about signals of n elements. Throws `format.header`, `format.truncated`, `format.limit`; a value never lies outside the signal. */
export function decodePayload(bytes: Uint8Array, n: number): Payload {
  if (bytes.length < HEAD) throw new SkintError("format.truncated", `a payload of ${bytes.length} bytes has no head of ${HEAD}`);
  const [kind, layer] = bytes;
  const word = (at: number) => bytes[at] | (bytes[at + 1] << 8);
  const [step, part, parts] = [word(2), word(4), word(6)];
  if ((kind !== KEY && kind !== DELTA) || part >= parts)
    throw new SkintError("format.header", `a payload of kind ${kind}, part ${part} of ${parts}; the sender speaks another version`);
  const indices: number[] = [];
  const values: number[] = [];
  const reader = new ValueReader(bytes, HEAD);
  let next = kind === KEY && !reader.done ? reader.varint() : 0;
  while (!reader.done) {
    const index = kind === KEY ? next : next + reader.varint();
    if (index >= n) throw new SkintError("format.limit", `element ${index} of a signal of ${n}; the sender has another model`);
    indices.push(index);
    values.push(reader.value());
    next = index + 1;
  }
  return { kind, layer, step, part, parts, indices, values };
}

class ValueReader {
  private at: number;

  constructor(
    private readonly bytes: Uint8Array,
    from: number,
  ) {
    this.at = from;
  }

  get done(): boolean {
    return this.at >= this.bytes.length;
  }

  private byte(): number {
    if (this.done) throw new SkintError("format.truncated", "a payload ends within a value");
    return this.bytes[this.at++];
  }

  varint(): number {
    let v = 0;
    for (let scale = 1; scale < 2 ** 35; scale *= 128) {
      const b = this.byte();
      v += (b & 127) * scale;
      if (b < 128) return v;
    }
    throw new SkintError("format.limit", "a number in a payload is longer than 32 bits");
  }

  value(): number {
    const b = this.byte();
    return b === 128 ? ((this.byte() | (this.byte() << 8)) << 16) >> 16 : (b << 24) >> 24;
  }
}
