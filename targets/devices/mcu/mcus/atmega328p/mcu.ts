// ATmega328P (Arduino Uno): 8 bits, 16 MHz, 2 KiB of RAM; weights lie in flash. Written by an ISP programmer, as the agent has a boot section of its own.
import type { Mcu } from "../../mcu.ts";

export const mcu: Mcu = {
  name: "atm328p",
  title: "ATmega328P (AVR)",
  compiler: {
    prefix: "avr-",
    debian: "gcc-avr avr-libc",
    flags: ["-O2", "-mmcu=atmega328p", "-Wl,--section-start=.bootloader=0x7e00"],
    parts: [],
  },
  khz: 16_000,
  baud: 250_000,
  memory: { weights: 11, activations: 7, parameters: 5 }, // 16 KiB of flash, 1 KiB, 256 bytes
  fresh: 0xff,
  maxPayload: 132, // a page of flash in one WRITE
  window: 1,
  ring: 7,
  room: { code: 8 << 10, ram: 1792 },
  emulator: { kind: "simavr", core: "atmega328p" },
  counter: { chip: "clocks (timer 1)", emulated: "clocks by the datasheet's table of instructions (timer 1)" },
};
