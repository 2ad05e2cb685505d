// An RP2040 in the npm package rp2040js, in lockstep: its time stands still while nobody talks to it. It begins as the boot ROM begins it.
import { SkintError } from "../../../../runtime/errors.ts";
import type { Line } from "../../../devices/fpga/link/line.ts";
import type { Mcu } from "../../../devices/mcu/mcu.ts";
import { bootChecksum } from "../../../devices/mcu/mcus/rp2040/mcu.ts";

/** What is used of rp2040js. */
interface Chip {
  readonly flash: Uint8Array;
  readonly sram: Uint8Array;
  readonly core: { PC: number; waiting: boolean; readonly pendingSystick: boolean; executeInstruction(): number };
  readonly uart: readonly { onByte?: (byte: number) => void; feedByte(byte: number): void; readonly rxFIFO: { readonly full: boolean } }[];
  logger: Record<"debug" | "info" | "warn" | "error", (component: string, message: string) => void>;
}
interface Clock {
  readonly nanos: number;
  readonly nanosToNextAlarm: number;
  tick(nanos: number): void;
}
interface Module {
  readonly Simulator: new () => { readonly rp2040: Chip; readonly clock: Clock };
}

const BOOT2_BYTES = 256;
/** Where in RAM the boot ROM puts the second stage of booting. */
const BOOT2_AT = 0x41f00;
const RAM = 0x20000000;
/** Time in which an agent begins, and in which it comes to rest, in ns: longer is a hang. */
const BEGIN = 2e6;
const MOST = 60e9;

async function loadModule(): Promise<Module | undefined> {
  const name = "rp2040js";
  return import(name).catch(() => undefined);
}

/** Why there is no emulator here; undefined if there is. */
export async function lacksRp2040(): Promise<string | undefined> {
  return (await loadModule()) ? undefined : "the package rp2040js is not installed (npm install rp2040js)";
}

/** Puts the image into flash and does what the boot ROM does: the second stage is checked, copied to RAM and begun. */
function boot(chip: Chip, image: Uint8Array): void {
  const stage = image.subarray(0, BOOT2_BYTES);
  const sum = new DataView(stage.buffer, stage.byteOffset).getUint32(BOOT2_BYTES - 4, true);
  if (image.length > chip.flash.length || bootChecksum(stage.subarray(0, -4)) !== sum)
    throw new SkintError("format.header", "the image does not begin with a second stage of booting whose CRC-32 is right; make it anew", { what: "rp2040" });
  chip.flash.set(image);
  chip.sram.set(stage, BOOT2_AT);
  chip.core.PC = RAM + BOOT2_AT;
}

/** @param waitMs of its time without an answer after which a read comes back empty */
export async function rp2040Line({ khz, baud }: Mcu, image: Uint8Array, waitMs: number, name: string): Promise<Line> {
  const module = await loadModule();
  if (!module) throw new SkintError("device.unavailable", "the package rp2040js is not installed; run npm install rp2040js", { what: "rp2040js" });
  const { rp2040: chip, clock } = new module.Simulator();
  const wild = (_: string, message: string) => {
    throw new SkintError("device.lost", `the agent on ${name} did what it may not (${message}); please report it`, { what: name });
  };
  const quiet = () => {};
  chip.logger = { debug: quiet, info: quiet, warn: wild, error: wild };
  boot(chip, image);
  const [character, clockNanos] = [1e10 / baud, 1e6 / khz];
  const uart = chip.uart[0];
  let queue: number[] = [];
  let answer: number[] = [];
  let next = 0;
  let rest = 0;
  uart.onByte = (byte) => {
    answer.push(byte);
    rest = 0;
  };
  /** One instruction, or sleep until something happens. */
  const step = () => {
    if (queue.length && clock.nanos >= next && !uart.rxFIFO.full) {
      uart.feedByte(queue.shift() as number);
      next += character;
    }
    if (!chip.core.waiting) clock.tick(clockNanos * chip.core.executeInstruction());
    else {
      const nanos = Math.min(clock.nanosToNextAlarm || character, queue.length ? Math.max(1, next - clock.nanos) : character);
      clock.tick(nanos);
      rest += nanos;
      if (chip.core.pendingSystick) chip.core.waiting = false; // the chip wakes for it, rp2040js does not
    }
  };
  while (clock.nanos < BEGIN) step();
  return {
    name,
    async write(bytes) {
      queue.push(...bytes);
    },
    async read(ms) {
      next = clock.nanos;
      while (queue.length) step();
      rest = 0;
      const wait = ms === 0 ? 0 : 1e6 * waitMs;
      const end = clock.nanos + MOST;
      while (rest < (answer.length ? 2 * character : wait)) {
        step();
        if (clock.nanos > end) wild("", `it came to no rest, at ${chip.core.PC.toString(16)}`);
      }
      const all = Uint8Array.from(answer);
      answer = [];
      return all;
    },
    async close() {
      queue = [];
    },
  };
}
