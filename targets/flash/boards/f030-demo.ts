// Demo boards with an STM32F030F4.
import type { Target } from "../protocol.ts";

export const board: Target = {
  name: "f030-demo",
  title: "STM32F030F4 demo board",
  protocol: "stm32",
  takes: { uf2: ["647824b6"] },
  id: "0444",
  region: { start: 0x08000000, end: 0x08004000 },
  baud: 115_200,
  enter: "BOOT0 to 1, press reset",
};
