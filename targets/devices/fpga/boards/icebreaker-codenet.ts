// iCEBreaker with CoDeNet's engine in place of the linear one: the same pins, clock and loader. Tiles with a depthwise half are at most 64 wide.
import type { Board } from "../board.ts";
import { board as icebreaker } from "./icebreaker.ts";

export const board: Board = {
  ...icebreaker,
  design: "codenet",
  name: "icebr-cn",
  title: "iCEBreaker (iCE40 UP5K), CoDeNet's engine",
  memory: { weights: 14, buffer: 9, line: 6 }, // 128 KiB in the four SPRAMs, 4 KiB a slice's weights, 16 rows of 64 words
  budget: { cells: 4900, ram: 28, dsp: 8, spram: 4 },
};
