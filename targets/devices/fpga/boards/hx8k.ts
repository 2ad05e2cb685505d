// iCE40-HX8K breakout board: 12 MHz crystal, FTDI FT2232H whose second channel is the serial line. No multipliers and no large RAMs.
import type { Board } from "../board.ts";

export const board: Board = {
  name: "hx8k",
  title: "iCE40-HX8K breakout board",
  device: "hx8k",
  package: "ct256",
  pins: { crystal: "J3", rxd: "B10", txd: "B12", light: "B5" },
  clock: { crystal: 12, divf: 79, divq: 4, pad: false }, // 60 MHz
  baud: 1_000_000,
  memory: { weights: 10, activations: 9, parameters: 8 }, // 8 KiB, 4 KiB, 2 KiB, all block RAM
  budget: { cells: 6500, ram: 30, dsp: 0, spram: 0 },
  has: { cells: 7680, ram: 32, dsp: 0, spram: 0 },
  flash: {
    protocol: "skint",
    id: "hx8k",
    region: { start: 0x28000, end: 0x50000 },
    baud: 1_000_000,
    enter: "press reset: the loader waits",
    answers: true,
    pins: { flash_cs: "R12", flash_sck: "R11", flash_mosi: "P12", flash_miso: "P11" },
  },
};
