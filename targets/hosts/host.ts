// What a host gives to devices and to the runtime. Implementations: targets/hosts/<name>/index.ts.
import type { Hasher } from "../../runtime/io/hash.ts";
import type { Source } from "../../runtime/io/source.ts";

/** What a lane's worker needs to join the walk. */
export interface LaneInit {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Address of the control block. */
  readonly control: number;
  readonly lane: number;
}

export interface Lane {
  terminate(): void;
}

/** Switches of the engine that are off by default, set for this process. */
export interface EngineFlags {
  /** Empty: this engine has none that help. */
  readonly names: readonly string[];
  /** Do they change what instructions become that worked without them? */
  readonly recompiles: boolean;
  /** Puts the engine back. */
  clear(): void;
}

export interface Host {
  readonly name: string;
  /** Threads that can run at once; 1 where shared memory is not to be had. */
  readonly parallelism: number;
  /** Why parallelism is 1 although there are more processors, if so. */
  readonly whySingle?: string;
  /** Milliseconds from any origin, as fine as the host has. */
  now(): number;
  /** Bytes of a build of the core (targets/devices/wasm/files.ts). Throws `device.unavailable` if the build is not there. */
  core(build: string): Promise<Uint8Array<ArrayBuffer>>;
  /** Starts a worker that walks for ever as lane `lane`. */
  spawnLane(init: LaneInit, onError: (message: string) => void): Lane;
  /** Sets what the engine of this host has of such switches. */
  setEngineFlags?(): EngineFlags;
  sha256(): Hasher;
  /** Opens what the host calls a location: a path in Node, a URL in a browser. */
  open(location: string): Promise<Source>;
}
