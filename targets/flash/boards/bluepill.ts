// Blue Pill (STM32F103C8).
import type { Target } from "../protocol.ts";

export const board: Target = {
  name: "bluepill",
  title: "Blue Pill (STM32F103C8)",
  protocol: "stm32",
  takes: { uf2: ["5ee21072"] },
  id: "0410",
  region: { start: 0x08000000, end: 0x08010000 },
  baud: 115_200,
  enter: "BOOT0 to 1, press reset",
};
