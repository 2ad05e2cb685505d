// What a linker made: a little-endian ELF file of 32 bits as the flat image that goes into a flash, and how much room it takes.
import { SkintError } from "../../../../runtime/errors.ts";

export interface Flat {
  /** From the lowest address that holds something to the highest, gaps as an empty flash has them. */
  readonly bytes: Uint8Array;
  /** Address of the first byte. */
  readonly base: number;
  /** Bytes of code and constants, those included from which variables begin. */
  readonly code: number;
  /** Bytes of variables, without the stack. */
  readonly ram: number;
}

const LOAD = 1;
const NOBITS = 8;
const WRITE = 1;
const ALLOC = 2;
/** More than any MCU's flash. */
const MOST = 1 << 26;

/** Throws `format.header` for what is no such file. */
export function flatten(elf: Uint8Array): Flat {
  const view = new DataView(elf.buffer, elf.byteOffset, elf.byteLength);
  const wrong = (why: string) => new SkintError("format.header", `the linker's file is no ELF that Skint reads: ${why}; is the compiler the right one?`);
  if (elf.length < 52 || view.getUint32(0) !== 0x7f454c46 || elf[4] !== 1 || elf[5] !== 1) throw wrong("its head is another");
  const u16 = (at: number) => view.getUint16(at, true);
  const u32 = (at: number) => view.getUint32(at, true);
  /** Field offsets of each entry of a table. */
  const entries = (table: number, size: number, count: number) => {
    if (table + size * count > elf.length) throw wrong("a table lies behind its end");
    return Array.from({ length: count }, (_, i) => table + size * i);
  };
  const loads = entries(u32(28), u16(42), u16(44))
    .filter((at) => u32(at) === LOAD && u32(at + 16) > 0)
    .map((at) => ({ from: u32(at + 4), to: u32(at + 12), length: u32(at + 16) }));
  const base = Math.min(...loads.map((l) => l.to));
  const end = Math.max(...loads.map((l) => l.to + l.length));
  if (loads.length === 0 || end - base > MOST || loads.some((l) => l.from + l.length > elf.length)) throw wrong("its parts lie nowhere");
  const bytes = new Uint8Array(end - base).fill(0xff);
  for (const { from, to, length } of loads) bytes.set(elf.subarray(from, from + length), to - base);
  const sections = entries(u32(32), u16(46), u16(48)).filter((at) => u32(at + 8) & ALLOC);
  const sum = (which: (at: number) => boolean) => sections.filter(which).reduce((total, at) => total + u32(at + 20), 0);
  return { bytes, base, code: sum((at) => u32(at + 4) !== NOBITS), ram: sum((at) => (u32(at + 8) & WRITE) !== 0) };
}
