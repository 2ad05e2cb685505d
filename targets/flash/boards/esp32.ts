// ESP32 development board: 4 MiB of flash, the application behind the second stage of its boot loader and the table of partitions.
import type { Target } from "../protocol.ts";

export const board: Target = {
  name: "esp32",
  title: "ESP32 development board",
  protocol: "esp32",
  takes: { esp32: ["0"], uf2: ["1c5f21b0"] },
  id: "ESP32",
  region: { start: 0x10000, end: 0x400000 },
  baud: 115_200,
  enter: "nothing: DTR and RTS reset the board",
};
