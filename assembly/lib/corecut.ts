// Cuts of tokens' cores (runtime/ops/corecut). Values above 0 are ordered as their bits are.
import { CorecutOp } from "../abi.gen";
import { ALPHA, MAGNITUDE, SIGNAL } from "./control";
import { Counter, cutOf } from "./cut";
import { start } from "./split";

/** How rows are gone through. A class without fields. */
export interface Ranker extends Counter {
  /** s = what neurons are ranked by (u = 0: of s alone), f32 [n]; all that is not above 0 becomes 0. */
  rank(s: usize, u: usize, n: u32, magnitude: bool): void;
  /** The least of n bits that is `from` or more; there is one. */
  least(s: usize, n: u32, from: i32): i32;
}

/** A unit owns whole rows. */
export function cutRows<R extends Ranker>(p: usize, unit: u32, units: u32): void {
  const op = changetype<CorecutOp>(p);
  const signal = load<u32>(op.control, SIGNAL);
  if (signal == 0) return;
  const rows = load<u32>(op.rows);
  const end = start(unit + 1, units, rows);
  const alpha = load<f32>(op.control, ALPHA);
  // where the next search begins: tokens are alike
  let warm: i32 = 0x3f000000;
  for (let r = start(unit, units, rows); r < end; r++) {
    const s = <usize>op.s + ((<usize>r * op.ss) << 2);
    const cut = <usize>op.cuts + ((<usize>r * op.cs) << 2);
    changetype<R>(0).rank(s, op.u ? <usize>op.u + ((<usize>r * op.us) << 2) : 0, op.n, signal == MAGNITUDE);
    const some = changetype<R>(0).count(s, op.n, 1);
    if (some == 0) {
      store<u64>(cut, i32.MAX_VALUE);
      continue;
    }
    const k = max<u32>(1, min<u32>(some, <u32>nearest<f32>(alpha * <f32>some)));
    warm = k == some ? 1 : cutOf<R>(s, op.n, k, warm);
    finish<R>(s, op.n, k, warm, cut);
  }
}

/** Writes the cut, where `from` divides the k greatest from the others, or just as many are greater and more than wanted equal to it. */
function finish<R extends Ranker>(s: usize, n: u32, k: u32, from: i32, cut: usize): void {
  if (changetype<R>(0).count(s, n, from) == k) {
    store<i32>(cut, changetype<R>(0).least(s, n, from));
    store<u32>(cut, n - 1, 4);
    return;
  }
  let equal = k - changetype<R>(0).count(s, n, from + 1);
  store<i32>(cut, from);
  for (let i: u32 = 0; equal > 0; i++) {
    if (load<i32>(s + ((<usize>i) << 2)) != from) continue;
    equal--;
    store<u32>(cut, i, 4);
  }
}
