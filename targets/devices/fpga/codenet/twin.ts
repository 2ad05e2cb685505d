// CoDeNet's engine in software: the same device as the linear engine's twin, with one memory and passes.
import { TwinDevice, type TwinOptions } from "../twin/device.ts";
import { type CodenetGeometry, runPasses } from "./engine.ts";

/** rtl/codenet/core.v with its default parameters. */
export const CODENET_DEFAULTS = { memory: 14, buffer: 9, line: 6 } as const;

export interface CodenetTwinOptions extends Pick<TwinOptions, "board" | "build" | "khz"> {
  /** Address bits: of the memory and of the buffer in words, of a row of the line buffer in columns. */
  readonly memory: number;
  readonly buffer: number;
  readonly line: number;
  readonly rows?: number;
}

export function codenetTwin({ memory, buffer, line, rows, ...hello }: CodenetTwinOptions): TwinDevice {
  const geometry: CodenetGeometry = { buffer: 2 ** buffer, columns: 2 ** line, rows };
  return new TwinDevice({ ...hello, weights: memory, run: (memories, first, count) => runPasses(memories.weights, first, count, geometry) });
}
