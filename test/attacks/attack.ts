// What an attack is: a named maker of a malformed (or oddly formed, yet valid) file, and how reading it must end.
import type { ErrorCode } from "../../runtime/errors.ts";
import { memorySource, type Source } from "../../runtime/io/source.ts";

export type Made = Uint8Array | Source | ReadonlyMap<string, Uint8Array>;

export interface Attack {
  /** One file as bytes, one file as a source (where its size is the attack), or the files of a folder. */
  make(): Made | Promise<Made>;
  readonly expect: ErrorCode | "accept";
  /** Expected `place.what` of the error: tensor, document or file. */
  readonly what?: string;
}

export type Attacks = Readonly<Record<string, Attack>>;

export function isSource(made: Made): made is Source {
  return "read" in made;
}

export function isFolder(made: Made): made is ReadonlyMap<string, Uint8Array> {
  return made instanceof Map;
}

/** The source of a made single file. */
export function sourceOf(made: Uint8Array | Source, name: string): Source {
  return isSource(made) ? made : memorySource(made, name);
}

/** Bytes of all that was made. */
export function sizeOf(made: Made): number {
  if (isFolder(made)) return [...made.values()].reduce((sum, bytes) => sum + bytes.length, 0);
  return isSource(made) ? made.size : made.length;
}
