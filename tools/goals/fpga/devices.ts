// Engines to measure: the Verilated core where Verilator is here, else its twin; both give the same values in the same clocks, as fpga.exact shows.
import type { Line } from "../../../targets/devices/fpga/link/line.ts";
import { TwinDevice } from "../../../targets/devices/fpga/twin/device.ts";
import { type Faults, twinLine } from "../../../targets/devices/fpga/twin/line.ts";
import { buildSimulator, type Level, lacksSimulator, simulatorLine } from "../../../targets/hosts/node/simulator.ts";

/** rtl/core.v with its default parameters. */
export const plainTwin = () => new TwinDevice({ board: "", build: "0000000000000000", khz: 24000, weights: 14, activations: 9, parameters: 8 });

export interface Engine {
  readonly line: Line;
  /** What it is, for notes. */
  readonly name: string;
}

export async function openEngine(faults: Faults = {}, level: Level = "rtl", signal?: AbortSignal): Promise<Engine> {
  const why = await lacksSimulator(level);
  if (why) return { line: twinLine(plainTwin(), faults), name: `twin, as ${why}` };
  const { flip = 0, drop = 0, seed = 1 } = faults;
  const line = simulatorLine(await buildSimulator(level, {}, signal), ["--flip", String(flip), "--drop", String(drop), "--seed", String(seed)]);
  return { line, name: "Verilated core" };
}
