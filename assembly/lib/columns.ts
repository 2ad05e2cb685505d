// Columns in the order of q161 (runtime/graph/columns.ts).
import { half } from "./linear.scalar";
import { salient } from "./q161";

/** Where the binary columns stand in an arranged row: 16 bytes behind the salient ones, whose place behind the last is written to. */
export function othersAt(k: u32): usize {
  return (salient(k) << 2) + 16;
}

/** x f32 [k] → to: the salient columns, and at othersAt the others times their factors, f32. 4 bytes behind either are overwritten. */
export function arrange(x: usize, k: u32, columns: usize, to: usize): void {
  let other = to + othersAt(k);
  let factor = columns + (((<usize>k + 31) & ~31) >> 3);
  for (let i: usize = 0; i < k; i++) {
    const v = load<f32>(x + (i << 2));
    const chosen = <usize>(load<u8>(columns + (i >> 3)) >> <u8>(i & 7)) & 1;
    // both ways, since what is chosen cannot be predicted
    store<f32>(to, v);
    store<f32>(other, v * half(factor));
    to += chosen << 2;
    other += (chosen ^ 1) << 2;
    factor += (chosen ^ 1) << 1;
  }
}
