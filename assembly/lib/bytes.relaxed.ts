// Products of q8 weights with u7tok activations. Lanes are rows. D says how bytes are multiplied; nothing is gathered.
import { LinearOp } from "../abi.gen";
import { I16_ONE } from "./constants";
import { Gather } from "./gather.simd";
import { CODES_AT } from "./i8row";
import { Finish, wholeBytes } from "./linear.simd";
import { Product } from "./product.simd";
import { HEAD } from "./q8.scalar";

function blockBytes(k: u32): usize {
  return HEAD + (((<usize>k + 31) & ~31) << 4);
}

export class Bytes<D extends Gather> implements Product {
  block(op: LinearOp, b: u32, token: u32): void {
    const d = changetype<D>(0);
    const row = <usize>op.x + <usize>token * op.xs;
    const head = <usize>op.w + <usize>b * blockBytes(op.k);
    const ones = v128.load(I16_ONE);
    let w = head + HEAD;
    let x = row + CODES_AT;
    let a0 = i32x4.splat(0);
    let a1 = a0;
    let a2 = a0;
    let a3 = a0;
    for (const end = head + blockBytes(op.k); w < end; w += 64) {
      const s = v128.load32_splat(x);
      x += 4;
      a0 = d.wide(a0, v128.load(w), s, ones);
      a1 = d.wide(a1, v128.load(w, 16), s, ones);
      a2 = d.wide(a2, v128.load(w, 32), s, ones);
      a3 = d.wide(a3, v128.load(w, 48), s, ones);
    }
    a0 = wholeBytes(a0, head, row);
    a1 = wholeBytes(a1, head + 16, row);
    a2 = wholeBytes(a2, head + 32, row);
    a3 = wholeBytes(a3, head + 48, row);
    Finish.block(op, token, b << 4, row, a0, a1, a2, a3);
  }

  /** 4 tokens. */
  tile(op: LinearOp, b: u32, token: u32): void {
    this.half(op, b, 0, token);
    this.half(op, b, 1, token);
  }

  /** Rows [16b + 8h, + 8). */
  private half(op: LinearOp, b: u32, h: usize, t: u32): void {
    const d = changetype<D>(0);
    const step = <usize>op.xs;
    const token = <usize>op.x + <usize>t * step;
    const head = <usize>op.w + <usize>b * blockBytes(op.k) + (h << 5);
    const ones = v128.load(I16_ONE);
    let w = head + HEAD;
    let x = token + CODES_AT;
    let a0 = i32x4.splat(0);
    let a1 = a0;
    let a2 = a0;
    let a3 = a0;
    let b0 = a0;
    let b1 = a0;
    let b2 = a0;
    let b3 = a0;
    for (const end = head + blockBytes(op.k); w < end; w += 64) {
      const v = v128.load(w);
      const u = v128.load(w, 16);
      let y = x;
      let s = v128.load32_splat(y);
      a0 = d.wide(a0, v, s, ones);
      b0 = d.wide(b0, u, s, ones);
      y += step;
      s = v128.load32_splat(y);
      a1 = d.wide(a1, v, s, ones);
      b1 = d.wide(b1, u, s, ones);
      y += step;
      s = v128.load32_splat(y);
      a2 = d.wide(a2, v, s, ones);
      b2 = d.wide(b2, u, s, ones);
      y += step;
      s = v128.load32_splat(y);
      a3 = d.wide(a3, v, s, ones);
      b3 = d.wide(b3, u, s, ones);
      x += 4;
    }
    const row = (b << 4) + ((<u32>h) << 3);
    Finish.pair(op, t, row, token, wholeBytes(a0, head, token), wholeBytes(b0, head + 16, token));
    Finish.pair(op, t + 1, row, token + step, wholeBytes(a1, head, token + step), wholeBytes(b1, head + 16, token + step));
    Finish.pair(op, t + 2, row, token + 2 * step, wholeBytes(a2, head, token + 2 * step), wholeBytes(b2, head + 16, token + 2 * step));
    Finish.pair(op, t + 3, row, token + 3 * step, wholeBytes(a3, head, token + 3 * step), wholeBytes(b3, head + 16, token + 3 * step));
    Finish.rest(op, t, row);
  }
}
