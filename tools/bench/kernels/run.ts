// One run: the kernels of a build at one shape and on so many lanes, and the limits of the machine, timed in turn.
import { SkintError } from "../../../runtime/errors.ts";
import { openWasm, type WasmDevice, type WasmOptions } from "../../../targets/devices/wasm/device.ts";
import type { Host } from "../../../targets/hosts/host.ts";
import { host } from "../../../targets/hosts/node/host.ts";
import { readMachine } from "../../../targets/hosts/node/machine.ts";
import { bytes } from "../../cli/units.ts";
import { interleave } from "./interleave.ts";
import { type Limit, openLimits } from "./limits.ts";
import type { Shape } from "./shapes.ts";
import { type Bed, bytesOf, linearVariants, openBed, type State, type Subject, type Way, waysOf } from "./subject.ts";

export interface RunOptions {
  readonly shape: Shape;
  readonly threads: number;
  readonly isa: NonNullable<WasmOptions["isa"]>;
  readonly states: readonly State[];
  readonly rounds: number;
  /** Kernels to time, by name. */
  readonly wanted: (kernel: string) => boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** What was timed and the milliseconds of its samples: round i of one belongs to round i of all others. */
export interface Sampled<T> {
  readonly of: T;
  readonly ms: Float64Array;
}

export interface Samples {
  readonly build: string;
  readonly threads: number;
  readonly limits: readonly Sampled<Limit>[];
  readonly kernels: readonly Sampled<Subject>[];
}

/** A clock that stands still: the device sees no gain in fewer lanes, so that all it has take part. */
const still: Host = { ...host, now: () => 0 };
/** Share of the free memory that the weights may take. */
const ROOM = 0.7;

/** Where many tokens share the weights it makes no difference where these come from: that is timed hot only. */
function waysFor(shape: Shape, states: readonly State[]): Way[] {
  return shape.tokens.flatMap((tokens) => states.filter((state) => tokens === 1 || state === "hot").map((state) => ({ tokens, state })));
}

interface Part {
  readonly variant: string;
  readonly ways: Way[];
}

function partsOf(o: RunOptions, kernels: readonly string[]): Part[] {
  const { n, k } = o.shape;
  const ways = waysFor(o.shape, o.states);
  const parts = linearVariants().map((variant) => ({
    variant,
    ways: waysOf(variant, n, k, ways, kernels).flatMap(({ way, kernel }) => (o.wanted(kernel) ? [way] : [])),
  }));
  return parts.filter((p) => p.ways.length > 0);
}

function checkRoom(parts: readonly Part[], { n, k, name }: Shape): void {
  const needed = parts.reduce((sum, p) => sum + bytesOf(p.variant, n, k, p.ways), 0);
  const free = readMachine().memoryFreeBytes;
  if (free !== null && needed > ROOM * free)
    throw new SkintError("plan.memory", `the weights of all kernels at ${name} take ${bytes(needed)}, ${bytes(free)} is free; choose some with --kernel, or --hot`, { what: name });
}

/** A device for benchmarks. Its choice of a build takes a clock that goes. */
export async function openStill(wanted: RunOptions["isa"], threads: number): Promise<WasmDevice> {
  const { build } = await openWasm(host, { isa: wanted, threads });
  return openWasm(still, { isa: build.replace("-threads", "") as RunOptions["isa"], threads });
}

/** Undefined if nothing that is wanted has a kernel here. Throws `device.unavailable`, `plan.memory`. */
export async function sampleKernels(o: RunOptions): Promise<Samples | undefined> {
  const device = await openStill(o.isa, o.threads);
  const parts = partsOf(o, device.kernels);
  if (parts.length === 0) return undefined;
  checkRoom(parts, o.shape);
  const open: { close(): void }[] = [];
  const keep = <T extends { close(): void }>(t: T): T => {
    open.push(t);
    return t;
  };
  try {
    const limits = keep(await openLimits(still, device.lanes)).all;
    const subjects = parts.map((p): Bed => keep(openBed(device, p.variant, o.shape.n, o.shape.k, p.ways))).flatMap((b) => b.subjects);
    const ms = await interleave([...limits, ...subjects], { rounds: o.rounds, now: host.now, signal: o.signal, onProgress: o.onProgress });
    return {
      build: device.build,
      threads: device.lanes,
      limits: limits.map((of, i) => ({ of, ms: ms[i] })),
      kernels: subjects.map((of, i) => ({ of, ms: ms[limits.length + i] })),
    };
  } finally {
    for (const it of open) it.close();
  }
}
