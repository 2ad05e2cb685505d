// UF2: blocks of 512 bytes, each on its own: magic, magic, flags, address, bytes of payload (256), number, of how many, family, payload, magic.
import { SkintError } from "../../../runtime/errors.ts";
import { type Extent, joinPieces, MAX_IMAGE, type Piece } from "./extent.ts";

const MAGICS = [0x0a324655, 0x9e5d5157, 0x0ab16f30] as const;
const BLOCK = 512;
const PAYLOAD = 256;
const LARGEST = 476;
const HAS_FAMILY = 0x2000;
/** Blocks with one of these hold no flash: not for the main memory, a file, with tags behind the payload. */
const FOREIGN = 0x0001 | 0x1000;

export const isUf2 = (bytes: Uint8Array) => bytes.length >= 8 && new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true) === MAGICS[0];

/** @param family of chips, which the drive asks for */
export function writeUf2({ start, bytes }: Extent, family: number): Uint8Array {
  const first = Math.floor(start / PAYLOAD) * PAYLOAD;
  const count = Math.ceil((start + bytes.length - first) / PAYLOAD);
  const padded = new Uint8Array(count * PAYLOAD).fill(0xff);
  padded.set(bytes, start - first);
  const out = new Uint8Array(count * BLOCK);
  const view = new DataView(out.buffer);
  for (let i = 0; i < count; i++) {
    const at = i * BLOCK;
    const head = [MAGICS[0], MAGICS[1], HAS_FAMILY, first + i * PAYLOAD, PAYLOAD, i, count, family];
    head.forEach((v, j) => {
      view.setUint32(at + 4 * j, v, true);
    });
    out.set(padded.subarray(i * PAYLOAD, (i + 1) * PAYLOAD), at + 32);
    view.setUint32(at + BLOCK - 4, MAGICS[2], true);
  }
  return out;
}

/**
 * Throws `format.truncated` for parts of blocks or of the file, `format.header` for blocks that are none or of several families, `format.duplicate` for
 * a number that stands twice, `format.limit` for a payload or a count beyond what there may be, and as joinPieces.
 */
export function readUf2(bytes: Uint8Array, name: string): Extent {
  const fail = (code: "format.truncated" | "format.header" | "format.duplicate" | "format.limit", offset: number, why: string) =>
    new SkintError(code, `${name} ${why}; make it anew or copy it again`, { what: name, offset });
  if (bytes.length === 0 || bytes.length % BLOCK) throw fail("format.truncated", bytes.length, `has ${bytes.length} bytes, which is no whole number of blocks of ${BLOCK}`);
  if (bytes.length > 2 * MAX_IMAGE) throw fail("format.limit", 0, `has ${bytes.length} bytes; at most ${2 * MAX_IMAGE} are read`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pieces: Piece[] = [];
  const seen = new Set<number>();
  let family: number | undefined;
  const blocks = bytes.length / BLOCK;
  for (let i = 0; i < blocks; i++) {
    const at = i * BLOCK;
    const word = (j: number) => view.getUint32(at + 4 * j, true);
    if (word(0) !== MAGICS[0] || word(1) !== MAGICS[1] || view.getUint32(at + BLOCK - 4, true) !== MAGICS[2])
      throw fail("format.header", at, "has a block without its magic numbers");
    const [flags, start, length, number, count, tag] = [2, 3, 4, 5, 6, 7].map(word);
    if (count !== blocks) throw fail("format.truncated", at, `says it has ${count} blocks and has ${blocks}`);
    if (number >= count || seen.has(number)) throw fail("format.duplicate", at, `numbers a block ${number} that cannot be that`);
    seen.add(number);
    if (flags & FOREIGN) continue;
    if (length === 0 || length > LARGEST) throw fail("format.limit", at, `has a block of ${length} bytes; 1 to ${LARGEST} fit`);
    if (start + length > 2 ** 32) throw fail("format.limit", at, "has a block beyond 4 GiB");
    const named = flags & HAS_FAMILY ? tag : undefined;
    if (pieces.length > 0 && named !== family) throw fail("format.header", at, "has blocks of several families");
    family = named;
    pieces.push({ start, bytes: bytes.subarray(at + 32, at + 32 + length), offset: at });
  }
  return { ...joinPieces(pieces, name), ...(family === undefined ? {} : { family }) };
}
