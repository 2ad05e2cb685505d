// Products of f32 and f16 weights in blocks [k][16 rows] with f32 activations. Lanes are rows and k runs in order, so that every build adds
// in the same order.
import { LinearOp } from "../abi.gen";
import { F16_KEEP, F16_REBIAS } from "./constants";
import { finish4, halves } from "./linear.simd";
import { Product } from "./product.simd";

/** A class without fields; changetype<W>(0) calls its methods. */
export interface Weight {
  /** Bytes of the weights of a quad: 4 rows, one k. */
  quad(): usize;
  /** A quad as f32; keep and rebias are F16_KEEP and F16_REBIAS, loaded by the caller. */
  four(at: usize, keep: v128, rebias: v128): v128;
  /** Do two quads and 4 tokens fit the registers? */
  pairs(): bool;
}

export class Single implements Weight {
  quad(): usize {
    return 16;
  }
  four(at: usize, _keep: v128, _rebias: v128): v128 {
    return v128.load(at);
  }
  pairs(): bool {
    return true;
  }
}

export class Half implements Weight {
  quad(): usize {
    return 8;
  }
  four(at: usize, keep: v128, rebias: v128): v128 {
    return halves(at, keep, rebias);
  }
  pairs(): bool {
    return false;
  }
}

export class Floats<W extends Weight> implements Product {
  block(op: LinearOp, b: u32, token: u32): void {
    const weight = changetype<W>(0);
    const quad = weight.quad();
    const keep = v128.load(F16_KEEP);
    const rebias = v128.load(F16_REBIAS);
    let w = <usize>op.w + <usize>b * op.k * (quad << 2);
    let x = <usize>op.x + ((<usize>token * op.xs) << 2);
    let f0 = f32x4.splat(0);
    let f1 = f0;
    let f2 = f0;
    let f3 = f0;
    for (const end = x + ((<usize>op.k) << 2); x < end; x += 4) {
      const v = v128.load32_splat(x);
      f0 = f32x4.add(f0, f32x4.mul(weight.four(w, keep, rebias), v));
      f1 = f32x4.add(f1, f32x4.mul(weight.four(w + quad, keep, rebias), v));
      f2 = f32x4.add(f2, f32x4.mul(weight.four(w + 2 * quad, keep, rebias), v));
      f3 = f32x4.add(f3, f32x4.mul(weight.four(w + 3 * quad, keep, rebias), v));
      w += quad << 2;
    }
    const row = b << 4;
    finish4(op, token, row, f0);
    finish4(op, token, row + 4, f1);
    finish4(op, token, row + 8, f2);
    finish4(op, token, row + 12, f3);
  }

  tile(op: LinearOp, b: u32, token: u32): void {
    const quads: u32 = changetype<W>(0).pairs() ? 2 : 1;
    for (let q: u32 = 0; q < 4; q += quads) this.part(op, b, q, token);
  }

  /** Quad q, and the next if they go in pairs, of 4 tokens. */
  private part(op: LinearOp, b: u32, q: u32, t: u32): void {
    const weight = changetype<W>(0);
    const quad = weight.quad();
    const keep = v128.load(F16_KEEP);
    const rebias = v128.load(F16_REBIAS);
    const step = (<usize>op.xs) << 2;
    let w = <usize>op.w + <usize>b * op.k * (quad << 2) + q * quad;
    let x = <usize>op.x + <usize>t * step;
    let a0 = f32x4.splat(0);
    let a1 = a0;
    let a2 = a0;
    let a3 = a0;
    let b0 = a0;
    let b1 = a0;
    let b2 = a0;
    let b3 = a0;
    for (const end = x + ((<usize>op.k) << 2); x < end; x += 4) {
      const v = weight.four(w, keep, rebias);
      const u = weight.pairs() ? weight.four(w + quad, keep, rebias) : v;
      let s = v128.load32_splat(x);
      a0 = f32x4.add(a0, f32x4.mul(v, s));
      if (weight.pairs()) b0 = f32x4.add(b0, f32x4.mul(u, s));
      s = v128.load32_splat(x + step);
      a1 = f32x4.add(a1, f32x4.mul(v, s));
      if (weight.pairs()) b1 = f32x4.add(b1, f32x4.mul(u, s));
      s = v128.load32_splat(x + 2 * step);
      a2 = f32x4.add(a2, f32x4.mul(v, s));
      if (weight.pairs()) b2 = f32x4.add(b2, f32x4.mul(u, s));
      s = v128.load32_splat(x + 3 * step);
      a3 = f32x4.add(a3, f32x4.mul(v, s));
      if (weight.pairs()) b3 = f32x4.add(b3, f32x4.mul(u, s));
      w += quad << 2;
    }
    const row = (b << 4) + (q << 2);
    finish4(op, t, row, a0);
    finish4(op, t + 1, row, a1);
    finish4(op, t + 2, row, a2);
    finish4(op, t + 3, row, a3);
    if (!weight.pairs()) return;
    finish4(op, t, row + 4, b0);
    finish4(op, t + 1, row + 4, b1);
    finish4(op, t + 2, row + 4, b2);
    finish4(op, t + 3, row + 4, b3);
  }
}
