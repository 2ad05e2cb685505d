// Strict UTF-8: bytes that came from outside to text.
import { SkintError } from "../errors.ts";

/** Text of `bytes`; a byte order mark is kept as a character. Throws `format.header` on bytes that are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new SkintError("format.header", `${what} is not UTF-8 text; the file is damaged or not what its name says: fetch or write it again`, { what }, { cause });
  }
}
