// Loads a pack: reads the data section once, in file order, straight into the memory the weights will be used from, and hashes the bytes as they
// pass. One pass, one copy; destinations may be shared memory.
import { SkintError, throwIfAborted } from "../../errors.ts";
import type { Hasher } from "../../io/hash.ts";
import { tensorOf } from "./layout.ts";
import type { Pack } from "./reader.ts";

/** Bytes read at a time: progress and abort at no cost in speed. */
const PIECE = 4 * 2 ** 20;

export interface LoadOptions {
  /** A fresh SHA-256. */
  readonly hasher: Hasher;
  /** Called with bytes read so far and in all, about once per 4 MiB. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** A stretch of the file and where it goes; without `into` it is only hashed. */
interface Run {
  offset: number;
  bytes: number;
  into: Uint8Array | undefined;
}

/**
 * Fills `placements` (tensor name → view of exactly the tensor's bytes) from the pack. Throws `format.hash` when the file is not what its
 * header says: the destinations are then filled with bytes that must not be used.
 */
export async function readInto(pack: Pack, placements: ReadonlyMap<string, Uint8Array>, { hasher, onProgress, signal }: LoadOptions): Promise<void> {
  const scratch = new Uint8Array(Math.min(PIECE, pack.size));
  const total = pack.size - pack.dataOffset;
  let done = 0;
  let reported = 0;
  hasher.update(pack.hashedHeader());
  for (const { offset, bytes, into } of planRuns(pack, placements)) {
    for (let at = 0; at < bytes; at += PIECE) {
      throwIfAborted(signal, `loading ${pack.name}`);
      const piece = Math.min(PIECE, bytes - at);
      const view = into === undefined ? scratch.subarray(0, piece) : into.subarray(at, at + piece);
      await pack.readFile(offset + at, view);
      hasher.update(view);
      done += piece;
      if (done - reported >= PIECE || done === total) {
        reported = done;
        onProgress?.(done, total);
      }
    }
  }
  const digest = hasher.digest();
  if (digest !== pack.digest)
    throw new SkintError("format.hash", `${pack.name} hashes to ${digest}, its header says ${pack.digest}; the file is damaged: fetch or write it again`, { what: pack.name });
}

/** The data section cut where the destination changes; neighbours in the file that are neighbours in memory become one run. */
function planRuns(pack: Pack, placements: ReadonlyMap<string, Uint8Array>): Run[] {
  for (const name of placements.keys()) tensorOf(pack, name, pack.name);
  const runs: Run[] = [];
  const spans = [...pack.tensors.values(), ...pack.documents.values()].sort((a, b) => a.offset - b.offset);
  for (const { name, offset, bytes } of spans) {
    const into = placements.get(name);
    if (into !== undefined && into.length !== bytes) throw new SkintError("usage", `tensor ${name} takes ${bytes} bytes, its place has ${into.length}`, { what: name });
    const last = runs.at(-1);
    if (last === undefined || !continues(last.into, into)) runs.push({ offset, bytes, into });
    else {
      last.bytes += bytes;
      if (last.into !== undefined) last.into = new Uint8Array(last.into.buffer, last.into.byteOffset, last.bytes);
    }
  }
  return runs;
}

function continues(before: Uint8Array | undefined, next: Uint8Array | undefined): boolean {
  if (before === undefined || next === undefined) return before === next;
  return before.buffer === next.buffer && before.byteOffset + before.length === next.byteOffset;
}
