// Selective scan of Mamba-2 of CHUNK rows as products of matrices, head by head (runtime/ops/ssd/op.ts). Exponents are sums of δ · a in f64, of
// which differences are taken: e^(s[t] − s[j]) is what is left in row t of row j, and no quotient of small numbers.
// chunk.simd.ts has the same operations in the same order for what the rows of a chunk make of one another.
import { SsdOp } from "../abi.gen";
import { exp } from "./math.scalar";
import { Head } from "./ssd.scalar";

/** Rows of a chunk: runtime/ops/ssd/chunks.ts. */
export const CHUNK: u32 = 16;

/** Bytes of a row of CHUNK floats. */
export const LINE: usize = (<usize>CHUNK) << 2;
const SQUARE: usize = <usize>CHUNK * LINE;

/** Scratch memory of a unit, from `at` on; t and j are rows of the chunk. Sizes: runtime/ops/ssd/chunks.ts. */
export class Room {
  /** f32 [t, j]: c[t] · b[j], of a group of heads, for j ≤ t. */
  @inline
  static products(at: usize): usize {
    return at;
  }

  /** f32 [t, j]: what row t takes of x[j], for j ≤ t. */
  @inline
  static weights(at: usize): usize {
    return at + SQUARE;
  }

  /** f32 [j]: δ. */
  @inline
  static steps(at: usize): usize {
    return at + 2 * SQUARE;
  }

  /** f32 [t]: what is left in row t of the state before the chunk. */
  @inline
  static left(at: usize): usize {
    return at + 2 * SQUARE + LINE;
  }

  /** f64 [t]: exponents, the sums of δ · a. */
  @inline
  static sums(at: usize): usize {
    return at + 2 * SQUARE + 2 * LINE;
  }

  /** f32 [j]: δ times what is left of row j behind the chunk. */
  @inline
  static kept(at: usize): usize {
    return at + 2 * SQUARE + 4 * LINE;
  }

  /** f32 [states, j]: b of a group of heads. */
  @inline
  static columns(at: usize): usize {
    return at + 2 * SQUARE + 5 * LINE;
  }

  /** f32 [j, dh]: x times what is left of it behind the chunk. */
  @inline
  static inputs(op: SsdOp, at: usize): usize {
    return Room.columns(at) + <usize>op.states * LINE;
  }
}

/** Address of c, from a row on, of the group of a head. */
export function groupC(op: SsdOp, row: u32, head: u32): usize {
  return <usize>op.c + ((<usize>row * op.cs) << 2) + Head.groupAt(op, head);
}

/** Does the group of a head begin with it? */
export function opensGroup(op: SsdOp, head: u32): bool {
  return head % (op.heads / op.groups) == 0;
}

/** b of the group of a head, turned round. */
export function turnB(op: SsdOp, at: usize, row: u32, head: u32): void {
  let b = <usize>op.b + ((<usize>row * op.bs) << 2) + Head.groupAt(op, head);
  const end = Room.columns(at) + LINE;
  for (let to = Room.columns(at); to < end; to += 4) {
    for (let n: usize = 0; n < op.states; n++) store<f32>(to + n * LINE, load<f32>(b + (n << 2)));
    b += (<usize>op.bs) << 2;
  }
}

/** δ, exponents and what is left, of a head. */
export function makeSteps(op: SsdOp, at: usize, row: u32, head: u32): void {
  const rate = <f64>load<f32>(<usize>op.a + ((<usize>head) << 2));
  let sum: f64 = 0;
  for (let t: u32 = 0; t < CHUNK; t++) {
    const delta = Head.delta(op, row + t, head);
    sum += <f64>delta * rate;
    store<f32>(Room.steps(at) + ((<usize>t) << 2), delta);
    store<f64>(Room.sums(at) + ((<usize>t) << 3), sum);
    store<f32>(Room.left(at) + ((<usize>t) << 2), exp(<f32>sum));
  }
  for (let j: usize = 0; j < CHUNK; j++) {
    const left = exp(<f32>(sum - load<f64>(Room.sums(at) + (j << 3))));
    store<f32>(Room.kept(at) + (j << 2), left * load<f32>(Room.steps(at) + (j << 2)));
  }
}

