// A pack as it comes from a server, once, from front to back, straight to where its bytes belong; a broken transfer is taken up where it ended.
// Header and documents are kept, as they are read more than once; weights are not. Bytes that a reader skips are kept too, so that any order works, at the price of memory.
import { SkintError } from "../../../runtime/errors.ts";
import { readHeader } from "../../../runtime/formats/safetensors/header.ts";
import { checkPack } from "../../../runtime/formats/skint/layout.ts";
import type { Source } from "../../../runtime/io/source.ts";

/** A server that sends nothing for so long is given up. */
const STALL_MS = 60_000;
/** A transfer that breaks off is taken up again so often without a byte between, after pauses that grow from this. */
const RETRIES = 3;
const PAUSE_MS = 300;

/** One answer of the server. */
export interface Transfer {
  readonly body: ReadableStream<Uint8Array>;
  stop(): void;
}

export interface StreamOptions {
  readonly name: string;
  readonly size: number;
  readonly transfer: Transfer;
  /** The rest of the file from a byte on; undefined if the server gives no parts. */
  readonly resume: (at: number) => Promise<Transfer | undefined>;
  readonly signal?: AbortSignal;
}

export interface StreamSource extends Source {
  /** The pack's digest as its header states it; not yet proven. */
  readonly digest: string;
  /** Bytes of the file so far, for a sink that joins late. */
  front(): readonly Uint8Array[];
  /** Called with every further piece, in order; the piece is valid during the call. */
  onBytes: ((bytes: Uint8Array) => void) | undefined;
}

interface Span {
  readonly offset: number;
  readonly bytes: number;
}

/** Bytes that passed, and where they stood. */
interface Kept {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Reads and checks the header; the rest waits until it is read. */
export async function openStream(options: StreamOptions): Promise<StreamSource> {
  const stream = new Stream(options);
  try {
    const header = await readHeader(stream);
    const { digest, documents } = checkPack(header, options.name);
    stream.begin(digest, [...documents.values()]);
    return stream;
  } catch (e) {
    await stream.close();
    throw e;
  }
}

class Stream implements StreamSource {
  readonly name: string;
  readonly size: number;
  digest = "";
  onBytes: ((bytes: Uint8Array) => void) | undefined;
  private transfer: Transfer;
  private reader: ReadableStreamDefaultReader<Uint8Array>;
  private readonly kept: Kept[] = [];
  /** What to keep of bytes that are read; until the header is known, all. */
  private spans: readonly Span[] | undefined;
  private chunk = new Uint8Array(0) as Uint8Array;
  private at = 0;
  private open = true;

  constructor(private readonly options: StreamOptions) {
    this.name = options.name;
    this.size = options.size;
    this.transfer = options.transfer;
    this.reader = options.transfer.body.getReader();
  }

  /** From here on only the spans are kept. */
  begin(digest: string, spans: readonly Span[]): void {
    this.digest = digest;
    this.spans = spans;
  }

  front(): readonly Uint8Array[] {
    return this.kept.map((k) => k.bytes);
  }

  async read(offset: number, into: Uint8Array): Promise<void> {
    if (offset + into.length > this.size)
      throw new SkintError("format.truncated", `${this.name} ends at byte ${this.size}, ${into.length} bytes were wanted at ${offset}; fetch the file again`, {
        what: this.name,
        offset,
      });
    for (let done = 0; done < into.length; ) {
      const wanted = offset + done;
      if (wanted < this.at) {
        done += this.fromKept(wanted, into.subarray(done));
        continue;
      }
      const skip = wanted - this.at;
      const start = this.at;
      const part = await this.next(skip || into.length - done);
      this.keep(start, part, skip > 0);
      if (skip > 0) continue;
      into.set(part, done);
      done += part.length;
    }
  }

  /** The next bytes, at most `most`. */
  private async next(most: number): Promise<Uint8Array> {
    while (this.chunk.length === 0) this.chunk = await this.pull();
    const part = this.chunk.subarray(0, most);
    this.chunk = this.chunk.subarray(part.length);
    this.at += part.length;
    this.onBytes?.(part);
    return part;
  }

  /** The next chunk, from another answer if this one breaks off. */
  private async pull(): Promise<Uint8Array> {
    for (let tried = 0; ; tried++) {
      const { chunk, why } = await this.receive();
      if (chunk) return chunk;
      if (this.options.signal?.aborted) throw new SkintError("aborted", `fetching ${this.name} was stopped by the caller`, { what: this.name });
      if (tried === RETRIES || !(await this.takeUp(tried))) throw this.interrupted(why ?? "the server ended it");
    }
  }

  private async receive(): Promise<{ chunk?: Uint8Array; why?: string }> {
    const timer = setTimeout(() => this.transfer.stop(), STALL_MS);
    try {
      return { chunk: (await this.reader.read()).value };
    } catch (e) {
      return { why: String(e) };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Asks for the rest; false if the server gives no parts. A server out of reach is asked again by the caller. */
  private async takeUp(tried: number): Promise<boolean> {
    this.transfer.stop();
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * 2 ** tried));
    try {
      const next = await this.options.resume(this.at);
      if (!next) return false;
      this.transfer = next;
      this.reader = next.body.getReader();
    } catch (e) {
      if (!(e instanceof SkintError && (e.code === "network.unreachable" || e.code === "network.status"))) throw e;
    }
    return true;
  }

  private interrupted(why: string): SkintError {
    const message = `the transfer of ${this.name} broke off at byte ${this.at} of ${this.size} (${why}); nothing of it is used: load it again`;
    return new SkintError("network.interrupted", message, { what: this.name, offset: this.at });
  }

  private keep(offset: number, part: Uint8Array, whole: boolean): void {
    if (whole || !this.spans) this.kept.push({ offset, bytes: part.slice() });
    else
      for (const span of this.spans) {
        const from = Math.max(span.offset, offset);
        const to = Math.min(span.offset + span.bytes, offset + part.length);
        if (from < to) this.kept.push({ offset: from, bytes: part.slice(from - offset, to - offset) });
      }
  }

  /** Copies what was kept from `offset` on; returns how much. */
  private fromKept(offset: number, into: Uint8Array): number {
    const found = this.kept.find((k) => k.offset <= offset && offset < k.offset + k.bytes.length);
    if (!found)
      throw new SkintError("file.unreadable", `${this.name} comes from a server once and byte ${offset} has passed; give it as a Blob to read it in any order`, {
        what: this.name,
        offset,
      });
    const part = found.bytes.subarray(offset - found.offset, offset - found.offset + into.length);
    into.set(part);
    return part.length;
  }

  async close(): Promise<void> {
    if (!this.open) return;
    this.open = false;
    this.kept.length = 0;
    this.chunk = new Uint8Array(0);
    this.transfer.stop();
    await this.reader.cancel().catch(() => {});
  }
}
