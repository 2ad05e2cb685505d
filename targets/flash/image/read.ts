// A file as an image, by how it begins: UF2, Intel HEX, else bytes for the start of the region that may be written.
import { SkintError } from "../../../runtime/errors.ts";
import type { Region } from "../protocol.ts";
import { type Extent, hex, MAX_IMAGE } from "./extent.ts";
import { isHex, readHex } from "./hex.ts";
import { isUf2, readUf2 } from "./uf2.ts";

/** Throws `format.*` for a file that is none, `format.limit` for one that is too large. */
export function readImage(bytes: Uint8Array, name: string, region: Region): Extent {
  if (bytes.length === 0) throw new SkintError("format.truncated", `${name} is empty; make it anew`, { what: name });
  if (isUf2(bytes)) return readUf2(bytes, name);
  if (isHex(bytes)) return readHex(bytes, name);
  if (bytes.length > MAX_IMAGE) throw new SkintError("format.limit", `${name} has ${bytes.length} bytes; an image has at most ${MAX_IMAGE}`, { what: name });
  return { start: region.start, bytes };
}

/** Throws `flash.region` if any byte would lie outside. */
export function judgeRegion({ start, bytes }: Extent, region: Region, name: string): void {
  const end = start + bytes.length;
  if (start >= region.start && end <= region.end) return;
  throw new SkintError(
    "flash.region",
    `${name} is for ${hex(start)} to ${hex(end)}, but only ${hex(region.start)} to ${hex(region.end)} (${region.end - region.start} bytes) may be written; make it smaller or for this board`,
    { what: name, offset: Math.max(0, region.end - start) },
  );
}
