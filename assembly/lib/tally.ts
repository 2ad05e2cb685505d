// Counts of the neurons of tokens' cores (runtime/ops/tally): bounds of units and rows; what is done with a few neurons is the kernel's.
import { TallyOp } from "../abi.gen";
import { SIGNAL } from "./control";
import { start } from "./split";

/** Neurons that are counted at a time, over all rows. */
export const RUN: u32 = 8;

/** A class without fields. */
export interface Counting {
  /** Adds neurons i … of all rows, RUN of them or those below n. */
  add(op: TallyOp, rows: u32, i: u32): void;
}

/** A unit owns runs of neurons. */
export function countRuns<C extends Counting>(p: usize, unit: u32, units: u32): void {
  const op = changetype<TallyOp>(p);
  if (load<u32>(op.control, SIGNAL) == 0) return;
  const rows = load<u32>(op.rows);
  const runs = (op.n + RUN - 1) / RUN;
  const end = start(unit + 1, units, runs) * RUN;
  for (let i = start(unit, units, runs) * RUN; i < end; i += RUN) changetype<C>(0).add(op, rows, i);
}

/** One neuron over all rows. */
export function addOne(op: TallyOp, rows: u32, i: u32): void {
  const at = (<usize>i) << 2;
  let count = load<u32>(<usize>op.counts + at);
  let mass = load<f32>(<usize>op.mass + at);
  for (let r: u32 = 0; r < rows; r++) {
    const s = <usize>op.s + ((<usize>r * op.ss) << 2) + at;
    const cut = <usize>op.cuts + ((<usize>r * op.cs) << 2);
    const bits = load<i32>(s);
    const least = load<i32>(cut);
    if (bits < least || (bits == least && i > load<u32>(cut, 4))) continue;
    count++;
    mass += load<f32>(s);
  }
  store<u32>(<usize>op.counts + at, count);
  store<f32>(<usize>op.mass + at, mass);
}
