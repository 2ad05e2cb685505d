// Byte sources and sinks: what formats read from and write to, on every host. Offsets and lengths are in bytes.
// Hosts implement them (targets/hosts/<name>/files.ts); memory versions for tests and small data live here.
import { SkintError } from "../errors.ts";

/** Random-access bytes of known size. */
export interface Source {
  readonly name: string;
  readonly size: number;
  /** Fills `into` from `offset`; throws `format.truncated` when the source ends first. `into` may view shared memory. */
  read(offset: number, into: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** A file under construction: nothing appears under its final name before `commit`. */
export interface Sink {
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /** Makes the file visible in one step (write aside, then rename). */
  commit(): Promise<void>;
  /** Removes everything that was written. Safe to call after `commit` (does nothing). */
  abort(): Promise<void>;
}

/** A folder a model is read from. Names are plain file names, never paths. */
export interface Folder {
  readonly name: string;
  list(): Promise<string[]>;
  open(file: string): Promise<Source>;
}

export function memorySource(bytes: Uint8Array, name = "memory"): Source {
  return {
    name,
    size: bytes.length,
    async read(offset, into) {
      if (offset + into.length > bytes.length)
        throw new SkintError("format.truncated", `${name} ends at byte ${bytes.length}, ${into.length} bytes were wanted at ${offset}; fetch the file again`, {
          what: name,
          offset,
        });
      into.set(bytes.subarray(offset, offset + into.length));
    },
    async close() {},
  };
}

/** A sink that keeps its bytes: `bytes()` after `commit`. Grows by doubling. */
export function memorySink(): Sink & { bytes(): Uint8Array } {
  let buffer = new Uint8Array(1 << 16);
  let size = 0;
  return {
    async write(offset, bytes) {
      const end = offset + bytes.length;
      if (end > buffer.length) {
        const grown = new Uint8Array(Math.max(end, 2 * buffer.length));
        grown.set(buffer.subarray(0, size));
        buffer = grown;
      }
      buffer.set(bytes, offset);
      size = Math.max(size, end);
    },
    async commit() {},
    async abort() {
      buffer = new Uint8Array(0);
      size = 0;
    },
    bytes: () => buffer.subarray(0, size),
  };
}
