// An ESP32 in software: its ROM's boot loader and the stub that a client loads over it, as far as clients write flashes with them. SLIP frames; requests
// 00 op size:u16 checksum:u32 data, answers 01 op size:u16 value:u32 data status. RTS holds the chip in reset, DTR then makes it listen instead of start.
import type { Target, Twin } from "../protocol.ts";
import { lineOf } from "./line.ts";

const OPS = {
  flashBegin: 0x02,
  flashData: 0x03,
  flashEnd: 0x04,
  memBegin: 0x05,
  memEnd: 0x06,
  memData: 0x07,
  sync: 0x08,
  writeRegister: 0x09,
  readRegister: 0x0a,
  readFlash: 0xd2,
} as const;
const REGISTERS: ReadonlyMap<number, number> = new Map([
  [0x40001000, 0x00f01d83], // what an ESP32 is known by
  [0x3ff40014, 347], // divisor of the line: 40 MHz by 115200
]);
const SECTOR = 4096;
const SEED = 0xef;
const END = 0xc0;
const ESCAPE = 0xdb;
/** Status of a request that the ROM does not know, and of one whose checksum is wrong. */
const UNKNOWN = [1, 5];
const DAMAGED = [1, 7];

export function esp32Twin(target: Target): Twin {
  const { start, end } = target.region;
  const bytes = new Uint8Array(4 << 20).fill(0xff);
  const violations = { unerased: 0, outside: 0, unbegun: 0 };
  const lines = { dtr: false, rts: false };
  let mode: "rom" | "stub" | "app" = "app";
  let held: number[] | undefined;
  let booted = false;
  /** Where the next block goes, and how many bytes were begun. */
  let writing = { at: 0, left: 0 };
  /** Bytes that are read and wait for the client's word on those before. */
  let reading: number[] = [];

  const slip = (data: readonly number[]) => [END, ...data.flatMap((b) => (b === END ? [ESCAPE, 0xdc] : b === ESCAPE ? [ESCAPE, 0xdd] : [b])), END];
  const answer = (op: number, value = 0, status: readonly number[] = [0, 0]) => {
    const tail = mode === "rom" ? [...status, 0, 0] : status;
    return slip([1, op, tail.length, 0, value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24, ...tail]);
  };

  const begin = (size: number, at: number) => {
    if (at < start || at + size > end) violations.outside++;
    bytes.fill(0xff, at - (at % SECTOR), Math.ceil((at + size) / SECTOR) * SECTOR);
    writing = { at, left: size };
  };
  const write = (data: Uint8Array) => {
    if (data.length > writing.left) violations.unbegun++;
    data.forEach((b, i) => {
      if ((bytes[writing.at + i] & b) !== b) violations.unerased++;
      bytes[writing.at + i] &= b;
    });
    writing = { at: writing.at + data.length, left: writing.left - data.length };
  };
  const block = () => slip(reading.splice(0, SECTOR));

  const perform = (packet: Uint8Array): number[] => {
    if (packet.length === 4 && mode === "stub") return reading.length ? block() : [];
    if (packet.length < 8 || packet[0] !== 0) return [];
    const view = new DataView(packet.buffer, packet.byteOffset);
    const op = packet[1];
    const data = packet.subarray(8);
    const word = (i: number) => (data.length >= 4 * i + 4 ? view.getUint32(8 + 4 * i, true) : 0);
    if (data.length !== view.getUint16(2, true)) return answer(op, 0, DAMAGED);
    if (op === OPS.sync) return Array.from({ length: 8 }, () => answer(op, mode === "rom" ? 0x20120707 : 0)).flat();
    if (op === OPS.readRegister) return answer(op, REGISTERS.get(word(0)) ?? 0);
    if (op === OPS.memData || op === OPS.flashData) {
      const sum = data.subarray(16).reduce((a, b) => a ^ b, SEED);
      if (sum !== view.getUint32(4, true)) return answer(op, 0, DAMAGED);
      if (op === OPS.flashData) write(data.subarray(16));
      return answer(op);
    }
    if (op === OPS.memEnd) {
      const said = answer(op);
      mode = "stub";
      return [...said, ...slip([..."OHAI"].map((c) => c.charCodeAt(0)))];
    }
    if (op === OPS.flashBegin) begin(word(0), word(3));
    if (op === OPS.readFlash && mode === "stub") {
      reading = [...bytes.subarray(word(0), word(0) + word(1))];
      return [...answer(op), ...block()];
    }
    if (([OPS.flashBegin, OPS.flashEnd, OPS.memBegin, OPS.writeRegister] as number[]).includes(op)) return answer(op);
    return Array.from({ length: 8 }, () => answer(0, 0, UNKNOWN)).flat();
  };

  const step = (byte: number): number[] => {
    if (mode === "app" || lines.rts) return [];
    if (byte !== END) {
      held?.push(byte);
      return [];
    }
    const packet = held ?? [];
    held = packet.length ? undefined : [];
    if (packet.length === 0) return [];
    const out: number[] = [];
    for (let i = 0; i < packet.length; i++) out.push(packet[i] === ESCAPE ? (packet[++i] === 0xdc ? END : ESCAPE) : packet[i]);
    return perform(Uint8Array.from(out));
  };

  const reset = () => {
    mode = "app";
    held = undefined;
    reading = [];
    booted = false;
  };
  return {
    line: {
      ...lineOf(`${target.name}:twin`, (sent) => Array.from(sent).flatMap(step)),
      async signals({ dtr, rts }) {
        if (lines.rts && !rts) {
          const flashed = mode === "stub";
          reset();
          if (dtr) mode = "rom";
          else booted = flashed;
        }
        lines.dtr = dtr;
        lines.rts = rts;
      },
    },
    memory: { base: 0, bytes },
    get booted() {
      return booted;
    },
    violations,
    reset,
  };
}
