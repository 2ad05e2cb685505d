// Products of q4s24v weights with u7tok activations (panel windows): 8 rows, two quads of one vector each, gather once.
import { LinearOp } from "../abi.gen";
import { I8_EIGHT, I16_ONE, NIBBLE, NIBBLE_HIGH, PLACES_EVEN, PLACES_ODD } from "./constants";
import { Gather } from "./gather.simd";
import { panelAt } from "./i8row";
import { Finish, scales } from "./linear.simd";
import { Product } from "./product.simd";
import { addTo, codeSums, plus } from "./sums4.simd";

/** Bytes of a group of 128 k of 16 rows, and of a window; the places stand behind scales and sums, then the nibbles. */
const GROUP: usize = 608;
const PLACES: usize = 64;
const HEAD: usize = 96;
const BYTES: usize = 32;
/** Of the panel of a group. */
const WINDOWS: usize = 256;

function blockBytes(k: u32): usize {
  return ((<usize>k + 127) >> 7) * GROUP;
}

export class Shared4<G extends Gather> implements Product {
  /** A high nibble where it stands is 16 times its code: its sums are wide, and divided at the end of a group. 8 rows at a time, as more spill. */
  block(op: LinearOp, b: u32, token: u32): void {
    const g = changetype<G>(0);
    const row = <usize>op.x + <usize>token * op.xs;
    const low = v128.load(NIBBLE);
    const high = v128.load(NIBBLE_HIGH);
    const eight = v128.load(I8_EIGHT);
    const ones = v128.load(I16_ONE);
    const even = v128.load(PLACES_EVEN);
    const odd = v128.load(PLACES_ODD);
    let x = row + panelAt(op.k);
    let f0 = f32x4.splat(0);
    let f1 = f0;
    let f2 = f0;
    let f3 = f0;
    let w = <usize>op.w + <usize>b * blockBytes(op.k);
    for (const end = w + blockBytes(op.k); w < end; ) {
      const group = w;
      let p = group + PLACES;
      let a0 = i32x4.splat(0);
      let a1 = a0;
      w += HEAD;
      for (const stop = group + GROUP; w < stop; w += 2 * BYTES) {
        const at = v128.load32_splat(p);
        p += 4;
        let y = g.pick(v128.load(x), v128.and(at, even));
        let v = v128.load(w);
        a0 = g.narrow(a0, i8x16.sub(v128.and(v, low), eight), y);
        a1 = g.wide(a1, v128.and(v, high), y, ones);
        y = g.pick(v128.load(x, 16), v128.and(i16x8.shr_u(at, 4), even));
        v = v128.load(w, 32);
        a0 = g.narrow(a0, i8x16.sub(v128.and(v, low), eight), y);
        a1 = g.wide(a1, v128.and(v, high), y, ones);
        x += 32;
      }
      f0 = plus(f0, g.total(a0), codeSums(group), scales(group), row);
      f1 = plus(f1, i32x4.shr_s(a1, 4), codeSums(group + 8), scales(group + 8), row);
      a0 = i32x4.splat(0);
      a1 = a0;
      p = group + PLACES;
      w = group + HEAD;
      x -= WINDOWS;
      for (const stop = group + GROUP; w < stop; w += 2 * BYTES) {
        const at = v128.load32_splat(p);
        p += 4;
        let y = g.pick(v128.load(x), v128.and(at, odd));
        let v = v128.load(w, 16);
        a0 = g.narrow(a0, i8x16.sub(v128.and(v, low), eight), y);
        a1 = g.wide(a1, v128.and(v, high), y, ones);
        y = g.pick(v128.load(x, 16), v128.and(i16x8.shr_u(at, 4), odd));
        v = v128.load(w, 48);
        a0 = g.narrow(a0, i8x16.sub(v128.and(v, low), eight), y);
        a1 = g.wide(a1, v128.and(v, high), y, ones);
        x += 32;
      }
      f2 = plus(f2, g.total(a0), codeSums(group + 16), scales(group + 16), row);
      f3 = plus(f3, i32x4.shr_s(a1, 4), codeSums(group + 24), scales(group + 24), row);
    }
    Finish.block(op, token, b << 4, row, f0, f1, f2, f3);
  }

