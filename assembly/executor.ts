// The executor: every lane walks the encoded plan inside WASM. One u64 ticket hands out (step, op, unit); an op ends when its units
// are done, not when all lanes have arrived; a claim takes a share of what is left, so streams are long first and short at the end.
// No allocation, no mutable static data: all shared words live in the host-placed control block (control.gen.ts).
import { Op, RECORD_BYTES } from "./abi.gen";
import { COUNT, DIVISOR, DONE, FINISHED, LANE, PLAN, POISON, SLEEPERS, SPIN, TICKET } from "./control.gen";

type Kernel = (op: usize, unit: u32, units: u32) => void;

const UNIT_BITS: u64 = 20;
const OP_BITS: u64 = 20;
const UNIT_MASK: u64 = (1 << UNIT_BITS) - 1;
/** Also the op number of an idle ticket: beyond every count. */
const OP_MASK: u64 = (1 << OP_BITS) - 1;
const LANE_BYTES: usize = 128;

/** One lane: every record in one unit, however many it could be cut into, so that streams of memory are as long as they can be; the ticket stays idle and other lanes sleep on. */
export function walkAlone(kernels: StaticArray<Kernel>, control: usize): void {
  let p = <usize>load<u32>(control + PLAN);
  const count = load<u32>(control + COUNT);
  for (let i: u32 = 0; i < count; i++) {
    store<u32>(control + LANE, <u32>p);
    const kernel = kernels[changetype<Op>(p).kernel];
    kernel(p, 0, 1);
    p += RECORD_BYTES;
  }
  store<u32>(control + LANE, 0);
}

function claimSize(left: u32, divisor: u32): u32 {
  const k = (2 * left + divisor - 1) / divisor;
  return k > 0 ? k : 1;
}

/** Lane `lane` of a multi-lane walk: takes part until the step is over, or (workers) for ever. */
function walkTogether(kernels: StaticArray<Kernel>, control: usize, lane: u32, forever: bool): void {
  const mine = control + LANE + <usize>lane * LANE_BYTES;
  while (true) {
    const t = atomic.load<u64>(control + TICKET);
    if (atomic.load<u32>(control + POISON)) return;
    const step = t >> (OP_BITS + UNIT_BITS);
    const index = <u32>((t >> UNIT_BITS) & OP_MASK);
    const first = <u32>(t & UNIT_MASK);
    const count = load<u32>(control + COUNT);
    if (index < count) {
      // Peek to size the claim; the cmpxchg proves that nothing moved on meanwhile.
      const peek = changetype<Op>(<usize>load<u32>(control + PLAN) + <usize>index * RECORD_BYTES).units;
      if (first < peek) {
        const k = claimSize(peek - first, load<u32>(control + DIVISOR));
        if (atomic.cmpxchg<u64>(control + TICKET, t, t + k) == t) {
          if (work(kernels, control, mine, step, index, first, k) && !forever) return;
        }
        continue;
      }
    }
    if (forever || index < count) rest(control, t);
    else if (finished(control, <u32>(step & 0xffffff))) return;
  }
}

/** Runs claimed units; whoever finishes an op's last unit publishes the next op, its first claim included. True when the step is over. */
function work(kernels: StaticArray<Kernel>, control: usize, mine: usize, step: u64, opIndex: u32, firstUnit: u32, claimed: u32): bool {
  const plan = <usize>load<u32>(control + PLAN);
  const count = load<u32>(control + COUNT);
  let index = opIndex;
  let first = firstUnit;
  let k = claimed;
  while (true) {
    const p = plan + <usize>index * RECORD_BYTES;
    const op = changetype<Op>(p);
    const units = op.units;
    store<u32>(mine, <u32>p);
    const kernel = kernels[op.kernel];
    for (let u: u32 = 0; u < k; u++) kernel(p, first + u, units);
    // Cleared before the units count as done: after a trap, whoever still has a record in hand has the one that trapped.
    store<u32>(mine, 0);
    if (atomic.add<u32>(control + DONE, k) + k != units) return false;
    atomic.store<u32>(control + DONE, 0);
    if (atomic.load<u32>(control + POISON)) return true;
    index++;
    if (index == count) {
      atomic.store<u64>(control + TICKET, (step << (OP_BITS + UNIT_BITS)) | (OP_MASK << UNIT_BITS));
      atomic.store<u32>(control + FINISHED, <u32>(step & 0xffffff));
      atomic.notify(control + FINISHED, -1);
      if (atomic.load<u32>(control + SLEEPERS)) atomic.notify(control + TICKET, -1);
      return true;
    }
    const next = changetype<Op>(plan + <usize>index * RECORD_BYTES).units;
    k = claimSize(next, load<u32>(control + DIVISOR));
    first = 0;
    atomic.store<u64>(control + TICKET, (step << (OP_BITS + UNIT_BITS)) | ((<u64>index) << UNIT_BITS) | <u64>k);
    if (next > k && atomic.load<u32>(control + SLEEPERS)) atomic.notify(control + TICKET, -1);
  }
}

/** Waits for the end of the step on FINISHED, which is stored after the idle ticket; false if it woke for another reason (poison). */
function finished(control: usize, step: u32): bool {
  const seen = atomic.load<u32>(control + FINISHED);
  if (seen == step) return true;
  const turns = load<u32>(control + SPIN);
  for (let i: u32 = 0; i < turns; i++) {
    if (atomic.load<u32>(control + FINISHED) != seen) return false;
  }
  atomic.wait<u32>(control + FINISHED, seen, -1);
  return false;
}

/** Waits until the ticket is no longer `seen`: spins first (a wake costs 40-100 µs), then sleeps. */
function rest(control: usize, seen: u64): void {
  const turns = load<u32>(control + SPIN);
  for (let i: u32 = 0; i < turns; i++) {
    if (atomic.load<u64>(control + TICKET) != seen) return;
  }
  atomic.add<u32>(control + SLEEPERS, 1);
  atomic.wait<u64>(control + TICKET, seen, -1);
  atomic.sub<u32>(control + SLEEPERS, 1);
}

export function walk(kernels: StaticArray<Kernel>, control: usize, lane: u32, forever: bool): void {
  if (ASC_FEATURE_THREADS) walkTogether(kernels, control, lane, forever);
  else walkAlone(kernels, control);
}
