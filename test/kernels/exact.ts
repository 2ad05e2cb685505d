// How many of all kernels keep their promise: every kernel of every build, on one lane and on several, over all cases. Integers must be equal to
// the reference, floats within the case's bound, and all builds and lane counts equal to each other to the bit.
import { throwIfAborted } from "../../runtime/errors.ts";
import type { BuildName } from "../../targets/devices/wasm/catalogue.gen.ts";
import { Lanes } from "../../targets/devices/wasm/lanes.ts";
import { host } from "../../targets/hosts/node/host.ts";
import { ALL_BUILDS, coreModule } from "../support/core.ts";
import type { Case } from "./case.ts";
import { CASES } from "./cases.gen.ts";
import { bytesFor, CONTROL_AT, difference, kernelsFor, type Outputs, place, RECORD, runKernel, runReference } from "./harness.ts";

const PAGE = 65536;
const UNITS = 3;
const LANES = [2, 3];
const HOW = { units: UNITS, skew: 0 };

export interface Exactness {
  readonly checks: number;
  /** One line each. */
  readonly wrong: readonly string[];
}

type Runner = (kernel: string, op: string, c: Case) => Outputs;

/** A core that waits for cases on several lanes. */
function onLanes(build: BuildName, lanes: number, bytes: number): { run: Runner; close(): void } {
  const pages = Math.ceil(bytes / PAGE);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const traps: string[] = [];
  const onTrap = (m: string) => traps.push(m);
  const all = new Lanes(host, { module: coreModule(build), memory, control: CONTROL_AT, lanes, shared: true, onTrap });
  const run: Runner = (kernel, op, c) => {
    const placed = place(memory, build, kernel, op, c, HOW);
    all.run(RECORD, 1, false);
    if (traps.length) throw new Error(traps[0]);
    return placed.outputs();
  };
  return { run, close: () => all.terminate() };
}

/** What is wrong with what a kernel gave, if anything. */
function fault(got: Outputs, want: Outputs, first: Outputs, c: Case): string | undefined {
  for (const [field, bound] of Object.entries(c.compare)) {
    const what = difference(got[field], want[field], bound);
    if (what) return `${field}${what}`;
  }
  const other = Object.keys(got).find((field) => difference(got[field], first[field], "exact"));
  return other && `${other} differs from another build's`;
}

/** Runs everything. Throws `aborted`. */
export async function measureExactness(signal?: AbortSignal): Promise<Exactness> {
  const all = Object.entries(CASES).flatMap(([op, cases]) => cases.map((c) => ({ op, c })));
  const bytes = Math.max(...all.map(({ c }) => bytesFor(c, HOW)));
  const threaded = ALL_BUILDS.filter((b) => b.endsWith("-threads")).flatMap((build) => LANES.map((lanes) => ({ build, lanes, ...onLanes(build, lanes, bytes) })));
  const single = ALL_BUILDS.filter((b) => !b.endsWith("-threads")).map((build) => ({
    build,
    lanes: 1,
    run: ((kernel, op, c) => runKernel(build, kernel, op, c, HOW)) as Runner,
  }));
  const wrong: string[] = [];
  let checks = 0;
  try {
    for (const { op, c } of all) {
      throwIfAborted(signal, "the comparison of kernels");
      const want = runReference(op, c);
      let first: Outputs | undefined;
      for (const { build, lanes, run } of [...single, ...threaded])
        for (const kernel of kernelsFor(build, op, c.variant)) {
          checks++;
          const got = run(kernel, op, c);
          first ??= got;
          const what = fault(got, want, first, c);
          if (what) wrong.push(`${kernel} of ${build} on ${lanes} lanes, ${c.name}: ${what}`);
        }
    }
  } finally {
    for (const t of threaded) t.close();
  }
  return { checks, wrong };
}