  /** 4 tokens. Float sums wait in y: registers are for the integers. */
  tile(op: LinearOp, b: u32, token: u32): void {
    for (let h: usize = 0; h < 2; h++) this.half(op, b, h, token);
  }

  /** Rows [16b + 8h, + 8). */
  private half(op: LinearOp, b: u32, h: usize, t: u32): void {
    const g = changetype<G>(0);
    const step = <usize>op.xs;
    const token = <usize>op.x + <usize>t * step;
    const row = (b << 4) + ((<u32>h) << 3);
    const apart = (<usize>op.ys) << 2;
    const y = <usize>op.y + <usize>t * apart + ((<usize>row) << 2);
    const mask = v128.load(h ? PLACES_ODD : PLACES_EVEN);
    for (let i: usize = 0; i < 4; i++) {
      v128.store(y + i * apart, f32x4.splat(0));
      v128.store(y + i * apart, f32x4.splat(0), 16);
    }
    let x = token + panelAt(op.k);
    let shift: i32 = 0;
    let w = <usize>op.w + <usize>b * blockBytes(op.k);
    for (const end = w + blockBytes(op.k); w < end; w += GROUP) {
      let p = w + PLACES;
      let a0 = i32x4.splat(0);
      let a1 = a0;
      let a2 = a0;
      let a3 = a0;
      let b0 = a0;
      let b1 = a0;
      let b2 = a0;
      let b3 = a0;
      let q = w + HEAD + (h << 4);
      for (const stop = q + GROUP - HEAD; q < stop; q += BYTES) {
        const at = v128.and(i16x8.shr_u(v128.load32_splat(p), shift), mask);
        p += <usize>shift;
        shift ^= 4;
        let v = v128.load(q);
        const u = i8x16.sub(v128.xor(v128.and(i16x8.shr_u(v, 4), v128.load(NIBBLE)), v128.load(I8_EIGHT)), v128.load(I8_EIGHT));
        v = i8x16.sub(v128.and(v, v128.load(NIBBLE)), v128.load(I8_EIGHT));
        let s = x;
        let picked = g.pick(v128.load(s), at);
        a0 = g.narrow(a0, v, picked);
        b0 = g.narrow(b0, u, picked);
        s += step;
        picked = g.pick(v128.load(s), at);
        a1 = g.narrow(a1, v, picked);
        b1 = g.narrow(b1, u, picked);
        s += step;
        picked = g.pick(v128.load(s), at);
        a2 = g.narrow(a2, v, picked);
        b2 = g.narrow(b2, u, picked);
        s += step;
        picked = g.pick(v128.load(s), at);
        a3 = g.narrow(a3, v, picked);
        b3 = g.narrow(b3, u, picked);
        x += 16;
      }
      const group = w + (h << 4);
      let codes = codeSums(group);
      let scale = scales(group);
      addTo(y, g.total(a0), codes, scale, token);
      addTo(y + apart, g.total(a1), codes, scale, token + step);
      addTo(y + 2 * apart, g.total(a2), codes, scale, token + 2 * step);
      addTo(y + 3 * apart, g.total(a3), codes, scale, token + 3 * step);
      codes = codeSums(group + 8);
      scale = scales(group + 8);
      addTo(y + 16, g.total(b0), codes, scale, token);
      addTo(y + apart + 16, g.total(b1), codes, scale, token + step);
      addTo(y + 2 * apart + 16, g.total(b2), codes, scale, token + 2 * step);
      addTo(y + 3 * apart + 16, g.total(b3), codes, scale, token + 3 * step);
    }
    Finish.pair(op, t, row, token, v128.load(y), v128.load(y, 16));
    Finish.pair(op, t + 1, row, token + step, v128.load(y + apart), v128.load(y + apart, 16));
    Finish.pair(op, t + 2, row, token + 2 * step, v128.load(y + 2 * apart), v128.load(y + 2 * apart, 16));
    Finish.pair(op, t + 3, row, token + 3 * step, v128.load(y + 3 * apart), v128.load(y + 3 * apart, 16));
    Finish.rest(op, t, row);
  }
}
