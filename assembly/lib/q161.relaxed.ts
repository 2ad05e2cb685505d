// Products of q161 weights with split161 activations by the relaxed dot D: a bit where it stands in its byte's half, 1, 2, 4 or 8, or a nibble is its
// operand 0…127. Lanes are rows. A run of 256 binary and 64 salient columns is summed at once. Bits 3 and 7 come first, and before each next pair
// the sums are divided by 2, exactly. Lanes of 16 bits hold a run: at most 8 · 127 · 2 · 2 · 8 = 32512 for its bits, for its codes as in q4g128.
import { LinearOp } from "../abi.gen";
import { BITS, NIBBLE } from "./constants";
import { Dot } from "./dot.relaxed";
import { Product } from "./product.simd";
import { binaryAt, blockBytes, codeBytes, GROUP_BYTES, RUN_BYTES, RUNS_AT, SALIENT_AT, splitZAt } from "./q161";
import { finishSplit } from "./q161.simd";
import { both, shrunk } from "./sums.relaxed";

export class Split<D extends Dot> implements Product {
  block(op: LinearOp, b: u32, token: u32): void {
    const d = changetype<D>(0);
    const at = <usize>op.x + <usize>token * op.xs;
    const w = <usize>op.w + <usize>b * blockBytes(op.k);
    const nibble = v128.load(NIBBLE);
    let q = w + RUNS_AT;
    let x = at + binaryAt(op.k);
    let y = at + SALIENT_AT;
    let z = at + splitZAt(op.k);
    let i0 = i32x4.splat(0);
    let i1 = i0;
    let i2 = i0;
    let i3 = i0;
    let c0 = i0;
    let c1 = i0;
    let c2 = i0;
    let c3 = i0;
    let codes = codeBytes(op.k);
    for (const end = w + blockBytes(op.k); q < end; ) {
      const signs = q;
      const signsEnd = min<usize>(q + RUN_BYTES, end - codes);
      let a0 = i32x4.splat(0);
      let a1 = a0;
      let a2 = a0;
      let a3 = a0;
      let b0 = a0;
      let b1 = a0;
      let b2 = a0;
      let b3 = a0;
      for (let f = 3; f >= 0; f--) {
        const bit = v128.load(BITS + (f << 4));
        a0 = shrunk<D>(both<D>(a0, b0), 1);
        a1 = shrunk<D>(both<D>(a1, b1), 1);
        a2 = shrunk<D>(both<D>(a2, b2), 1);
        a3 = shrunk<D>(both<D>(a3, b3), 1);
        b0 = i32x4.splat(0);
        b1 = i32x4.splat(0);
        b2 = i32x4.splat(0);
        b3 = i32x4.splat(0);
        let p = x + (f << 2);
        for (q = signs; q < signsEnd; q += GROUP_BYTES) {
          const lo = v128.load32_splat(p);
          const hi = v128.load32_splat(p, 16);
          p += 32;
          let v = v128.load(q);
          a0 = d.plus(a0, lo, v128.and(v, bit));
          b0 = d.plus(b0, hi, v128.and(i16x8.shr_u(v, 4), bit));
          v = v128.load(q, 16);
          a1 = d.plus(a1, lo, v128.and(v, bit));
          b1 = d.plus(b1, hi, v128.and(i16x8.shr_u(v, 4), bit));
          v = v128.load(q, 32);
          a2 = d.plus(a2, lo, v128.and(v, bit));
          b2 = d.plus(b2, hi, v128.and(i16x8.shr_u(v, 4), bit));
          v = v128.load(q, 48);
          a3 = d.plus(a3, lo, v128.and(v, bit));
          b3 = d.plus(b3, hi, v128.and(i16x8.shr_u(v, 4), bit));
        }
      }
      x += (q - signs) >> 1;
      i0 = i32x4.add(i0, d.total(both<D>(a0, b0)));
      i1 = i32x4.add(i1, d.total(both<D>(a1, b1)));
      i2 = i32x4.add(i2, d.total(both<D>(a2, b2)));
      i3 = i32x4.add(i3, d.total(both<D>(a3, b3)));
      a0 = start<D>(z);
      a1 = a0;
      a2 = a0;
      a3 = a0;
      b0 = i32x4.splat(0);
      b1 = i32x4.splat(0);
      b2 = i32x4.splat(0);
      b3 = i32x4.splat(0);
      z += 4;
      const run = min<usize>(codes, RUN_BYTES);
      codes -= run;
      for (const stop = q + run; q < stop; q += GROUP_BYTES) {
        const lo = v128.load32_splat(y);
        const hi = v128.load32_splat(y, 4);
        y += 8;
        let v = v128.load(q);
        a0 = d.plus(a0, lo, v128.and(v, nibble));
        b0 = d.plus(b0, hi, v128.and(i16x8.shr_u(v, 4), nibble));
        v = v128.load(q, 16);
        a1 = d.plus(a1, lo, v128.and(v, nibble));
        b1 = d.plus(b1, hi, v128.and(i16x8.shr_u(v, 4), nibble));
        v = v128.load(q, 32);
        a2 = d.plus(a2, lo, v128.and(v, nibble));
        b2 = d.plus(b2, hi, v128.and(i16x8.shr_u(v, 4), nibble));
        v = v128.load(q, 48);
        a3 = d.plus(a3, lo, v128.and(v, nibble));
        b3 = d.plus(b3, hi, v128.and(i16x8.shr_u(v, 4), nibble));
      }
      c0 = i32x4.add(c0, d.total(both<D>(a0, b0)));
      c1 = i32x4.add(c1, d.total(both<D>(a1, b1)));
      c2 = i32x4.add(c2, d.total(both<D>(a2, b2)));
      c3 = i32x4.add(c3, d.total(both<D>(a3, b3)));
    }
    finishSplit(op, b, token, 0, i0, c0);
    finishSplit(op, b, token, 4, i1, c1);
    finishSplit(op, b, token, 8, i2, c2);
    finishSplit(op, b, token, 12, i3, c3);
  }

