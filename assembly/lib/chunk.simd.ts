// Selective scan of Mamba-2 of CHUNK rows as products of matrices, for heads of whole blocks of 16 channels and an even number of states; lanes
// are channels, or rows where all channels share a number. chunk.scalar.ts says what is computed and gives the same bits.
import { SsdOp } from "../abi.gen";
import { CHUNK, exponents, groupC, LINE, makeSteps, opensGroup, Room, turnB } from "./chunk.scalar";
import { expRow } from "./math.simd";

/** A chunk of heads [from, to). */
export function scanChunk(op: SsdOp, at: usize, row: u32, from: u32, to: u32): void {
  for (let head = from; head < to; head++) {
    if (head == from || opensGroup(op, head)) {
      turnB(op, at, row, head);
      for (let j: u32 = 0; j < CHUNK; j += 8) for (let t = j; t < CHUNK; t += 2) multiply(op, at, groupC(op, row + t, head), t, j);
    }
    makeSteps(op, at, row, head);
    for (let t: u32 = 0; t < CHUNK; t++) weigh(at, t);
    const first = head * op.dh;
    for (let j: u32 = 0; j < CHUNK; j++) scale(op, at, row, j, first);
    for (let c = first; c < first + op.dh; c += 16) {
      for (let t: u32 = 0; t < CHUNK; t += 2) outputs(op, at, row, t, c, head);
      for (let n: u32 = 0; n < op.states; n += 2) keep(op, at, c, c - first, n);
    }
  }
}

/** Products of rows t and t + 1 of c with eight rows of b, from j on. */
function multiply(op: SsdOp, at: usize, c: usize, t: u32, j: u32): void {
  const next = c + ((<usize>op.cs) << 2);
  const end = (<usize>op.states) << 2;
  let b = Room.columns(at) + ((<usize>j) << 2);
  let p0 = f32x4.splat(0);
  let p1 = p0;
  let q0 = p0;
  let q1 = p0;
  for (let n: usize = 0; n < end; n += 4) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const c0 = v128.load32_splat(c + n);
    const c1 = v128.load32_splat(next + n);
    p0 = f32x4.add(p0, f32x4.mul(c0, b0));
    p1 = f32x4.add(p1, f32x4.mul(c0, b1));
    q0 = f32x4.add(q0, f32x4.mul(c1, b0));
    q1 = f32x4.add(q1, f32x4.mul(c1, b1));
    b += LINE;
  }
  const to = Room.products(at) + <usize>t * LINE + ((<usize>j) << 2);
  v128.store(to, p0);
  v128.store(to, p1, 16);
  v128.store(to + LINE, q0);
  v128.store(to + LINE, q1, 16);
}

/** Weights of row t; those of later rows hold whatever. */
function weigh(at: usize, t: u32): void {
  const w = Room.weights(at) + <usize>t * LINE;
  const products = Room.products(at) + <usize>t * LINE;
  exponents(at, t, w);
  expRow(w, t + 1, 0);
  const end = (<usize>t + 1) << 2;
  for (let j: usize = 0; j < end; j += 16) {
    v128.store(w + j, f32x4.mul(f32x4.mul(v128.load(w + j), v128.load(products + j)), v128.load(Room.steps(at) + j)));
  }
}

/** x of row j times what is left of it behind the chunk. */
function scale(op: SsdOp, at: usize, row: u32, j: u32, channel: u32): void {
  const factor = v128.load32_splat(Room.kept(at) + ((<usize>j) << 2));
  const x = <usize>op.x + ((<usize>(row + j) * op.xs + channel) << 2);
  const bytes = (<usize>op.dh) << 2;
  const to = Room.inputs(op, at) + <usize>j * bytes;
  for (let i: usize = 0; i < bytes; i += 16) v128.store(to + i, f32x4.mul(factor, v128.load(x + i)));
}

