// Bitstreams of Lattice's iCE40, as far as it has to be known which chip they are for and where several lie in one flash. By Project IceStorm's
// description of the format: FF 00, comment, 00 FF, the sync word, then commands whose low four bits count their payload's bytes, highest byte first.
import { SkintError } from "../../../runtime/errors.ts";

const COMMENT = [0xff, 0x00];
const SYNC = [0x7e, 0xaa, 0x99, 0x7e];
/** Commands: the high four bits. */
const CONTROL = 0;
/** Its payload is the flash's command READ and three bytes of address. */
const BOOT_ADDRESS = 4;
const WIDTH = 6;
const HEIGHT = 7;
/** CONTROL's word that data of a bank follow: both sizes have been said before. */
const DATA = 1;
/** The sync word comes before, or it is no bitstream. */
const LONGEST_COMMENT = 4096;
/** Width less one and height of a bank, as bitstreams say them. Two chips are one die. */
const DIES: Readonly<Record<string, readonly string[]>> = { "691x336": ["up5k"], "871x272": ["hx8k", "lp8k"] };

const named = (chips: readonly string[]) => chips.join(" or ");

/** A chip as chipOf says it. */
export const dieOf = (chip: string) => named(Object.values(DIES).find((chips) => chips.includes(chip)) ?? [chip]);

/** One vector of five in a flash that holds several bitstreams: the chip goes on reading where it says. */
const VECTOR = 32;
const VECTORS = 5;
export const MULTIBOOT_BYTES = VECTOR * VECTORS;

const matches = (bytes: Uint8Array, at: number, lead: readonly number[]) => lead.every((b, i) => bytes[at + i] === b);

function afterSync(bytes: Uint8Array): number {
  if (!matches(bytes, 0, COMMENT)) return -1;
  for (let at = COMMENT.length; at < Math.min(bytes.length, LONGEST_COMMENT); at++) if (matches(bytes, at, SYNC)) return at + SYNC.length;
  return -1;
}

/** The commands' numbers and payloads from `at` on, up to the first data. */
function* commands(bytes: Uint8Array, at: number): Generator<readonly [command: number, payload: number]> {
  for (let i = at; i < bytes.length; ) {
    const [command, count] = [bytes[i] >> 4, bytes[i] & 15];
    let payload = 0;
    for (const b of bytes.subarray(i + 1, i + 1 + count)) payload = payload * 256 + b;
    if (command === CONTROL && payload === DATA) return;
    yield [command, payload];
    i += 1 + count;
  }
}

/** The chip a bitstream is for, of others than those of our boards the size of its banks; undefined if it is no bitstream. */
export function chipOf(bytes: Uint8Array): string | undefined {
  const at = afterSync(bytes);
  if (at < 0) return undefined;
  const said = new Map(commands(bytes, at));
  const [width, height] = [said.get(WIDTH), said.get(HEIGHT)];
  if (width === undefined || height === undefined) return undefined;
  const size = `${width}x${height}`;
  return size in DIES ? named(DIES[size]) : size;
}

/** The bitstream with a text more in its comment. Throws `format.header` if it is none. */
export function withComment(bitstream: Uint8Array, text: string): Uint8Array {
  if (afterSync(bitstream) < 0) throw new SkintError("format.header", "icepack's file does not begin as bitstreams do; is its version one that Skint knows?", { what: "icepack" });
  const line = new TextEncoder().encode(`${text}\0`);
  const out = new Uint8Array(bitstream.length + line.length);
  out.set(COMMENT);
  out.set(line, COMMENT.length);
  out.set(bitstream.subarray(COMMENT.length), COMMENT.length + line.length);
  return out;
}

/** Does a file begin with the vectors of several bitstreams? */
export const isMultiboot = (bytes: Uint8Array) => matches(bytes, 0, SYNC) && [...vectorsOf(bytes)].length > 0;

/** Where the bitstreams of a flash begin: that of power on, then those that SB_WARMBOOT names. */
export function vectorsOf(bytes: Uint8Array): number[] {
  const at = Array.from({ length: VECTORS }, (_, i) => VECTOR * i).filter((i) => matches(bytes, i, SYNC));
  const said = at.map((i) => new Map(commands(bytes.subarray(0, i + VECTOR), i + SYNC.length)).get(BOOT_ADDRESS));
  return said.flatMap((address) => (address === undefined ? [] : [address & 0xffffff]));
}

/**
 * A flash's first bytes: vectors, the bitstream that starts at power on behind them, and `others` that it may start, by where they begin (at most four;
 * the first stands for those that are not named).
 */
export function multiboot(first: Uint8Array, others: readonly number[]): Uint8Array {
  const out = new Uint8Array(MULTIBOOT_BYTES + first.length);
  const starts = [MULTIBOOT_BYTES, ...Array.from({ length: VECTORS - 1 }, (_, i) => [MULTIBOOT_BYTES, ...others][i] ?? MULTIBOOT_BYTES)];
  starts.forEach((start, i) => {
    const mode = [0x92, 0x00, 0x00];
    const address = [0x44, 0x03, (start >> 16) & 255, (start >> 8) & 255, start & 255];
    out.set([...SYNC, ...mode, ...address, 0x82, 0x00, 0x00, 0x01, 0x08], VECTOR * i);
  });
  out.set(first, MULTIBOOT_BYTES);
  return out;
}
