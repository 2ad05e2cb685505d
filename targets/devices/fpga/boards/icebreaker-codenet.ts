// iCEBreaker with CoDeNet's engine: one memory of 128 KiB in the four SPRAMs, 4 KiB for a slice's weights and 8 KiB of line buffer, 64 columns wide.
import type { Board } from "../board.ts";
import { board as icebreaker } from "./icebreaker.ts";

export const board: Board = {
  ...icebreaker,
  design: "codenet",
  name: "icebr-cn",
  title: "iCEBreaker (iCE40 UP5K), CoDeNet's engine",
  flash: undefined,
  memory: { weights: 14, buffer: 9, line: 6 },
  budget: { cells: 5200, ram: 30, dsp: 8, spram: 4 },
};
