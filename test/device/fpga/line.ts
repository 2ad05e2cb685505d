// A twin to talk to, and lines that fail in given ways.
import type { Line } from "../../../targets/devices/fpga/link/line.ts";
import { TwinDevice, type TwinOptions } from "../../../targets/devices/fpga/twin/device.ts";

/** The default parameters of rtl/core.v, which simulators of the tests have. */
export const PLAIN: TwinOptions = { board: "", build: "0000000000000000", khz: 24000, weights: 14, activations: 9, parameters: 8 };

export const plainTwin = () => new TwinDevice(PLAIN);

/** A line on which nothing ever comes. */
export const deadLine = (): Line => ({ name: "dead", write: async () => {}, read: async () => new Uint8Array(0), close: async () => {} });

/** A line that lets `change` have every answer. */
export function changed(line: Line, change: (bytes: Uint8Array) => Uint8Array): Line {
  return { ...line, write: (b) => line.write(b), close: () => line.close(), read: async (ms) => change(await line.read(ms)) };
}
