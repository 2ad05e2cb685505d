// Sinks and folders in memory, and sources that claim to be larger than what they hold.
import { SkintError } from "../../runtime/errors.ts";
import { type Folder, memorySource, type Sink, type Source } from "../../runtime/io/source.ts";

/** A sink that keeps what was committed: `bytes()` is undefined before, and after abort. */
export function memorySink(): Sink & { bytes(): Uint8Array | undefined } {
  let buffer = new Uint8Array(1024);
  let size = 0;
  let state: "open" | "committed" | "aborted" = "open";
  return {
    async write(offset, bytes) {
      size = Math.max(size, offset + bytes.length);
      if (size > buffer.length) {
        const grown = new Uint8Array(2 * size);
        grown.set(buffer);
        buffer = grown;
      }
      buffer.set(bytes, offset);
    },
    async commit() {
      state = "committed";
    },
    async abort() {
      if (state === "open") state = "aborted";
    },
    bytes: () => (state === "committed" ? buffer.slice(0, size) : undefined),
  };
}

export function memoryFolder(files: ReadonlyMap<string, Uint8Array>, name = "folder"): Folder {
  return {
    name,
    list: async () => [...files.keys()],
    async open(file) {
      const bytes = files.get(file);
      if (bytes === undefined) throw new SkintError("file.missing", `${name} holds no ${file}; this folder is in memory`, { what: file });
      return memorySource(bytes, file);
    },
  };
}

/** A file of `size` bytes of which only the front is not zero. */
export function sparseSource(front: Uint8Array, size: number, name: string): Source {
  return {
    name,
    size,
    async read(offset, into) {
      if (offset + into.length > size) throw new SkintError("format.truncated", `${name} ends at byte ${size}; fetch the file again`, { what: name, offset });
      into.fill(0);
      into.set(front.subarray(offset, offset + into.length));
    },
    async close() {},
  };
}

/** A file of `size` bytes, zeros but for the patches, which are given by their offsets. */
export function patchedSource(patches: ReadonlyMap<number, Uint8Array>, size: number, name: string): Source {
  return {
    name,
    size,
    async read(offset, into) {
      if (offset + into.length > size) throw new SkintError("format.truncated", `${name} ends at byte ${size}; fetch the file again`, { what: name, offset });
      into.fill(0);
      for (const [at, bytes] of patches) {
        const from = Math.max(at, offset);
        const to = Math.min(at + bytes.length, offset + into.length);
        if (from < to) into.set(bytes.subarray(from - at, to - at), from - offset);
      }
    },
    async close() {},
  };
}