  tile(op: LinearOp, b: u32, token: u32): void {
    this.half(op, b, 0, token);
    this.half(op, b, 1, token);
  }

  /** Rows [16b + 8h, + 8) of 4 tokens: bits 7, 3, 6, 2, … in turn, then the nibbles' halves, as more at a time spill. */
  private half(op: LinearOp, b: u32, h: usize, t: u32): void {
    const d = changetype<D>(0);
    const step = <usize>op.xs;
    const at = <usize>op.x + <usize>t * step;
    const w = <usize>op.w + <usize>b * blockBytes(op.k);
    let q = w + RUNS_AT + (h << 5);
    let x = at + binaryAt(op.k);
    let y = at + SALIENT_AT;
    let z = at + splitZAt(op.k);
    let i0 = i32x4.splat(0);
    let i1 = i0;
    let i2 = i0;
    let i3 = i0;
    let j0 = i0;
    let j1 = i0;
    let j2 = i0;
    let j3 = i0;
    let c0 = i0;
    let c1 = i0;
    let c2 = i0;
    let c3 = i0;
    let e0 = i0;
    let e1 = i0;
    let e2 = i0;
    let e3 = i0;
    let codes = codeBytes(op.k);
    for (const end = w + blockBytes(op.k); q < end; ) {
      const signs = q;
      const signsEnd = min<usize>(q + RUN_BYTES, end + (h << 5) - codes);
      let a0 = i32x4.splat(0);
      let a1 = a0;
      let a2 = a0;
      let a3 = a0;
      let b0 = a0;
      let b1 = a0;
      let b2 = a0;
      let b3 = a0;
      for (let f = 3; f >= 0; f--) {
        const bit = v128.load(BITS + (f << 4));
        a0 = shrunk<D>(a0, 1);
        a1 = shrunk<D>(a1, 1);
        a2 = shrunk<D>(a2, 1);
        a3 = shrunk<D>(a3, 1);
        b0 = shrunk<D>(b0, 1);
        b1 = shrunk<D>(b1, 1);
        b2 = shrunk<D>(b2, 1);
        b3 = shrunk<D>(b3, 1);
        for (let shift = 4; shift >= 0; shift -= 4) {
          let p = x + (f << 2) + (shift << 2);
          for (q = signs; q < signsEnd; q += GROUP_BYTES) {
            const v = v128.and(i16x8.shr_u(v128.load(q), shift), bit);
            const u = v128.and(i16x8.shr_u(v128.load(q, 16), shift), bit);
            let s = v128.load32_splat(p);
            a0 = d.plus(a0, s, v);
            b0 = d.plus(b0, s, u);
            let r = p + step;
            s = v128.load32_splat(r);
            a1 = d.plus(a1, s, v);
            b1 = d.plus(b1, s, u);
            r += step;
            s = v128.load32_splat(r);
            a2 = d.plus(a2, s, v);
            b2 = d.plus(b2, s, u);
            r += step;
            s = v128.load32_splat(r);
            a3 = d.plus(a3, s, v);
            b3 = d.plus(b3, s, u);
            p += 32;
          }
        }
      }
      x += (q - signs) >> 1;
      i0 = i32x4.add(i0, d.total(a0));
      i1 = i32x4.add(i1, d.total(a1));
      i2 = i32x4.add(i2, d.total(a2));
      i3 = i32x4.add(i3, d.total(a3));
      j0 = i32x4.add(j0, d.total(b0));
      j1 = i32x4.add(j1, d.total(b1));
      j2 = i32x4.add(j2, d.total(b2));
      j3 = i32x4.add(j3, d.total(b3));
      a0 = start<D>(z);
      a1 = start<D>(z + step);
      a2 = start<D>(z + 2 * step);
      a3 = start<D>(z + 3 * step);
      b0 = a0;
      b1 = a1;
      b2 = a2;
      b3 = a3;
      z += 4;
      const run = min<usize>(codes, RUN_BYTES);
      codes -= run;
      const nibbles = q;
      for (let shift = 0; shift < 8; shift += 4) {
        let p = y + shift;
        q = nibbles;
        for (const stop = q + run; q < stop; q += GROUP_BYTES) {
          const v = v128.and(i16x8.shr_u(v128.load(q), shift), v128.load(NIBBLE));
          const u = v128.and(i16x8.shr_u(v128.load(q, 16), shift), v128.load(NIBBLE));
          let s = v128.load32_splat(p);
          a0 = d.plus(a0, s, v);
          b0 = d.plus(b0, s, u);
          let r = p + step;
          s = v128.load32_splat(r);
          a1 = d.plus(a1, s, v);
          b1 = d.plus(b1, s, u);
          r += step;
          s = v128.load32_splat(r);
          a2 = d.plus(a2, s, v);
          b2 = d.plus(b2, s, u);
          r += step;
          s = v128.load32_splat(r);
          a3 = d.plus(a3, s, v);
          b3 = d.plus(b3, s, u);
          p += 8;
        }
      }
      y += run >> 3;
      c0 = i32x4.add(c0, d.total(a0));
      c1 = i32x4.add(c1, d.total(a1));
      c2 = i32x4.add(c2, d.total(a2));
      c3 = i32x4.add(c3, d.total(a3));
      e0 = i32x4.add(e0, d.total(b0));
      e1 = i32x4.add(e1, d.total(b1));
      e2 = i32x4.add(e2, d.total(b2));
      e3 = i32x4.add(e3, d.total(b3));
    }
    const lane = h << 3;
    finishSplit(op, b, t, lane, i0, c0);
    finishSplit(op, b, t, lane + 4, j0, e0);
    finishSplit(op, b, t + 1, lane, i1, c1);
    finishSplit(op, b, t + 1, lane + 4, j1, e1);
    finishSplit(op, b, t + 2, lane, i2, c2);
    finishSplit(op, b, t + 2, lane + 4, j2, e2);
    finishSplit(op, b, t + 3, lane, i3, c3);
    finishSplit(op, b, t + 3, lane + 4, j3, e3);
  }
}

/** What the sums of a run of codes start from: −8 · Σx, as codes are 8 too great. z: its word in the row. */
function start<D extends Dot>(z: usize): v128 {
  const word = v128.load32_splat(z);
  return changetype<D>(0).narrow() ? word : i32x4.extadd_pairwise_i16x8_s(word);
}
