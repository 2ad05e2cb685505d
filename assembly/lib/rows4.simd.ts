// Products of q4s24 weights with u7tok activations (panel windows). A quad, 4 rows, is one vector; its places are one field of a window's 16 bytes.
import { LinearOp } from "../abi.gen";
import { I8_EIGHT, I16_ONE, NIBBLE, NIBBLE_HIGH, PLACES_EVEN, PLACES_ODD } from "./constants";
import { Gather } from "./gather.simd";
import { panelAt } from "./i8row";
import { Finish, finishRow, scales } from "./linear.simd";
import { Product } from "./product.simd";
import { addTo, codeSums, plus } from "./sums4.simd";

/** Bytes of a group of 128 k, before its windows, and of a window. */
const GROUP: usize = 832;
const HEAD: usize = 64;
const BYTES: usize = 48;

function blockBytes(k: u32): usize {
  return ((<usize>k + 127) >> 7) * GROUP;
}

export class Rows4<G extends Gather> implements Product {
  /** A high nibble where it stands is 16 times its code: its sums are wide, and divided at the end of a group. */
  block(op: LinearOp, b: u32, token: u32): void {
    const g = changetype<G>(0);
    const row = <usize>op.x + <usize>token * op.xs;
    const low = v128.load(NIBBLE);
    const high = v128.load(NIBBLE_HIGH);
    const eight = v128.load(I8_EIGHT);
    const ones = v128.load(I16_ONE);
    let x = row + panelAt(op.k);
    let f0 = f32x4.splat(0);
    let f1 = f0;
    let f2 = f0;
    let f3 = f0;
    let w = <usize>op.w + <usize>b * blockBytes(op.k);
    for (const end = w + blockBytes(op.k); w < end; ) {
      const group = w;
      let a0 = i32x4.splat(0);
      let a1 = a0;
      let a2 = a0;
      let a3 = a0;
      w += HEAD;
      for (const stop = group + GROUP; w < stop; w += BYTES) {
        const s = v128.load(x);
        let at = v128.load(w);
        x += 16;
        let v = v128.load(w, 16);
        a0 = g.narrow(a0, i8x16.sub(v128.and(v, low), eight), g.pick(s, v128.and(at, v128.load(PLACES_EVEN))));
        a1 = g.wide(a1, v128.and(v, high), g.pick(s, v128.and(at, v128.load(PLACES_ODD))), ones);
        v = v128.load(w, 32);
        at = i16x8.shr_u(at, 4);
        a2 = g.narrow(a2, i8x16.sub(v128.and(v, low), eight), g.pick(s, v128.and(at, v128.load(PLACES_EVEN))));
        a3 = g.wide(a3, v128.and(v, high), g.pick(s, v128.and(at, v128.load(PLACES_ODD))), ones);
      }
      f0 = plus(f0, g.total(a0), codeSums(group), scales(group), row);
      f1 = plus(f1, i32x4.shr_s(a1, 4), codeSums(group + 8), scales(group + 8), row);
      f2 = plus(f2, g.total(a2), codeSums(group + 16), scales(group + 16), row);
      f3 = plus(f3, i32x4.shr_s(a3, 4), codeSums(group + 24), scales(group + 24), row);
    }
    Finish.block(op, token, b << 4, row, f0, f1, f2, f3);
  }

  /** 8 tokens. Float sums wait in y: registers are for the integers. */
  tile(op: LinearOp, b: u32, token: u32): void {
    for (let q: usize = 0; q < 4; q++) this.quad(op, b, q, token);
  }

  private quad(op: LinearOp, b: u32, q: usize, t: u32): void {
    const g = changetype<G>(0);
    const step = <usize>op.xs;
    const token = <usize>op.x + <usize>t * step;
    const row = (b << 4) + ((<u32>q) << 2);
    const apart = (<usize>op.ys) << 2;
    const y = <usize>op.y + <usize>t * apart + ((<usize>row) << 2);
    const mask = v128.load(q & 1 ? PLACES_ODD : PLACES_EVEN);
    const shift = (<i32>(q >> 1)) << 2;
    const nibble = (<i32>(q & 1)) << 2;
    const flip = i8x16.splat(<i8>(nibble << 1));
    const values = 16 + ((q >> 1) << 4);
    for (let i: usize = 0; i < 8; i++) v128.store(y + i * apart, f32x4.splat(0));
    let x = token + panelAt(op.k);
    let w = <usize>op.w + <usize>b * blockBytes(op.k);
    for (const end = w + blockBytes(op.k); w < end; ) {
      const group = w + (q << 3);
      let a0 = i32x4.splat(0);
      let a1 = a0;
      let a2 = a0;
      let a3 = a0;
      let a4 = a0;
      let a5 = a0;
      let a6 = a0;
      let a7 = a0;
      const stop = w + GROUP;
      for (w += HEAD; w < stop; w += BYTES) {
        const at = v128.and(i16x8.shr_u(v128.load(w), shift), mask);
        const v = i8x16.sub(v128.xor(v128.and(i16x8.shr_u(v128.load(w + values), nibble), v128.load(NIBBLE)), flip), v128.load(I8_EIGHT));
        let s = x;
        a0 = g.narrow(a0, v, g.pick(v128.load(s), at));
        s += step;
        a1 = g.narrow(a1, v, g.pick(v128.load(s), at));
        s += step;
        a2 = g.narrow(a2, v, g.pick(v128.load(s), at));
        s += step;
        a3 = g.narrow(a3, v, g.pick(v128.load(s), at));
        s += step;
        a4 = g.narrow(a4, v, g.pick(v128.load(s), at));
        s += step;
        a5 = g.narrow(a5, v, g.pick(v128.load(s), at));
        s += step;
        a6 = g.narrow(a6, v, g.pick(v128.load(s), at));
        s += step;
        a7 = g.narrow(a7, v, g.pick(v128.load(s), at));
        x += 16;
      }
      const codes = codeSums(group);
      const scale = scales(group);
      addTo(y, g.total(a0), codes, scale, token);
      addTo(y + apart, g.total(a1), codes, scale, token + step);
      addTo(y + 2 * apart, g.total(a2), codes, scale, token + 2 * step);
      addTo(y + 3 * apart, g.total(a3), codes, scale, token + 3 * step);
      addTo(y + 4 * apart, g.total(a4), codes, scale, token + 4 * step);
      addTo(y + 5 * apart, g.total(a5), codes, scale, token + 5 * step);
      addTo(y + 6 * apart, g.total(a6), codes, scale, token + 6 * step);
      addTo(y + 7 * apart, g.total(a7), codes, scale, token + 7 * step);
    }
    finishRow(op, t, row, v128.load(y), token);
    finishRow(op, t + 1, row, v128.load(y + apart), token + step);
    finishRow(op, t + 2, row, v128.load(y + 2 * apart), token + 2 * step);
    finishRow(op, t + 3, row, v128.load(y + 3 * apart), token + 3 * step);
    finishRow(op, t + 4, row, v128.load(y + 4 * apart), token + 4 * step);
    finishRow(op, t + 5, row, v128.load(y + 5 * apart), token + 5 * step);
    finishRow(op, t + 6, row, v128.load(y + 6 * apart), token + 6 * step);
    finishRow(op, t + 7, row, v128.load(y + 7 * apart), token + 7 * step);
  }
}
