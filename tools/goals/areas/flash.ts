// Goals of flashing: no false success, no violation of the flash's physics, and protocols that others' programs agree with.
import { exactAgents } from "../flash/agents.ts";
import { shareOfTiles, utilisationOfTiles } from "../flash/codenet.ts";
import { falseSuccesses } from "../flash/cuts.ts";
import { equalDigits, lostPoints } from "../flash/mnist.ts";
import { violations } from "../flash/nor.ts";
import { equalProtocols } from "../flash/protocols.ts";
import type { Absent, Area, Goal, GoalContext, Measured } from "../goal.ts";

type Line = readonly [id: string, figure: string, unit: string, op: Goal["must"]["op"], bound: number, measure: (context: GoalContext) => Promise<Measured | Absent>];

const LINES: readonly Line[] = [
  ["cuts", "the link is cut: false successes, and runs that cannot be taken up again", "runs", "=", 0, falseSuccesses],
  ["protocols", "protocols whose image is on the chip byte for byte, by our client and by others'", "protocols", ">=", 6, equalProtocols],
  ["nor", "what a flash must not be done, counted by the models of it", "violations", "=", 0, violations],
  ["agents", "MCUs' agents that are exact over the shape ladder and answer bursts as the twin does", "agents", ">=", 4, exactAgents],
  ["codenet_exact", "CoDeNet's engine: tiles whose bytes are those of twin, WASM and reference", "share", "=", 1, shareOfTiles],
  ["codenet_util", "the same: bound of the multipliers over clocks taken, tiles 64 wide", "share", ">=", 0.85, utilisationOfTiles],
  ["mnist_equal", "held-out digits whose scores on the Verilated core are the twin's", "digits", "=", 1000, equalDigits],
  ["mnist_acc", "accuracy that whole numbers lose against f32", "points", "<=", 0.5, lostPoints],
];

export const area: Area = {
  name: "flash",
  goals: LINES.map(([id, figure, unit, op, value, measure]) => ({ id: `flash.${id}`, figure, unit, must: { op, value }, measure })),
};
