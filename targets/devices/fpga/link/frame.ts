// The one framing of everything on a serial line, little-endian:
//   A5 5A | version:4 type:4 | op | sequence | flags | length:u16 | CRC-8 of these six | payload, at most 256 bytes | CRC-32 of all behind the sync
// The CRC-8 makes a length trustworthy before the payload is waited for; the CRC-32 covers the header too, so that no damaged op is obeyed.
import { SkintError } from "../../../../runtime/errors.ts";
import { crc8, crc32 } from "./crc.ts";

export const VERSION = 1;
/** `nak`: a request did not arrive whole or not in its turn; its sequence is the one that is waited for. */
export const FRAME_TYPES = { request: 1, reply: 2, nak: 3 } as const;
export const MAX_PAYLOAD = 256;
export const HEADER_BYTES = 9;
/** Bytes of a frame beside its payload. */
export const FRAME_BYTES = HEADER_BYTES + 4;
/** Characters' time of silence that end a frame which is not whole. */
export const QUIET_CHARACTERS = 32;

const SYNC = [0xa5, 0x5a];

export interface Frame {
  readonly type: number;
  readonly op: number;
  /** 0 … 255 */
  readonly seq: number;
  readonly flags: number;
  readonly payload: Uint8Array;
}

/** Throws `usage` for a payload that is too long. */
export function encodeFrame({ type, op, seq, flags, payload }: Frame): Uint8Array {
  if (payload.length > MAX_PAYLOAD) throw new SkintError("usage", `a payload of ${payload.length} bytes does not fit a frame; give at most ${MAX_PAYLOAD}`);
  const bytes = new Uint8Array(FRAME_BYTES + payload.length);
  bytes.set([...SYNC, (VERSION << 4) | type, op, seq, flags, payload.length & 0xff, payload.length >> 8]);
  bytes[8] = crc8(bytes.subarray(2, 8));
  bytes.set(payload, HEADER_BYTES);
  const end = bytes.length - 4;
  new DataView(bytes.buffer).setUint32(end, crc32(bytes.subarray(2, end)), true);
  return bytes;
}

/** What a parser made of a byte: a frame, or the header of one whose CRC-32 was wrong. */
export type Parsed = { readonly frame: Frame } | { readonly damaged: { readonly type: number; readonly op: number; readonly seq: number } };

/**
 * Finds frames in a stream of bytes, in the same way as rtl/frame_rx.v: every nine bytes that lie behind one another are tried as a header, so
 * that nothing but itself is lost to noise. Never holds more than one frame.
 */
export class FrameParser {
  /** Bytes that belonged to no whole frame. */
  skipped = 0;
  private window: number[] = [];
  private body: Uint8Array | undefined;
  private header: Uint8Array = new Uint8Array(0);
  private at = 0;

  /**
   * @param types types of frames that are read; others are noise
   * @param most longest payload; a header with a longer one is noise
   */
  constructor(
    private readonly types: readonly number[],
    private readonly most = MAX_PAYLOAD,
  ) {}

  push(byte: number): Parsed | undefined {
    if (!this.body) {
      this.hunt(byte);
      return undefined;
    }
    this.body[this.at++] = byte;
    if (this.at < this.body.length) return undefined;
    return this.finish(this.body);
  }

  /** Is a header read whose payload has not come whole? */
  get within(): boolean {
    return this.body !== undefined;
  }

  /** The line was quiet for QUIET_CHARACTERS: what is not whole will not become so. */
  quiet(): void {
    this.skipped += this.window.length + (this.body ? HEADER_BYTES + this.at : 0);
    this.window = [];
    this.body = undefined;
  }

  private hunt(byte: number): void {
    this.window.push(byte);
    if (this.window.length > HEADER_BYTES) {
      this.window.shift();
      this.skipped++;
    }
    const w = this.window;
    if (w.length < HEADER_BYTES || w[0] !== SYNC[0] || w[1] !== SYNC[1] || w[2] >> 4 !== VERSION || !this.types.includes(w[2] & 15)) return;
    const length = w[6] | (w[7] << 8);
    const header = Uint8Array.from(w.slice(2));
    if (length > this.most || crc8(header.subarray(0, 6)) !== header[6]) return;
    this.header = header;
    this.body = new Uint8Array(length + 4);
    this.at = 0;
    this.window = [];
  }

  private finish(body: Uint8Array): Parsed {
    this.body = undefined;
    const payload = body.subarray(0, body.length - 4);
    const [kind, op, seq, flags] = this.header;
    const type = kind & 15;
    const crc = new DataView(body.buffer).getUint32(payload.length, true);
    if (crc32(payload, crc32(this.header)) === crc) return { frame: { type, op, seq, flags, payload } };
    this.skipped += HEADER_BYTES + body.length;
    return { damaged: { type, op, seq } };
  }
}
