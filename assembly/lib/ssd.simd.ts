// Selective scan of Mamba-2 for rows [first, rows) of whole blocks of 16 channels, one token after the other (runtime/ops/ssd/op.ts); lanes are
// channels. ssd.scalar.ts has the same operations in the same order.
import { SsdOp } from "../abi.gen";
import { Head } from "./ssd.scalar";

export function scanBlocks(op: SsdOp, first: u32, rows: u32, from: u32, to: u32): void {
  for (let c = from; c < to; c += 16) for (let r = first; r < rows; r++) block(op, r, c);
}

/** 16 channels of one row, all of one head. */
function block(op: SsdOp, row: u32, channel: u32): void {
  const head = channel / op.dh;
  const delta = Head.delta(op, row, head);
  const decay = f32x4.splat(Head.decay(op, delta, head));
  const step = f32x4.splat(delta);
  const at = (<usize>channel) << 2;
  const x = <usize>op.x + ((<usize>row * op.xs) << 2) + at;
  const x0 = f32x4.mul(step, v128.load(x));
  const x1 = f32x4.mul(step, v128.load(x, 16));
  const x2 = f32x4.mul(step, v128.load(x, 32));
  const x3 = f32x4.mul(step, v128.load(x, 48));
  let b = <usize>op.b + ((<usize>row * op.bs) << 2) + Head.groupAt(op, head);
  let c = <usize>op.c + ((<usize>row * op.cs) << 2) + Head.groupAt(op, head);
  let h = <usize>op.hidden + ((<usize>(channel >> 4) * op.states) << 6);
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  for (const end = b + ((<usize>op.states) << 2); b < end; b += 4) {
    const from = v128.load32_splat(b);
    const to = v128.load32_splat(c);
    const h0 = f32x4.add(f32x4.mul(v128.load(h), decay), f32x4.mul(x0, from));
    const h1 = f32x4.add(f32x4.mul(v128.load(h, 16), decay), f32x4.mul(x1, from));
    const h2 = f32x4.add(f32x4.mul(v128.load(h, 32), decay), f32x4.mul(x2, from));
    const h3 = f32x4.add(f32x4.mul(v128.load(h, 48), decay), f32x4.mul(x3, from));
    v128.store(h, h0);
    v128.store(h, h1, 16);
    v128.store(h, h2, 32);
    v128.store(h, h3, 48);
    s0 = f32x4.add(s0, f32x4.mul(h0, to));
    s1 = f32x4.add(s1, f32x4.mul(h1, to));
    s2 = f32x4.add(s2, f32x4.mul(h2, to));
    s3 = f32x4.add(s3, f32x4.mul(h3, to));
    h += 64;
    c += 4;
  }
  const d = v128.load32_splat(<usize>op.d + ((<usize>head) << 2));
  const y = <usize>op.y + ((<usize>row * op.ys) << 2) + at;
  v128.store(y, f32x4.add(s0, f32x4.mul(d, v128.load(x))));
  v128.store(y, f32x4.add(s1, f32x4.mul(d, v128.load(x, 16))), 16);
  v128.store(y, f32x4.add(s2, f32x4.mul(d, v128.load(x, 32))), 32);
  v128.store(y, f32x4.add(s3, f32x4.mul(d, v128.load(x, 48))), 48);
}
