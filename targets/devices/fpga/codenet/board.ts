// The device that the twin and the simulator of CoDeNet's engine stand for: the memories and the clock of an iCEBreaker. No board of boards/ has an image of
// it: its 4859 logic cells fit a UP5K, but are not routed yet (docs/codenet.md).
import type { Board } from "../board.ts";
import { board as icebreaker } from "../boards/icebreaker.ts";
import { CODENET_DEFAULTS } from "./twin.ts";

export const CODENET_BOARD: Board = {
  ...icebreaker,
  flash: undefined,
  design: "codenet",
  name: "codenet",
  title: "CoDeNet's engine with the memories of an iCEBreaker",
  memory: { weights: CODENET_DEFAULTS.memory, buffer: CODENET_DEFAULTS.buffer, line: CODENET_DEFAULTS.line },
};