/** Exponents of what is left in row t of rows [0, t], f32. */
export function exponents(at: usize, t: u32, to: usize): void {
  const sums = Room.sums(at);
  const own = load<f64>(sums + ((<usize>t) << 3));
  for (let j: usize = 0; j <= t; j++) store<f32>(to + (j << 2), <f32>(own - load<f64>(sums + (j << 3))));
}

/** A chunk of heads [from, to). */
export function scanChunk(op: SsdOp, at: usize, row: u32, from: u32, to: u32): void {
  for (let head = from; head < to; head++) {
    if (head == from || opensGroup(op, head)) {
      turnB(op, at, row, head);
      multiply(op, at, row, head);
    }
    makeSteps(op, at, row, head);
    weigh(at);
    const first = head * op.dh;
    for (let c = first; c < first + op.dh; c++) {
      for (let t: u32 = 0; t < CHUNK; t++) output(op, at, row, t, c, head);
      keep(op, at, row, c);
    }
  }
}

function multiply(op: SsdOp, at: usize, row: u32, head: u32): void {
  for (let t: u32 = 0; t < CHUNK; t++) {
    const c = groupC(op, row + t, head);
    for (let j: usize = 0; j <= t; j++) {
      let sum: f32 = 0;
      for (let n: usize = 0; n < op.states; n++) sum += load<f32>(c + (n << 2)) * load<f32>(Room.columns(at) + n * LINE + (j << 2));
      store<f32>(Room.products(at) + <usize>t * LINE + (j << 2), sum);
    }
  }
}

function weigh(at: usize): void {
  for (let t: u32 = 0; t < CHUNK; t++) {
    const w = Room.weights(at) + <usize>t * LINE;
    exponents(at, t, w);
    for (let j: usize = 0; j <= t; j++) {
      const product = load<f32>(Room.products(at) + <usize>t * LINE + (j << 2));
      store<f32>(w + (j << 2), exp(load<f32>(w + (j << 2))) * product * load<f32>(Room.steps(at) + (j << 2)));
    }
  }
}

/** Address of the first state of a channel; the others lie 16 floats apart. */
function stateAt(op: SsdOp, channel: u32): usize {
  return <usize>op.hidden + (((<usize>(channel >> 4) * op.states) << 6) | ((channel & 15) << 2));
}

function output(op: SsdOp, at: usize, row: u32, t: u32, channel: u32, head: u32): void {
  const c = groupC(op, row + t, head);
  const h = stateAt(op, channel);
  let sum: f32 = 0;
  for (let n: usize = 0; n < op.states; n++) sum += load<f32>(c + (n << 2)) * load<f32>(h + (n << 6));
  sum *= load<f32>(Room.left(at) + ((<usize>t) << 2));
  const w = Room.weights(at) + <usize>t * LINE;
  const x = <usize>op.x + ((<usize>row * op.xs + channel) << 2);
  const step = (<usize>op.xs) << 2;
  for (let j: usize = 0; j <= t; j++) sum += load<f32>(w + (j << 2)) * load<f32>(x + j * step);
  sum += load<f32>(<usize>op.d + ((<usize>head) << 2)) * load<f32>(x + <usize>t * step);
  store<f32>(<usize>op.y + ((<usize>(row + t) * op.ys + channel) << 2), sum);
}

/** The states of a channel behind the chunk. */
function keep(op: SsdOp, at: usize, row: u32, channel: u32): void {
  const inputs = Room.inputs(op, at);
  for (let j: u32 = 0; j < CHUNK; j++) {
    const x = load<f32>(<usize>op.x + ((<usize>(row + j) * op.xs + channel) << 2));
    store<f32>(inputs + ((<usize>j) << 2), load<f32>(Room.kept(at) + ((<usize>j) << 2)) * x);
  }
  const left = load<f32>(Room.left(at) + LINE - 4);
  let h = stateAt(op, channel);
  for (let n: usize = 0; n < op.states; n++) {
    let sum = load<f32>(h) * left;
    for (let j: usize = 0; j < CHUNK; j++) sum += load<f32>(Room.columns(at) + n * LINE + (j << 2)) * load<f32>(inputs + (j << 2));
    store<f32>(h, sum);
    h += 64;
  }
}
