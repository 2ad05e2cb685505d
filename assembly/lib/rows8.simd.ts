// Products of q8s24 weights with u7tok activations (panel windows). A quad, 4 rows, is one vector; its places are one field of a window's 16 bytes.
import { LinearOp } from "../abi.gen";
import { I16_ONE, PLACES_EVEN, PLACES_ODD } from "./constants";
import { Gather } from "./gather.simd";
import { panelAt } from "./i8row";
import { Finish, finishRow, wholeBytes } from "./linear.simd";
import { Product } from "./product.simd";
import { HEAD } from "./q8.scalar";

const BYTES: usize = 80;

function blockBytes(k: u32): usize {
  return HEAD + (((<usize>k + 31) & ~31) >> 3) * BYTES;
}

export class Rows8<G extends Gather> implements Product {
  block(op: LinearOp, b: u32, token: u32): void {
    const g = changetype<G>(0);
    const row = <usize>op.x + <usize>token * op.xs;
    const head = <usize>op.w + <usize>b * blockBytes(op.k);
    const even = v128.load(PLACES_EVEN);
    const odd = v128.load(PLACES_ODD);
    const ones = v128.load(I16_ONE);
    let x = row + panelAt(op.k);
    let a0 = i32x4.splat(0);
    let a1 = a0;
    let a2 = a0;
    let a3 = a0;
    let w = head + HEAD;
    for (const end = head + blockBytes(op.k); w < end; w += BYTES) {
      const s = v128.load(x);
      let at = v128.load(w);
      x += 16;
      a0 = g.wide(a0, v128.load(w, 16), g.pick(s, v128.and(at, even)), ones);
      a1 = g.wide(a1, v128.load(w, 32), g.pick(s, v128.and(at, odd)), ones);
      at = i16x8.shr_u(at, 4);
      a2 = g.wide(a2, v128.load(w, 48), g.pick(s, v128.and(at, even)), ones);
      a3 = g.wide(a3, v128.load(w, 64), g.pick(s, v128.and(at, odd)), ones);
    }
    a0 = wholeBytes(a0, head, row);
    a1 = wholeBytes(a1, head + 16, row);
    a2 = wholeBytes(a2, head + 32, row);
    a3 = wholeBytes(a3, head + 48, row);
    Finish.block(op, token, b << 4, row, a0, a1, a2, a3);
  }

  /** 8 tokens. */
  tile(op: LinearOp, b: u32, token: u32): void {
    for (let q: usize = 0; q < 4; q++) this.quad(op, b, q, token);
  }

  private quad(op: LinearOp, b: u32, q: usize, t: u32): void {
    const g = changetype<G>(0);
    const step = <usize>op.xs;
    const token = <usize>op.x + <usize>t * step;
    const head = <usize>op.w + <usize>b * blockBytes(op.k);
    const mask = v128.load(q & 1 ? PLACES_ODD : PLACES_EVEN);
    const shift = (<i32>(q >> 1)) << 2;
    const ones = v128.load(I16_ONE);
    let x = token + panelAt(op.k);
    let a0 = i32x4.splat(0);
    let a1 = a0;
    let a2 = a0;
    let a3 = a0;
    let a4 = a0;
    let a5 = a0;
    let a6 = a0;
    let a7 = a0;
    let w = head + HEAD;
    for (const end = head + blockBytes(op.k); w < end; w += BYTES) {
      const at = v128.and(i16x8.shr_u(v128.load(w), shift), mask);
      const v = v128.load(w + 16 + (q << 4));
      let y = x;
      a0 = g.wide(a0, v, g.pick(v128.load(y), at), ones);
      y += step;
      a1 = g.wide(a1, v, g.pick(v128.load(y), at), ones);
      y += step;
      a2 = g.wide(a2, v, g.pick(v128.load(y), at), ones);
      y += step;
      a3 = g.wide(a3, v, g.pick(v128.load(y), at), ones);
      y += step;
      a4 = g.wide(a4, v, g.pick(v128.load(y), at), ones);
      y += step;
      a5 = g.wide(a5, v, g.pick(v128.load(y), at), ones);
      y += step;
      a6 = g.wide(a6, v, g.pick(v128.load(y), at), ones);
      y += step;
      a7 = g.wide(a7, v, g.pick(v128.load(y), at), ones);
      x += 16;
    }
    const row = (b << 4) + ((<u32>q) << 2);
    const scales = head + (q << 4);
    finishRow(op, t, row, wholeBytes(a0, scales, token), token);
    finishRow(op, t + 1, row, wholeBytes(a1, scales, token + step), token + step);
    finishRow(op, t + 2, row, wholeBytes(a2, scales, token + 2 * step), token + 2 * step);
    finishRow(op, t + 3, row, wholeBytes(a3, scales, token + 3 * step), token + 3 * step);
    finishRow(op, t + 4, row, wholeBytes(a4, scales, token + 4 * step), token + 4 * step);
    finishRow(op, t + 5, row, wholeBytes(a5, scales, token + 5 * step), token + 5 * step);
    finishRow(op, t + 6, row, wholeBytes(a6, scales, token + 6 * step), token + 6 * step);
    finishRow(op, t + 7, row, wholeBytes(a7, scales, token + 7 * step), token + 7 * step);
  }
}
