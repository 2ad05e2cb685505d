// Arduino Uno (ATmega328P).
import type { Target } from "../protocol.ts";

export const board: Target = {
  name: "arduino-uno",
  title: "Arduino Uno (ATmega328P)",
  protocol: "stk500",
  id: "1e950f",
  region: { start: 0x0000, end: 0x7e00 },
  baud: 115_200,
  enter: "nothing: DTR resets the board",
};
