// Products of q8 weights with u7tok activations. Lanes are rows. D says how bytes are multiplied; nothing is gathered.
import { LinearOp } from "../abi.gen";
import { I16_ONE } from "./constants";
import { Gather } from "./gather.simd";
import { CODES_AT } from "./i8row";
import { finishBytes } from "./linear.simd";
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
    finishBytes(op, token, b << 4, a0, head, row);
    finishBytes(op, token, (b << 4) + 4, a1, head + 16, row);
    finishBytes(op, token, (b << 4) + 8, a2, head + 32, row);
    finishBytes(op, token, (b << 4) + 12, a3, head + 48, row);
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
    finishBytes(op, t, row, a0, head, token);
    finishBytes(op, t, row + 4, b0, head + 16, token);
    finishBytes(op, t + 1, row, a1, head, token + step);
    finishBytes(op, t + 1, row + 4, b1, head + 16, token + step);
    finishBytes(op, t + 2, row, a2, head, token + 2 * step);
    finishBytes(op, t + 2, row + 4, b2, head + 16, token + 2 * step);
    finishBytes(op, t + 3, row, a3, head, token + 3 * step);
    finishBytes(op, t + 3, row + 4, b3, head + 16, token + 3 * step);
  }
}
