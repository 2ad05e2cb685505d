// Products of q8s24 weights with u7tok activations (panel windows). A quad, 4 rows, is one vector; its places are one field of a window's 16 bytes.
import { LinearOp } from "../abi.gen";
import { I16_ONE, PLACES_EVEN, PLACES_ODD } from "./constants";
import { Gather } from "./gather.simd";
import { panelAt } from "./i8row";
import { finishBytes } from "./linear.simd";
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
    finishBytes(op, token, b << 4, a0, head, row);
    finishBytes(op, token, (b << 4) + 4, a1, head + 16, row);
    finishBytes(op, token, (b << 4) + 8, a2, head + 32, row);
    finishBytes(op, token, (b << 4) + 12, a3, head + 48, row);
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
    finishBytes(op, t, row, a0, scales, token);
    finishBytes(op, t + 1, row, a1, scales, token + step);
    finishBytes(op, t + 2, row, a2, scales, token + 2 * step);
    finishBytes(op, t + 3, row, a3, scales, token + 3 * step);
    finishBytes(op, t + 4, row, a4, scales, token + 4 * step);
    finishBytes(op, t + 5, row, a5, scales, token + 5 * step);
    finishBytes(op, t + 6, row, a6, scales, token + 6 * step);
    finishBytes(op, t + 7, row, a7, scales, token + 7 * step);
  }
}
