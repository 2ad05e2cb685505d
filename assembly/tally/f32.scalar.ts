// Counts of the neurons of tokens' cores (runtime/ops/tally). A unit owns runs of neurons.
import { TallyOp } from "../abi.gen";
import { addOne, Counting, countRuns, RUN } from "../lib/tally";

class Scalars implements Counting {
  add(op: TallyOp, rows: u32, i: u32): void {
    for (const end = min(i + RUN, op.n); i < end; i++) addOne(op, rows, i);
  }
}

export function kernel(p: usize, unit: u32, units: u32): void {
  countRuns<Scalars>(p, unit, units);
}
