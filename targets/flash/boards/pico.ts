// Raspberry Pi Pico (RP2040).
import type { Target } from "../protocol.ts";

export const board: Target = {
  name: "pico",
  title: "Raspberry Pi Pico (RP2040)",
  protocol: "uf2",
  takes: { skint: ["rp2040"], uf2: ["e48bff56"] },
  id: "e48bff56",
  region: { start: 0x10000000, end: 0x10200000 },
  baud: 0,
  enter: "hold BOOTSEL while plugging in: a drive appears",
};