/** 16 channels of rows t and t + 1. */
function outputs(op: SsdOp, at: usize, row: u32, t: u32, channel: u32, head: u32): void {
  let c = groupC(op, row + t, head);
  const between = (<usize>op.cs) << 2;
  let h = <usize>op.hidden + ((<usize>(channel >> 4) * op.states) << 6);
  let p0 = f32x4.splat(0);
  let p1 = p0;
  let p2 = p0;
  let p3 = p0;
  let q0 = p0;
  let q1 = p0;
  let q2 = p0;
  let q3 = p0;
  for (const end = c + ((<usize>op.states) << 2); c < end; c += 4) {
    const c0 = v128.load32_splat(c);
    const c1 = v128.load32_splat(c + between);
    const h0 = v128.load(h);
    const h1 = v128.load(h, 16);
    const h2 = v128.load(h, 32);
    const h3 = v128.load(h, 48);
    p0 = f32x4.add(p0, f32x4.mul(c0, h0));
    p1 = f32x4.add(p1, f32x4.mul(c0, h1));
    p2 = f32x4.add(p2, f32x4.mul(c0, h2));
    p3 = f32x4.add(p3, f32x4.mul(c0, h3));
    q0 = f32x4.add(q0, f32x4.mul(c1, h0));
    q1 = f32x4.add(q1, f32x4.mul(c1, h1));
    q2 = f32x4.add(q2, f32x4.mul(c1, h2));
    q3 = f32x4.add(q3, f32x4.mul(c1, h3));
    h += 64;
  }
  const left0 = v128.load32_splat(Room.left(at) + ((<usize>t) << 2));
  const left1 = v128.load32_splat(Room.left(at) + ((<usize>t) << 2), 4);
  p0 = f32x4.mul(p0, left0);
  p1 = f32x4.mul(p1, left0);
  p2 = f32x4.mul(p2, left0);
  p3 = f32x4.mul(p3, left0);
  q0 = f32x4.mul(q0, left1);
  q1 = f32x4.mul(q1, left1);
  q2 = f32x4.mul(q2, left1);
  q3 = f32x4.mul(q3, left1);
  const step = (<usize>op.xs) << 2;
  let x = <usize>op.x + ((<usize>row * op.xs + channel) << 2);
  let w = Room.weights(at) + <usize>t * LINE;
  for (const end = w + ((<usize>t) << 2); w <= end; w += 4) {
    const w0 = v128.load32_splat(w);
    const w1 = v128.load32_splat(w + LINE);
    const x0 = v128.load(x);
    const x1 = v128.load(x, 16);
    const x2 = v128.load(x, 32);
    const x3 = v128.load(x, 48);
    p0 = f32x4.add(p0, f32x4.mul(w0, x0));
    p1 = f32x4.add(p1, f32x4.mul(w0, x1));
    p2 = f32x4.add(p2, f32x4.mul(w0, x2));
    p3 = f32x4.add(p3, f32x4.mul(w0, x3));
    q0 = f32x4.add(q0, f32x4.mul(w1, x0));
    q1 = f32x4.add(q1, f32x4.mul(w1, x1));
    q2 = f32x4.add(q2, f32x4.mul(w1, x2));
    q3 = f32x4.add(q3, f32x4.mul(w1, x3));
    x += step;
  }
  const own = v128.load32_splat(w + LINE);
  const d = v128.load32_splat(<usize>op.d + ((<usize>head) << 2));
  const before = x - step;
  const y = <usize>op.y + ((<usize>(row + t) * op.ys + channel) << 2);
  v128.store(y, f32x4.add(p0, f32x4.mul(d, v128.load(before))));
  v128.store(y, f32x4.add(p1, f32x4.mul(d, v128.load(before, 16))), 16);
  v128.store(y, f32x4.add(p2, f32x4.mul(d, v128.load(before, 32))), 32);
  v128.store(y, f32x4.add(p3, f32x4.mul(d, v128.load(before, 48))), 48);
  const next = y + ((<usize>op.ys) << 2);
  const x0 = v128.load(x);
  const x1 = v128.load(x, 16);
  const x2 = v128.load(x, 32);
  const x3 = v128.load(x, 48);
  v128.store(next, f32x4.add(f32x4.add(q0, f32x4.mul(own, x0)), f32x4.mul(d, x0)));
  v128.store(next, f32x4.add(f32x4.add(q1, f32x4.mul(own, x1)), f32x4.mul(d, x1)), 16);
  v128.store(next, f32x4.add(f32x4.add(q2, f32x4.mul(own, x2)), f32x4.mul(d, x2)), 32);
  v128.store(next, f32x4.add(f32x4.add(q3, f32x4.mul(own, x3)), f32x4.mul(d, x3)), 48);
}

/** States n and n + 1 of 16 channels behind the chunk; the first of the channels is the head's channel `place`. */
function keep(op: SsdOp, at: usize, channel: u32, place: u32, n: u32): void {
  const left = v128.load32_splat(Room.left(at) + LINE - 4);
  const h = <usize>op.hidden + ((<usize>(channel >> 4) * op.states + n) << 6);
  let p0 = f32x4.mul(v128.load(h), left);
  let p1 = f32x4.mul(v128.load(h, 16), left);
  let p2 = f32x4.mul(v128.load(h, 32), left);
  let p3 = f32x4.mul(v128.load(h, 48), left);
  let q0 = f32x4.mul(v128.load(h, 64), left);
  let q1 = f32x4.mul(v128.load(h, 80), left);
  let q2 = f32x4.mul(v128.load(h, 96), left);
  let q3 = f32x4.mul(v128.load(h, 112), left);
  let x = Room.inputs(op, at) + ((<usize>place) << 2);
  const step = (<usize>op.dh) << 2;
  let b = Room.columns(at) + <usize>n * LINE;
  for (const end = b + LINE; b < end; b += 4) {
    const b0 = v128.load32_splat(b);
    const b1 = v128.load32_splat(b + LINE);
    const x0 = v128.load(x);
    const x1 = v128.load(x, 16);
    const x2 = v128.load(x, 32);
    const x3 = v128.load(x, 48);
    p0 = f32x4.add(p0, f32x4.mul(b0, x0));
    p1 = f32x4.add(p1, f32x4.mul(b0, x1));
    p2 = f32x4.add(p2, f32x4.mul(b0, x2));
    p3 = f32x4.add(p3, f32x4.mul(b0, x3));
    q0 = f32x4.add(q0, f32x4.mul(b1, x0));
    q1 = f32x4.add(q1, f32x4.mul(b1, x1));
    q2 = f32x4.add(q2, f32x4.mul(b1, x2));
    q3 = f32x4.add(q3, f32x4.mul(b1, x3));
    x += step;
  }
  v128.store(h, p0);
  v128.store(h, p1, 16);
  v128.store(h, p2, 32);
  v128.store(h, p3, 48);
  v128.store(h, q0, 64);
  v128.store(h, q1, 80);
  v128.store(h, q2, 96);
  v128.store(h, q3, 112);
}
