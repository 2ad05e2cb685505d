// What is said in frames: ops, their payloads, and the rules of the sequence. Numbers are little-endian.
//
// Requests are done in the order of their sequence numbers, which go up by one. HELLO opens a session and sets where they begin. A request whose
// number is one of the last `window` gets its kept reply again and is not done again; any other number, or a damaged frame, gets a NAK with the number
// that is waited for (flag 1: no session is open). A host may have `window` requests unanswered; one more finds no room and is lost.
// Every reply's payload begins with cycles:u32, the clocks that the last RUN took. Flags of a reply: STATUS below.
import { SkintError } from "../../../../runtime/errors.ts";
import { MAX_PAYLOAD } from "./frame.ts";

export const OPS = {
  /** → HELLO_BYTES that `parseHello` reads */
  hello: 0,
  /** memory:u8 | 0 | address:u16 | words of 8 bytes, at least one → nothing */
  write: 1,
  /** memory:u8 | 0 | address:u16 | count:u16 → the words, at most `mostWords` */
  read: 2,
  /** memory:u8 | 0 | address:u16 | count:u16 → CRC-32 of the words' bytes */
  sum: 3,
  /** 0:u16 | first:u16 | count:u16, at most 255 → nothing: `count` layers whose words lie one behind the other from `first` among the parameters */
  run: 4,
  /** → good:u16 | bad:u16 | lost:u16, frames since the reset; lost ones found no room */
  status: 5,
} as const;

export const MEMORIES = { weights: 0, activations: 1, parameters: 2 } as const;
export type Memory = keyof typeof MEMORIES;

/** Flags of a reply. */
export const STATUS = { ok: 0, malformed: 1, badLayer: 2 } as const;
/** Flag of a NAK: the device was reset, or nobody said HELLO yet. */
export const NO_SESSION = 1;
/** Requests that may be unanswered, and replies that are kept: of the engine; what a device says counts. */
export const WINDOW = 2;
export const WORD_BYTES = 8;
/** Words in one WRITE or READ: behind an address, or a reply's clocks. */
export const mostWords = ({ maxPayload }: Pick<Hello, "maxPayload">): number => Math.floor((maxPayload - 4) / WORD_BYTES);
const HELLO_BYTES = 36;

/** What a device says about itself. */
export interface Hello {
  readonly version: number;
  readonly window: number;
  readonly maxPayload: number;
  readonly board: string;
  /** First 16 hex digits of the hash of what the image was made of. */
  readonly build: string;
  /** Words of each memory. */
  readonly words: Readonly<Record<Memory, number>>;
  /** Multiply-adds a clock with int8 and with int4 weights; 0: a processor, which takes several clocks for one. */
  readonly lanes8: number;
  readonly lanes4: number;
  /** Clock in kHz. */
  readonly khz: number;
}

export function encodeHello(h: Hello, cycles: number): Uint8Array {
  const out = new Uint8Array(HELLO_BYTES);
  const view = new DataView(out.buffer);
  view.setUint32(0, cycles, true);
  out.set([h.version, h.window], 4);
  view.setUint16(6, h.maxPayload, true);
  out.set(new TextEncoder().encode(h.board).subarray(0, 8), 8);
  for (let i = 0; i < 8; i++) out[16 + i] = Number.parseInt(h.build.slice(2 * i, 2 * i + 2), 16);
  view.setUint16(24, h.words.weights, true);
  view.setUint16(26, h.words.activations, true);
  view.setUint16(28, h.words.parameters, true);
  out.set([h.lanes8, h.lanes4], 30);
  view.setUint32(32, h.khz, true);
  return out;
}

/** Throws `device.wrong` for a device of another protocol. */
export function parseHello(payload: Uint8Array): Hello {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const version = payload[4];
  const maxPayload = payload.length >= 8 ? view.getUint16(6, true) : 0;
  if (payload.length !== HELLO_BYTES || version !== 1 || maxPayload < HELLO_BYTES || maxPayload > MAX_PAYLOAD || payload[5] < 1)
    throw new SkintError(
      "device.wrong",
      `what answers on the line speaks version ${version} of the protocol, this Skint version 1; write the board's image again with skint flash build`,
    );
  return {
    version,
    window: payload[5],
    maxPayload,
    board: String.fromCharCode(...payload.subarray(8, 16)).replace(/\0.*$/s, ""),
    build: [...payload.subarray(16, 24)].map((b) => b.toString(16).padStart(2, "0")).join(""),
    words: { weights: view.getUint16(24, true), activations: view.getUint16(26, true), parameters: view.getUint16(28, true) },
    lanes8: payload[30],
    lanes4: payload[31],
    khz: view.getUint32(32, true),
  };
}

/** Payload of READ, SUM and, with memory 0 and an address among the parameters, of RUN. */
export function encodeRange(memory: number, address: number, count: number): Uint8Array {
  return Uint8Array.of(memory, 0, address & 0xff, address >> 8, count & 0xff, count >> 8);
}

export function encodeWrite(memory: number, address: number, words: Uint8Array): Uint8Array {
  const out = new Uint8Array(4 + words.length);
  out.set([memory, 0, address & 0xff, address >> 8]);
  out.set(words, 4);
  return out;
}
