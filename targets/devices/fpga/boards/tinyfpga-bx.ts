// TinyFPGA BX: iCE40 LP8K, 16 MHz crystal. Its USB is the boot loader's; the serial line is on pins 1 (to the board) and 2 (from it), 3.3 V.
import type { Board } from "../board.ts";

export const board: Board = {
  name: "tinybx",
  title: "TinyFPGA BX (iCE40 LP8K)",
  device: "lp8k",
  package: "cm81",
  pins: { crystal: "B2", rxd: "A2", txd: "A1", light: "B3" },
  clock: { crystal: 16, divf: 63, divq: 5, pad: false }, // 32 MHz
  baud: 1_000_000,
  memory: { weights: 10, activations: 9, parameters: 8 }, // 8 KiB, 4 KiB, 2 KiB, all block RAM
  budget: { cells: 6500, ram: 30, dsp: 0, spram: 0 },
  has: { cells: 7680, ram: 32, dsp: 0, spram: 0 },
  flash: { protocol: "tinyfpga", id: "TinyFPGA BX", region: { start: 0x28000, end: 0x50000 }, baud: 1_000_000, enter: "press the button: the light pulses" },
};
