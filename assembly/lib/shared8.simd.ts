// Products of q8s24v weights with u7tok activations (panel windows): 8 rows, two quads of one vector each, gather once.
import { LinearOp } from "../abi.gen";
import { I16_ONE, PLACES_EVEN, PLACES_ODD } from "./constants";
import { Gather } from "./gather.simd";
import { panelAt } from "./i8row";
import { Finish, wholeBytes } from "./linear.simd";
import { Product } from "./product.simd";
import { HEAD } from "./q8.scalar";

/** Bytes of 64 k of 16 rows: places, then the values of 8 windows. */
const RUN: usize = 528;
const PLACES: usize = 16;

function blockBytes(k: u32): usize {
  return HEAD + ((<usize>k + 63) >> 6) * RUN;
}

export class Shared8<G extends Gather> implements Product {
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
    for (let p = head + HEAD, end = head + blockBytes(op.k); p < end; ) {
      let w = p + PLACES;
      for (const stop = p + RUN; w < stop; w += 128) {
        let at = v128.load32_splat(p);
        p += 4;
        let s = v128.load(x);
        let y = g.pick(s, v128.and(at, even));
        a0 = g.wide(a0, v128.load(w), y, ones);
        a1 = g.wide(a1, v128.load(w, 16), y, ones);
        y = g.pick(s, v128.and(at, odd));
        a2 = g.wide(a2, v128.load(w, 32), y, ones);
        a3 = g.wide(a3, v128.load(w, 48), y, ones);
        at = i16x8.shr_u(at, 4);
        s = v128.load(x, 16);
        x += 32;
        y = g.pick(s, v128.and(at, even));
        a0 = g.wide(a0, v128.load(w, 64), y, ones);
        a1 = g.wide(a1, v128.load(w, 80), y, ones);
        y = g.pick(s, v128.and(at, odd));
        a2 = g.wide(a2, v128.load(w, 96), y, ones);
        a3 = g.wide(a3, v128.load(w, 112), y, ones);
      }
      p = w;
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
    const g = changetype<G>(0);
    const step = <usize>op.xs;
    const token = <usize>op.x + <usize>t * step;
    const head = <usize>op.w + <usize>b * blockBytes(op.k);
    const mask = v128.load(h ? PLACES_ODD : PLACES_EVEN);
    const ones = v128.load(I16_ONE);
    let x = token + panelAt(op.k);
    let a0 = i32x4.splat(0);
    let a1 = a0;
    let a2 = a0;
    let a3 = a0;
    let b0 = a0;
    let b1 = a0;
    let b2 = a0;
    let b3 = a0;
    let shift: i32 = 0;
    for (let p = head + HEAD, end = head + blockBytes(op.k); p < end; ) {
      let w = p + PLACES + (h << 5);
      for (const stop = p + RUN; w < stop; w += 64) {
        const at = v128.and(i16x8.shr_u(v128.load32_splat(p), shift), mask);
        p += <usize>shift;
        shift ^= 4;
        const v = v128.load(w);
        const u = v128.load(w, 16);
        let y = x;
        let s = g.pick(v128.load(y), at);
        a0 = g.wide(a0, v, s, ones);
        b0 = g.wide(b0, u, s, ones);
        y += step;
        s = g.pick(v128.load(y), at);
        a1 = g.wide(a1, v, s, ones);
        b1 = g.wide(b1, u, s, ones);
        y += step;
        s = g.pick(v128.load(y), at);
        a2 = g.wide(a2, v, s, ones);
        b2 = g.wide(b2, u, s, ones);
        y += step;
        s = g.pick(v128.load(y), at);
        a3 = g.wide(a3, v, s, ones);
        b3 = g.wide(b3, u, s, ones);
        x += 16;
      }
      p = w - (h << 5);
    }
    const row = (b << 4) + ((<u32>h) << 3);
    const scales = head + (h << 5);
    Finish.pair(op, t, row, token, wholeBytes(a0, scales, token), wholeBytes(b0, scales + 16, token));
    Finish.pair(op, t + 1, row, token + step, wholeBytes(a1, scales, token + step), wholeBytes(b1, scales + 16, token + step));
    Finish.pair(op, t + 2, row, token + 2 * step, wholeBytes(a2, scales, token + 2 * step), wholeBytes(b2, scales + 16, token + 2 * step));
    Finish.pair(op, t + 3, row, token + 3 * step, wholeBytes(a3, scales, token + 3 * step), wholeBytes(b3, scales + 16, token + 3 * step));
    Finish.rest(op, t, row);
  }
}
