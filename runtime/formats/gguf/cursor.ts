// Reads the front of a file in order, a chunk at a time, so that a file of any size costs what its header takes. Little-endian.
// `need` before every read; nothing is allocated for bytes that the file does not have.
import { type ErrorCode, SkintError } from "../../errors.ts";
import type { Source } from "../../io/source.ts";
import { LIMITS } from "../../limits.ts";

const CHUNK = 1 << 18;

export class Cursor {
  /** File, for messages. */
  readonly what: string;
  private readonly source: Source;
  private buffer: Uint8Array;
  private view: DataView;
  /** Offset in the file of the buffer's first byte. */
  private base = 0;
  private at = 0;
  private end = 0;

  constructor(source: Source) {
    this.what = source.name;
    this.source = source;
    this.buffer = new Uint8Array(Math.min(CHUNK, source.size));
    this.view = new DataView(this.buffer.buffer);
  }

  /** Offset in the file. */
  get offset(): number {
    return this.base + this.at;
  }

  /** Bytes of the file from here on. */
  get left(): number {
    return this.source.size - this.offset;
  }

  fail(message: string, code: ErrorCode = "format.header", what = this.what): never {
    const about = what === this.what ? "" : ` (${JSON.stringify(what.slice(0, 80))})`;
    const next = code === "format.truncated" ? "fetch the file again" : "the file is damaged or hostile: fetch or write it again";
    throw new SkintError(code, `${this.what}, byte ${this.offset}: ${message}${about}; ${next}`, { what, offset: this.offset });
  }

  /** Makes the next `bytes` bytes readable; undefined when they already are, so that a tight loop need not wait. */
  need(bytes: number): Promise<void> | undefined {
    if (this.at + bytes <= this.end) return undefined;
    this.allow(bytes);
    return this.fill(bytes);
  }

  u32(): number {
    this.at += 4;
    return this.view.getUint32(this.at - 4, true);
  }

  /** A count, length or offset of 64 bits; `format.limit` beyond `most` and in any case beyond 2^53. */
  size(meaning: string, most: number = Number.MAX_SAFE_INTEGER, what = this.what): number {
    const value = this.view.getUint32(this.at + 4, true) * 2 ** 32 + this.view.getUint32(this.at, true);
    if (value > most) this.fail(`${meaning} is ${this.view.getBigUint64(this.at, true)}, the limit is ${most}`, "format.limit", what);
    this.at += 8;
    return value;
  }

  /** The next `bytes` bytes, in the buffer: gone with the next `need`. */
  bytes(bytes: number): Uint8Array {
    this.at += bytes;
    return this.buffer.subarray(this.at - bytes, this.at);
  }

  /** A view of the next `bytes` bytes, valid until the next `need`. */
  numbers(bytes: number): DataView {
    this.at += bytes;
    return new DataView(this.buffer.buffer, this.at - bytes, bytes);
  }

  /** Moves on without reading. */
  skip(bytes: number): void {
    this.allow(bytes);
    if (this.at + bytes <= this.end) this.at += bytes;
    else this.moveTo(this.offset + bytes);
  }

  /** Fills `into` from `offset` of the file, a place already passed; the cursor stays where it is. */
  readBack(offset: number, into: Uint8Array): Promise<void> {
    return this.source.read(offset, into);
  }

  /** Fills `into` with the bytes that follow. */
  async readInto(into: Uint8Array): Promise<void> {
    this.allow(into.length);
    const ready = Math.min(into.length, this.end - this.at);
    into.set(this.buffer.subarray(this.at, this.at + ready));
    const from = this.offset + ready;
    this.at += ready;
    if (ready === into.length) return;
    await this.source.read(from, into.subarray(ready));
    this.moveTo(from + into.length - ready);
  }

  /** Throws unless `bytes` more belong to the file and to a header within its limit. */
  allow(bytes: number): void {
    if (bytes > this.left) this.fail(`the file ends at byte ${this.source.size}, the header wants ${bytes} bytes from here`, "format.truncated");
    if (this.offset + bytes > LIMITS.ggufHeaderBytes) this.fail(`the header is longer than ${LIMITS.ggufHeaderBytes} bytes`, "format.limit");
  }

  private moveTo(offset: number): void {
    this.base = offset;
    this.at = 0;
    this.end = 0;
  }

  private async fill(bytes: number): Promise<void> {
    const kept = this.end - this.at;
    if (bytes <= this.buffer.length) this.buffer.copyWithin(0, this.at, this.end);
    else {
      const larger = new Uint8Array(bytes);
      larger.set(this.buffer.subarray(this.at, this.end));
      this.buffer = larger;
      this.view = new DataView(larger.buffer);
    }
    this.base += this.at;
    this.at = 0;
    this.end = kept;
    const more = Math.min(this.buffer.length - kept, this.source.size - this.base - kept);
    await this.source.read(this.base + kept, this.buffer.subarray(kept, kept + more));
    this.end = kept + more;
  }
}
