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

/** Stretches that lie apart, in one file: more than any linker makes, and few enough to be kept. */
const MOST_PIECES = 1 << 16;

/** What lines say, one behind the other; lines that go on where the last one ended are one piece with it. */
class Pieces {
  private readonly bytes: Uint8Array;
  private used = 0;
  private readonly at: { start: number; from: number; offset: number }[] = [];

  /** @param most bytes of all lines together */
  constructor(most: number) {
    this.bytes = new Uint8Array(most);
  }

  add(start: number, data: Uint8Array, offset: number, name: string): void {
    const last = this.at.at(-1);
    const goesOn = last !== undefined && last.start + this.used - last.from === start;
    if (!goesOn && this.at.push({ start, from: this.used, offset }) > MOST_PIECES)
      throw new SkintError("format.limit", `${name} has more than ${MOST_PIECES} stretches that lie apart; make it anew`, { what: name, offset });
    this.bytes.set(data, this.used);
    this.used += data.length;
  }

  join(name: string): Extent {
    const ends = [...this.at.slice(1).map((p) => p.from), this.used];
    return joinPieces(
      this.at.map(({ start, from, offset }, i): Piece => ({ start, bytes: this.bytes.subarray(from, ends[i]), offset })),
      name,
    );
  }
}

/** Throws `format.header` for lines that are none, `format.hash` for a wrong checksum, `format.truncated` without the last line, and as joinPieces. */
export function readHex(bytes: Uint8Array, name: string): Extent {
  const text = new TextDecoder("latin1").decode(bytes);
  const pieces = new Pieces(bytes.length >> 1);
  let base = 0;
  for (let at = 0, next = 0; at < text.length; at = next) {
    const end = text.indexOf("\n", at);
    next = end < 0 ? text.length : end + 1;
    const line = text.slice(at, next).trim();
    if (line === "") continue;
    const { type, address, data } = parse(line, name, at);
    if (type === END) return pieces.join(name);
    if (type === DATA && data.length) pieces.add(base + address, data, at, name);
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
