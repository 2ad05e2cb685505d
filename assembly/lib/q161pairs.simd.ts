// Products of q161 weights with split161 activations on pairs of i16: bytes 0 and 2 of a word meet the first pair of 4 activations, 1 and 3 the
// second. Lanes are rows. Signs are used where they stand in their byte, the highest first, and before the next the sums are divided by 2, exactly.
import { LinearOp } from "../abi.gen";
import { BITS, NIBBLE_0 } from "./constants";
import { Product } from "./product.simd";
import { blockBytes, codeBytes, GROUP_BYTES, RUN_BYTES, RUNS_AT, salient, splitPanelAt, splitZAt } from "./q161";
import { finishSplit } from "./q161.simd";

export class Pairs implements Product {
  block(op: LinearOp, b: u32, token: u32): void {
    const at = <usize>op.x + <usize>token * op.xs;
    const w = <usize>op.w + <usize>b * blockBytes(op.k);
    const nibble = v128.load(NIBBLE_0);
    let q = w + RUNS_AT;
    let y = at + splitPanelAt(op.k);
    let x = y + (salient(op.k) << 1);
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
      for (let f = 7; f >= 0; f--) {
        const bit = i16x8.shr_u(v128.load(BITS + (f << 4)), 8);
        a0 = i32x4.shr_s(a0, 1);
        a1 = i32x4.shr_s(a1, 1);
        a2 = i32x4.shr_s(a2, 1);
        a3 = i32x4.shr_s(a3, 1);
        let p = x + (f << 3);
        for (q = signs; q < signsEnd; q += GROUP_BYTES) {
          const even = v128.load32_splat(p);
          const odd = v128.load32_splat(p, 4);
          p += 64;
          let v = v128.load(q);
          a0 = i32x4.add(a0, i32x4.dot_i16x8_s(even, v128.and(v, bit)));
          a0 = i32x4.add(a0, i32x4.dot_i16x8_s(odd, v128.and(i16x8.shr_u(v, 8), bit)));
          v = v128.load(q, 16);
          a1 = i32x4.add(a1, i32x4.dot_i16x8_s(even, v128.and(v, bit)));
          a1 = i32x4.add(a1, i32x4.dot_i16x8_s(odd, v128.and(i16x8.shr_u(v, 8), bit)));
          v = v128.load(q, 32);
          a2 = i32x4.add(a2, i32x4.dot_i16x8_s(even, v128.and(v, bit)));
          a2 = i32x4.add(a2, i32x4.dot_i16x8_s(odd, v128.and(i16x8.shr_u(v, 8), bit)));
          v = v128.load(q, 48);
          a3 = i32x4.add(a3, i32x4.dot_i16x8_s(even, v128.and(v, bit)));
          a3 = i32x4.add(a3, i32x4.dot_i16x8_s(odd, v128.and(i16x8.shr_u(v, 8), bit)));
        }
      }
      x += q - signs;
      i0 = i32x4.add(i0, a0);
      i1 = i32x4.add(i1, a1);
      i2 = i32x4.add(i2, a2);
      i3 = i32x4.add(i3, a3);
      const zero = i32x4.extadd_pairwise_i16x8_s(v128.load32_splat(z));
      c0 = i32x4.add(c0, zero);
      c1 = i32x4.add(c1, zero);
      c2 = i32x4.add(c2, zero);
      c3 = i32x4.add(c3, zero);
      z += 4;
      const run = min<usize>(codes, RUN_BYTES);
      codes -= run;
      for (const stop = q + run; q < stop; q += GROUP_BYTES) {
        const p0 = v128.load32_splat(y);
        const p1 = v128.load32_splat(y, 4);
        const p2 = v128.load32_splat(y, 8);
        const p3 = v128.load32_splat(y, 12);
        y += 16;
        let v = v128.load(q);
        c0 = i32x4.add(c0, i32x4.dot_i16x8_s(p0, v128.and(v, nibble)));
        c0 = i32x4.add(c0, i32x4.dot_i16x8_s(p1, v128.and(i16x8.shr_u(v, 8), nibble)));
        c0 = i32x4.add(c0, i32x4.dot_i16x8_s(p2, v128.and(i16x8.shr_u(v, 4), nibble)));
        c0 = i32x4.add(c0, i32x4.dot_i16x8_s(p3, i16x8.shr_u(v, 12)));
        v = v128.load(q, 16);
        c1 = i32x4.add(c1, i32x4.dot_i16x8_s(p0, v128.and(v, nibble)));
        c1 = i32x4.add(c1, i32x4.dot_i16x8_s(p1, v128.and(i16x8.shr_u(v, 8), nibble)));
        c1 = i32x4.add(c1, i32x4.dot_i16x8_s(p2, v128.and(i16x8.shr_u(v, 4), nibble)));
        c1 = i32x4.add(c1, i32x4.dot_i16x8_s(p3, i16x8.shr_u(v, 12)));
        v = v128.load(q, 32);
        c2 = i32x4.add(c2, i32x4.dot_i16x8_s(p0, v128.and(v, nibble)));
        c2 = i32x4.add(c2, i32x4.dot_i16x8_s(p1, v128.and(i16x8.shr_u(v, 8), nibble)));
        c2 = i32x4.add(c2, i32x4.dot_i16x8_s(p2, v128.and(i16x8.shr_u(v, 4), nibble)));
        c2 = i32x4.add(c2, i32x4.dot_i16x8_s(p3, i16x8.shr_u(v, 12)));
        v = v128.load(q, 48);
        c3 = i32x4.add(c3, i32x4.dot_i16x8_s(p0, v128.and(v, nibble)));
        c3 = i32x4.add(c3, i32x4.dot_i16x8_s(p1, v128.and(i16x8.shr_u(v, 8), nibble)));
        c3 = i32x4.add(c3, i32x4.dot_i16x8_s(p2, v128.and(i16x8.shr_u(v, 4), nibble)));
        c3 = i32x4.add(c3, i32x4.dot_i16x8_s(p3, i16x8.shr_u(v, 12)));
      }
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

  /** Rows [16b + 8h, + 8) of 4 tokens, a pair of a field at a time, as more spill. */
  private half(op: LinearOp, b: u32, h: usize, t: u32): void {
    const step = <usize>op.xs;
    const at = <usize>op.x + <usize>t * step;
    const w = <usize>op.w + <usize>b * blockBytes(op.k);
    let q = w + RUNS_AT + (h << 5);
    let y = at + splitPanelAt(op.k);
    let x = y + (salient(op.k) << 1);
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
      for (let f = 7; f >= 0; f--) {
        const bit = i16x8.shr_u(v128.load(BITS + (f << 4)), 8);
        a0 = i32x4.shr_s(a0, 1);
        a1 = i32x4.shr_s(a1, 1);
        a2 = i32x4.shr_s(a2, 1);
        a3 = i32x4.shr_s(a3, 1);
        b0 = i32x4.shr_s(b0, 1);
        b1 = i32x4.shr_s(b1, 1);
        b2 = i32x4.shr_s(b2, 1);
        b3 = i32x4.shr_s(b3, 1);
        for (let shift = 8; shift >= 0; shift -= 8) {
          let p = x + (f << 3) + (shift >> 1);
          for (q = signs; q < signsEnd; q += GROUP_BYTES) {
            const v = v128.and(i16x8.shr_u(v128.load(q), shift), bit);
            const u = v128.and(i16x8.shr_u(v128.load(q, 16), shift), bit);
            let s = v128.load32_splat(p);
            a0 = i32x4.add(a0, i32x4.dot_i16x8_s(s, v));
            b0 = i32x4.add(b0, i32x4.dot_i16x8_s(s, u));
            let r = p + step;
            s = v128.load32_splat(r);
            a1 = i32x4.add(a1, i32x4.dot_i16x8_s(s, v));
            b1 = i32x4.add(b1, i32x4.dot_i16x8_s(s, u));
            r += step;
            s = v128.load32_splat(r);
            a2 = i32x4.add(a2, i32x4.dot_i16x8_s(s, v));
            b2 = i32x4.add(b2, i32x4.dot_i16x8_s(s, u));
            r += step;
            s = v128.load32_splat(r);
            a3 = i32x4.add(a3, i32x4.dot_i16x8_s(s, v));
            b3 = i32x4.add(b3, i32x4.dot_i16x8_s(s, u));
            p += 64;
          }
        }
      }
      x += q - signs;
      i0 = i32x4.add(i0, a0);
      i1 = i32x4.add(i1, a1);
      i2 = i32x4.add(i2, a2);
      i3 = i32x4.add(i3, a3);
      j0 = i32x4.add(j0, b0);
      j1 = i32x4.add(j1, b1);
      j2 = i32x4.add(j2, b2);
      j3 = i32x4.add(j3, b3);
      let zero = i32x4.extadd_pairwise_i16x8_s(v128.load32_splat(z));
      c0 = i32x4.add(c0, zero);
      e0 = i32x4.add(e0, zero);
      zero = i32x4.extadd_pairwise_i16x8_s(v128.load32_splat(z + step));
      c1 = i32x4.add(c1, zero);
      e1 = i32x4.add(e1, zero);
      zero = i32x4.extadd_pairwise_i16x8_s(v128.load32_splat(z + 2 * step));
      c2 = i32x4.add(c2, zero);
      e2 = i32x4.add(e2, zero);
      zero = i32x4.extadd_pairwise_i16x8_s(v128.load32_splat(z + 3 * step));
      c3 = i32x4.add(c3, zero);
      e3 = i32x4.add(e3, zero);
      z += 4;
      const run = min<usize>(codes, RUN_BYTES);
      codes -= run;
      const nibbles = q;
      // bytes 0 and 2, then 1 and 3, of the low nibbles, then of the high ones
      for (let pair: usize = 0; pair < 4; pair++) {
        const shift = <i32>(((pair & 1) << 3) + ((pair & 2) << 1));
        let p = y + (pair << 2);
        q = nibbles;
        for (const stop = q + run; q < stop; q += GROUP_BYTES) {
          const v = v128.and(i16x8.shr_u(v128.load(q), shift), v128.load(NIBBLE_0));
          const u = v128.and(i16x8.shr_u(v128.load(q, 16), shift), v128.load(NIBBLE_0));
          let s = v128.load32_splat(p);
          c0 = i32x4.add(c0, i32x4.dot_i16x8_s(s, v));
          e0 = i32x4.add(e0, i32x4.dot_i16x8_s(s, u));
          let r = p + step;
          s = v128.load32_splat(r);
          c1 = i32x4.add(c1, i32x4.dot_i16x8_s(s, v));
          e1 = i32x4.add(e1, i32x4.dot_i16x8_s(s, u));
          r += step;
          s = v128.load32_splat(r);
          c2 = i32x4.add(c2, i32x4.dot_i16x8_s(s, v));
          e2 = i32x4.add(e2, i32x4.dot_i16x8_s(s, u));
          r += step;
          s = v128.load32_splat(r);
          c3 = i32x4.add(c3, i32x4.dot_i16x8_s(s, v));
          e3 = i32x4.add(e3, i32x4.dot_i16x8_s(s, u));
          p += 16;
        }
      }
      y += run >> 2;
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
