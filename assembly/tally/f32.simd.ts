// Counts of the neurons of tokens' cores (runtime/ops/tally), 8 at a time, whose counts stay in registers over all rows. A unit owns runs of neurons.
import { TallyOp } from "../abi.gen";
import { I32_0123 } from "../lib/constants";
import { addOne, Counting, countRuns, RUN } from "../lib/tally";

class Vectors implements Counting {
  add(op: TallyOp, rows: u32, i: u32): void {
    if (i + RUN > op.n) {
      for (; i < op.n; i++) addOne(op, rows, i);
      return;
    }
    const at = (<usize>i) << 2;
    const counts = <usize>op.counts + at;
    const mass = <usize>op.mass + at;
    const low = i32x4.add(i32x4.splat(i), v128.load(I32_0123));
    const high = i32x4.add(i32x4.splat(i + 4), v128.load(I32_0123));
    let c0 = v128.load(counts);
    let c1 = v128.load(counts, 16);
    let m0 = v128.load(mass);
    let m1 = v128.load(mass, 16);
    for (let r: u32 = 0; r < rows; r++) {
      const s = <usize>op.s + ((<usize>r * op.ss) << 2) + at;
      const place = <usize>op.cuts + ((<usize>r * op.cs) << 2);
      const cut = v128.load32_splat(place);
      const last = v128.load32_splat(place, 4);
      const s0 = v128.load(s);
      const s1 = v128.load(s, 16);
      // above the cut, or equal to it and not behind its last neuron: such a lane is −1
      const t0 = v128.or(i32x4.gt_s(s0, cut), v128.andnot(i32x4.eq(s0, cut), i32x4.gt_s(low, last)));
      const t1 = v128.or(i32x4.gt_s(s1, cut), v128.andnot(i32x4.eq(s1, cut), i32x4.gt_s(high, last)));
      c0 = i32x4.sub(c0, t0);
      c1 = i32x4.sub(c1, t1);
      m0 = f32x4.add(m0, v128.and(s0, t0));
      m1 = f32x4.add(m1, v128.and(s1, t1));
    }
    v128.store(counts, c0);
    v128.store(counts, c1, 16);
    v128.store(mass, m0);
    v128.store(mass, m1, 16);
  }
}

export function kernel(p: usize, unit: u32, units: u32): void {
  countRuns<Vectors>(p, unit, units);
}
