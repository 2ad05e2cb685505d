// Every board that can be flashed: those of boards/, and FPGA boards whose file says how.
import { SkintError } from "../../runtime/errors.ts";
import { BOARDS } from "../devices/fpga/boards/catalogue.gen.ts";
import { BOARDS as OTHERS } from "./boards/catalogue.gen.ts";
import { dieOf } from "./image/ice40.ts";
import type { Protocol, Target } from "./protocol.ts";
import { PROTOCOLS } from "./protocols/catalogue.gen.ts";

const fpga = Object.entries(BOARDS).flatMap(([name, { title, flash, ...board }]) => {
  const takes = { skint: [board.name], ice40: [dieOf(board.device)] };
  return flash ? [{ name, title, takes, ...flash }] : [];
});

/** By name. */
export const TARGETS: ReadonlyMap<string, Target> = new Map([...fpga, ...Object.values(OTHERS)].map((t) => [t.name, t]));

/** Throws `usage` for a board that is not there. */
export function targetOf(name: string): { target: Target; protocol: Protocol } {
  const target = TARGETS.get(name);
  if (!target) throw new SkintError("usage", `there is no board ${JSON.stringify(name)}; skint flash --list-boards has ${[...TARGETS.keys()].join(", ")}`, { what: "--board" });
  return { target, protocol: PROTOCOLS[target.protocol] };
}
