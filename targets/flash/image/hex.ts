// Intel HEX: lines `:` count address type data checksum, in hexadecimal digits; types 0 data, 1 end, 2 and 4 upper address bits, 3 and 5 entry (not used).
import { SkintError } from "../../../runtime/errors.ts";
import { type Extent, joinPieces, type Piece } from "./extent.ts";

const LINE = /^:(?:[0-9a-fA-F]{2}){5,260}$/;
const DATA = 0;
const END = 1;
const SEGMENT = 2;
const LINEAR = 4;
const ENTRIES = [3, 5];

/** Does a file begin like Intel HEX? */
export const isHex = (bytes: Uint8Array) => bytes[0] === 0x3a;

/** Throws `format.header` for lines that are none, `format.hash` for a wrong checksum, `format.truncated` without the last line, and as joinPieces. */
export function readHex(bytes: Uint8Array, name: string): Extent {
  const text = new TextDecoder("latin1").decode(bytes);
  const pieces: Piece[] = [];
  let base = 0;
  let offset = 0;
  for (const raw of text.split("\n")) {
    const at = offset;
    offset += raw.length + 1;
    const line = raw.trim();
    if (line === "") continue;
    const record = parse(line, name, at);
    const { type, address, data } = record;
    if (type === END) return joinPieces(pieces, name);
    if (type === DATA && data.length) pieces.push({ start: base + address, bytes: data, offset: at });
    else if ((type === SEGMENT || type === LINEAR) && data.length === 2) base = ((data[0] << 8) | data[1]) * (type === LINEAR ? 65536 : 16);
    else if (type !== DATA && !ENTRIES.includes(type))
      throw new SkintError("format.header", `${name} has a line of type ${type}, which Intel HEX does not have`, { what: name, offset: at });
  }
  throw new SkintError("format.truncated", `${name} ends without the line that ends Intel HEX; was it cut?`, { what: name, offset: bytes.length });
}

function parse(line: string, name: string, offset: number): { type: number; address: number; data: Uint8Array } {
  if (!LINE.test(line)) throw new SkintError("format.header", `${name} has a line that is no Intel HEX: ${JSON.stringify(line.slice(0, 20))}`, { what: name, offset });
  const all = Uint8Array.from({ length: (line.length - 1) / 2 }, (_, i) => Number.parseInt(line.slice(1 + 2 * i, 3 + 2 * i), 16));
  if (all.length !== all[0] + 5) throw new SkintError("format.header", `${name} has a line of ${all.length - 5} bytes that promises ${all[0]}`, { what: name, offset });
  if (all.reduce((sum, b) => (sum + b) & 255, 0) !== 0)
    throw new SkintError("format.hash", `${name} has a line whose checksum is wrong; copy the file again`, { what: name, offset });
  return { type: all[3], address: (all[1] << 8) | all[2], data: all.subarray(4, all.length - 1) };
}

/** @param width bytes a line */
export function writeHex({ start, bytes }: Extent, width = 16): string {
  const line = (type: number, address: number, data: ArrayLike<number>) => {
    const all = [data.length, (address >> 8) & 255, address & 255, type, ...Array.from(data)];
    const sum = -all.reduce((a, b) => a + b, 0) & 255;
    return `:${[...all, sum].map((b) => b.toString(16).padStart(2, "0")).join("")}\n`.toUpperCase();
  };
  let out = "";
  let upper = 0;
  for (let at = 0; at < bytes.length; ) {
    const address = start + at;
    const high = Math.floor(address / 65536);
    if (high !== upper) out += line(LINEAR, 0, [high >> 8, high & 255]);
    upper = high;
    const n = Math.min(width, bytes.length - at, 65536 - (address % 65536));
    out += line(DATA, address & 0xffff, bytes.subarray(at, at + n));
    at += n;
  }
  return out + line(END, 0, []);
}
