// What the runtime needs of a device. Implementations: targets/devices/<name>/.
import type { Slot } from "../graph/types.ts";
import type { MemoryMap } from "./memory.ts";
import type { Plan } from "./types.ts";

/** A device opened for use: which kernels it has, how many lanes it runs. */
export interface Device {
  readonly name: string;
  /** Build of the core, firmware, or adapter: named in every record. */
  readonly build: string;
  readonly lanes: number;
  readonly kernels: readonly string[];
  /** Reserves memory for the map and encodes the plans. Throws `plan.memory`. */
  allocate(map: MemoryMap, plans: readonly Plan[]): Program;
}

/** Plans loaded on a device with their memory. */
export interface Program {
  /** Bytes of a mapped tensor (weights, states, constants, inputs, outputs) in device memory. */
  view(tensor: string): Uint8Array<ArrayBufferLike>;
  setSlot(slot: Slot, value: number): void;
  /** Runs steps [from, to) of a plan. Throws `device.trap`; the program is unusable afterwards. */
  execute(plan: string, from?: number, to?: number): void | Promise<void>;
  readonly memoryBytes: number;
  meter(): Meter;
  close(): void;
}

export interface Meter {
  readonly executions: number;
  /** Executions that ran on one lane because more were slower. */
  readonly oneLane: number;
}
