// iCEBreaker: iCE40 UP5K, 12 MHz crystal, FTDI FT2232H whose second channel is the serial line.
import type { Board } from "../board.ts";

export const board: Board = {
  name: "icebrkr",
  title: "iCEBreaker (iCE40 UP5K)",
  device: "up5k",
  package: "sg48",
  pins: { crystal: "35", rxd: "6", txd: "9", light: "37" },
  clock: { crystal: 12, divf: 63, divq: 5, pad: true }, // 24 MHz
  baud: 1_000_000,
  memory: { weights: 14, activations: 9, parameters: 8 }, // 128 KiB in the four SPRAMs, 4 KiB, 2 KiB
  budget: { cells: 3960, ram: 16, dsp: 8, spram: 4 },
  has: { cells: 5280, ram: 30, dsp: 8, spram: 4 },
  flash: {
    protocol: "skint",
    id: "icebrkr",
    region: { start: 0x28000, end: 0x50000 },
    baud: 1_000_000,
    enter: "press reset: the loader waits",
    answers: true,
    pins: { flash_cs: "16", flash_sck: "15", flash_mosi: "14", flash_miso: "17" },
  },
};
