// Products of rows of q4n weights with i8tok activations: a row lies in one piece, so lanes are places along k and are added up at its end.
import { LinearOp } from "../abi.gen";
import { NIBBLE } from "./constants";
import { CODES_AT, panelAt, zAt } from "./i8row";
import { finish } from "./linear.scalar";
import { finish4 } from "./linear.simd";
import { entriesOf, isCompact, rowAt, rowBytes, rowOf, scaleAt, touchRows } from "./q4n";
import { RowCodes } from "./rowcodes.simd";
import { start } from "./split";

/** `gemv`: the rows of a set, or all, two abreast: more would be as many streams, which no prefetcher follows. */
export function streamRows<C extends RowCodes>(p: usize, unit: u32, units: u32): void {
  const op = changetype<LinearOp>(p);
  const tokens = load<u32>(op.rows);
  const compact = isCompact(op.only);
  const w = compact ? op.compact : op.w;
  const entries = compact ? 0 : entriesOf(op.only);
  const many = compact || entries ? load<u32>(op.only) : op.n;
  const fours = (many + 3) >> 2;
  const end = start(unit + 1, units, fours) << 2;
  for (let t: u32 = 0; t < tokens; t++) {
    const x = <usize>op.x + <usize>t * op.xs;
    const zero = zeroOf(x, op.k);
    let near: u32 = 0;
    for (let i = start(unit, units, fours) << 2; i < end; i += 4) {
      if (entries && i >= near) near = touchRows(w, entries, i, min(end, many), op.k);
      Four.done<C>(op, w, t, x, zero, entries, i, many);
    }
  }
}

/** −8 · Σ of the token's codes: codes are stored plus 8. */
export function zeroOf(x: usize, k: u32): i32 {
  let s = i32x4.splat(0);
  for (let z = x + zAt(k), end = z + ((panelAt(k) - zAt(k)) & ~15); z < end; z += 16) s = i32x4.add(s, i32x4.extadd_pairwise_i16x8_s(v128.load(z)));
  s = i32x4.add(s, v128.shuffle<i32>(s, s, 2, 3, 0, 1));
  return i32x4.extract_lane(s, 0) + i32x4.extract_lane(s, 1);
}

class Four {
  /** Rows i … i + 3 of those to be done, as far as there are `many`, of one token. */
  @inline
  static done<C extends RowCodes>(op: LinearOp, w: usize, t: u32, x: usize, zero: i32, entries: usize, i: u32, many: u32): void {
    const last = many - 1;
    const bytes = rowBytes(op.k);
    const codes = x + CODES_AT;
    const r0 = rowOf(entries, i);
    const r1 = rowOf(entries, min(i + 1, last));
    const ab = Four.two<C>(rowAt(w, r0, op.k), rowAt(w, r1, op.k), codes, bytes);
    const r2 = rowOf(entries, min(i + 2, last));
    const r3 = rowOf(entries, min(i + 3, last));
    const cd = Four.two<C>(rowAt(w, r2, op.k), rowAt(w, r3, op.k), codes, bytes);
    const sums = i32x4.add(join(ab, cd), i32x4.splat(zero));
    if (!entries && i + 4 <= many) {
      finish4(op, t, r0, f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(sums), v128.load(scaleAt(w, r0, op.k))), v128.load32_splat(x)));
      return;
    }
    some(op, w, t, x, sums, entries, i, min(i + 4, many));
  }

  /** Σ x · code of two rows abreast, which share what is loaded of x, as `halved` leaves them. */
  @inline
  static two<C extends RowCodes>(w: usize, v: usize, x: usize, bytes: usize): v128 {
    const c = changetype<C>(0);
    const low = v128.load(NIBBLE);
    let s = i32x4.splat(0);
    let q = s;
    const end = w + bytes;
    do {
      let a = i32x4.splat(0);
      let b = a;
      let d = a;
      let e = a;
      for (const stop = c.run() < usize.MAX_VALUE ? min(w + c.run(), end) : end; w < stop; w += 16) {
        const m = v128.load(w);
        const n = v128.load(v);
        a = c.plus(a, x, v128.and(m, low));
        d = c.plus(d, x, v128.and(n, low));
        b = c.plus(b, x + 16, v128.and(i16x8.shr_u(m, 4), low));
        e = c.plus(e, x + 16, v128.and(i16x8.shr_u(n, 4), low));
        v += 16;
        x += 32;
      }
      s = i32x4.add(s, i32x4.add(c.total(a), c.total(b)));
      q = i32x4.add(q, i32x4.add(c.total(d), c.total(e)));
    } while (w < end);
    return halved(s, q);
  }
}

/** Rows i … end of those to be done, from their sums. */
function some(op: LinearOp, w: usize, t: u32, x: usize, sums: v128, entries: usize, i: u32, end: u32): void {
  for (; i < end; i++) {
    const row = rowOf(entries, i);
    finish(op, t, row, <f32>i32x4.extract_lane(sums, 0) * load<f32>(scaleAt(w, row, op.k)) * load<f32>(x));
    sums = v128.shuffle<i32>(sums, sums, 1, 2, 3, 0);
  }
}

/** Lanes of vectors a and b, added up by two: a, b, a, b. */
function halved(a: v128, b: v128): v128 {
  return i32x4.add(v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7));
}

/** Lane i: the sum of the lanes of vector i, of two pairs halved. */
function join(ab: v128, cd: v128): v128 {
  return i32x4.add(v128.shuffle<i32>(ab, cd, 0, 1, 4, 5), v128.shuffle<i32>(ab, cd, 2, 3, 6, 7));
}

/** Lane i: the sum of the lanes of vector i. */
export function across(a: v128, b: v128, c: v128, d: v128): v128 {
  return join(halved(a, b), halved(c, d));
}
