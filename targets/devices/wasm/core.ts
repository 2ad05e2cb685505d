// One instance of a build of the core on a memory: the exports as TypeScript sees them, and what a lane does with them.
import { CONTROL, FINISHED_ERROR } from "./control.ts";

export interface CoreExports {
  walk(control: number, lane: number, forever: number): void;
  alone(control: number): void;
  unit(op: number, unit: number, units: number): void;
  fingerprint(): number;
}

/** FNV-1a of the kernel names in order and the record's length: what a core and its host must agree on. */
export function fingerprint(kernels: readonly string[], recordWords: number): number {
  let h = 0x811c9dc5;
  for (const c of `${recordWords}:${kernels.join()}`) h = Math.imul(h ^ c.charCodeAt(0), 0x01000193) >>> 0;
  return h;
}

export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): CoreExports {
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as CoreExports;
}

/**
 * Tells every lane to leave: POISON first, then the idle ticket that wakes them, then the end of the step.
 * Called by the lane that trapped; units in hand elsewhere are finished first.
 */
export function poison(memory: WebAssembly.Memory, control: number): void {
  const words = new Int32Array(memory.buffer, control);
  const at = (offset: number) => offset / 4;
  Atomics.store(words, at(CONTROL.POISON), 1);
  Atomics.store(words, at(CONTROL.TICKET) + 1, -1);
  Atomics.store(words, at(CONTROL.TICKET), -1);
  Atomics.store(words, at(CONTROL.FINISHED), FINISHED_ERROR | 0);
  Atomics.notify(words, at(CONTROL.FINISHED));
  Atomics.notify(words, at(CONTROL.TICKET));
}

/** Body of a worker: joins the walk as `lane` and never returns, unless something traps. */
export function runLane(init: { module: WebAssembly.Module; memory: WebAssembly.Memory; control: number; lane: number }): string {
  const core = instantiate(init.module, init.memory);
  try {
    core.walk(init.control, init.lane, 1);
    return "left";
  } catch (e) {
    poison(init.memory, init.control);
    return String(e);
  }
}
