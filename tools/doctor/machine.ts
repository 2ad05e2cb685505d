// What this machine and engine are, as `skint doctor` prints them.
import { availableParallelism, cpus, freemem, release, totalmem } from "node:os";

export interface Machine {
  readonly node: string;
  readonly v8: string;
  readonly system: string;
  readonly cpu: string;
  /** Threads that can run at once for this process. */
  readonly threads: number;
  readonly memory: {
    readonly total: number;
    readonly free: number;
    /** What a container or the system leaves to this process, if it says so. */
    readonly limit: number | null;
  };
}

export function describeMachine(): Machine {
  const limit = process.constrainedMemory?.() ?? 0;
  return {
    node: process.versions.node,
    v8: process.versions.v8,
    system: `${process.platform} ${process.arch} ${release()}`,
    cpu: cpus()[0]?.model.trim() || "unknown",
    threads: availableParallelism(),
    memory: { total: totalmem(), free: freemem(), limit: limit > 0 && limit < totalmem() ? limit : null },
  };
}
