// Where a transfer keeps its bytes until the file is whole, so that a later try can go on. Hosts keep them in files
// (targets/hosts/<name>/partial.ts); in memory they serve small answers and tests.
import { SkintError } from "../errors.ts";
import type { Pin } from "./pin.ts";
import { memorySink } from "./source.ts";

/** Where bytes are kept until the file is whole. One transfer at a time uses it. */
export interface TransferStore {
  /** What the bytes are of; undefined when there are none. */
  readonly pin: Pin | undefined;
  /** Bytes kept. */
  readonly size: number;
  read(offset: number, into: Uint8Array): Promise<void>;
  /** Adds to the end; `size` grows only when all of it was stored. */
  append(bytes: Uint8Array): Promise<void>;
  /** Makes what was appended survive a sudden end. */
  keep(): Promise<void>;
  /** Drops all bytes; those that follow are of `pin`. */
  reset(pin: Pin): Promise<void>;
}

/** A store that keeps its bytes: `bytes()` gives them. Grows with what arrives, not with what is announced. */
export function memoryStore(): TransferStore & { bytes(): Uint8Array } {
  let sink = memorySink();
  let pin: Pin | undefined;
  let size = 0;
  return {
    get pin() {
      return pin;
    },
    get size() {
      return size;
    },
    async read(offset, into) {
      if (offset + into.length > size) throw new SkintError("format.truncated", `${size} bytes are kept, ${into.length} were wanted at ${offset}; fetch them again`, { offset });
      into.set(sink.bytes().subarray(offset, offset + into.length));
    },
    async append(bytes) {
      await sink.write(size, bytes);
      size += bytes.length;
    },
    async keep() {},
    async reset(next) {
      sink = memorySink();
      pin = next;
      size = 0;
    },
    bytes: () => sink.bytes(),
  };
}
