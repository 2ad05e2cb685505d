// What an image that Skint made says of itself, somewhere among its bytes: a line of ASCII,
//   skint-image 1 <board> <bytes> <SHA-256>
// bytes as 8 hexadecimal digits, the hash as 64: of the image's first `bytes` bytes, with zeros for its own digits. Bitstreams have it in the comment at
// their beginning, agents where their linker puts it. Both numbers are zeros until the image is whole and is sealed.
import { SkintError } from "../../../runtime/errors.ts";

const LEAD = "skint-image 1 ";
const FORM = /^skint-image 1 ([!-~]{1,8}) ([0-9a-f]{8}) ([0-9a-f]{64})/;
const LONGEST = LEAD.length + 8 + 1 + 8 + 1 + 64;
const HASH_DIGITS = 64;
const UNSEALED = "0".repeat(8);

export type Hash = (bytes: Uint8Array) => string;

interface Found {
  readonly board: string;
  /** As the record says it. */
  readonly bytes: string;
  readonly sha256: string;
  /** Where the digits of `bytes` and `sha256` stand. */
  readonly bytesAt: number;
  readonly hashAt: number;
}

/** The record before it is sealed. @param board at most 8 characters, as the image says them in HELLO */
export const unsealed = (board: string) => `${LEAD}${board} ${UNSEALED} ${"0".repeat(HASH_DIGITS)}`;

const ascii = (bytes: Uint8Array) => String.fromCharCode(...bytes);

function find(image: Uint8Array): Found | undefined {
  const lead = [...LEAD].map((c) => c.charCodeAt(0));
  for (let at = image.indexOf(lead[0]); at >= 0; at = image.indexOf(lead[0], at + 1)) {
    if (lead.some((c, i) => image[at + i] !== c)) continue;
    const text = FORM.exec(ascii(image.subarray(at, at + LONGEST)));
    if (!text) continue;
    const [, board, bytes, sha256] = text;
    const bytesAt = at + LEAD.length + board.length + 1;
    return { board, bytes, sha256, bytesAt, hashAt: bytesAt + bytes.length + 1 };
  }
  return undefined;
}

function sum(image: Uint8Array, hashAt: number, hash: Hash): string {
  const copy = image.slice();
  copy.fill(0x30, hashAt, hashAt + HASH_DIGITS);
  return hash(copy);
}

/** Writes length and hash into the image's record, in place; nothing where it has none. @param hash SHA-256 as hexadecimal digits */
export function seal(image: Uint8Array, hash: Hash): void {
  const found = find(image);
  if (!found) return;
  const put = (at: number, text: string) => image.set(new TextEncoder().encode(text), at);
  put(found.bytesAt, image.length.toString(16).padStart(8, "0"));
  put(found.hashAt, sum(image, found.hashAt, hash));
}

/**
 * The board that an image's record names, undefined without a record. Bytes behind those that it counts may be there (files fill pages up).
 * Throws `format.truncated` if there are fewer, `format.hash` if they are others.
 */
export function recordedBoard(image: Uint8Array, name: string, hash: Hash): string | undefined {
  const found = find(image);
  if (!found || found.bytes === UNSEALED) return found?.board;
  const count = Number.parseInt(found.bytes, 16);
  if (count > image.length) throw new SkintError("format.truncated", `${name} has ${image.length} of the ${count} bytes it was made with; copy it again`, { what: name });
  if (sum(image.subarray(0, count), found.hashAt, hash) !== found.sha256)
    throw new SkintError("format.hash", `${name} is not as it was made: its bytes have another SHA-256 than it says; copy it again, or make it anew`, { what: name });
  return found.board;
}
