// The twin of an MCU's agent: that of the engine with the agent's memories and limits. Its clocks are the engine's, not the MCU's.
import { TwinDevice } from "../fpga/twin/device.ts";
import type { Mcu } from "./mcu.ts";

/** @param build 16 hex digits */
export function twinOf({ name, khz, memory, fresh = 0, maxPayload, window }: Mcu, build: string): TwinDevice {
  const twin = new TwinDevice({ board: name, build, khz, ...memory, lanes: [0, 0], maxPayload, window });
  twin.memories.weights.fill(fresh);
  return twin;
}
