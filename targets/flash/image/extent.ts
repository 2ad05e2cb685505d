// What is flashed: bytes that lie one behind the other, and where. Readers of files make it (bin, Intel HEX, UF2) and check everything first.
import { SkintError } from "../../../runtime/errors.ts";

/** More than any flash here holds. Bounds what a file with addresses can make us allocate. */
export const MAX_IMAGE = 16 * 2 ** 20;

export interface Extent {
  readonly start: number;
  readonly bytes: Uint8Array;
  /** Of chips, where a UF2 file names one. */
  readonly family?: number;
}

/** A piece of a file with addresses, and the place in the file that it came from. */
export interface Piece extends Extent {
  readonly offset: number;
}

/**
 * Pieces in any order as one extent, FF between them. Throws `format.limit` beyond MAX_IMAGE, `format.overlap` where two pieces say something
 * about one byte, `format.truncated` for none.
 */
export function joinPieces(pieces: readonly Piece[], name: string): Extent {
  if (pieces.length === 0) throw new SkintError("format.truncated", `${name} has no bytes to be flashed; was it cut?`, { what: name });
  const sorted = [...pieces].sort((a, b) => a.start - b.start);
  const start = sorted[0].start;
  let end = start;
  for (const p of sorted) {
    if (p.start < end) throw new SkintError("format.overlap", `${name} says twice what is at address ${hex(p.start)}; make it anew`, { what: name, offset: p.offset });
    end = p.start + p.bytes.length;
    if (end - start > MAX_IMAGE)
      throw new SkintError("format.limit", `${name} reaches from ${hex(start)} to ${hex(end)}; an image has at most ${MAX_IMAGE} bytes`, { what: name, offset: p.offset });
  }
  const bytes = new Uint8Array(end - start).fill(0xff);
  for (const p of sorted) bytes.set(p.bytes, p.start - start);
  return { start, bytes };
}

export const hex = (n: number) => `0x${n.toString(16)}`;
