// As rowsum.simd.ts by the dot product into i32: four rows at a time, whole as they lie in memory, are added to sums in y's own place.
// Codes are stored plus 8, so sums start from −8 · Σx.
import { RowsumOp } from "../abi.gen";
import { NIBBLE } from "./constants";
import { CODES_AT } from "./i8row";
import { DotPairs } from "./pairs.relaxed";
import { blockBytes, entriesOf, isCompact, NEAR, rowAt, rowBytes } from "./q4n";
import { finish, sumRuns, touchPicks } from "./rowsum.simd";
import { start } from "./split";

/** So many rows behind those in hand, what memory is read next is looked at, a line for each run: the prefetcher goes on from there. */
const AHEAD: usize = 8;

/** A unit owns runs of 32 channels (16 bytes of each row), for all tokens; a run that is not whole is done by pairs. */
export function sumQuads(p: usize, unit: u32, units: u32): void {
  const op = changetype<RowsumOp>(p);
  const tokens = load<u32>(op.rows);
  const runs = (op.k + 31) >> 5;
  const first = start(unit, units, runs);
  const end = start(unit + 1, units, runs);
  const whole = max(first, min(end, op.k >> 5));
  for (let t: u32 = 0; t < tokens; t++) {
    if (first < whole) quads(op, t, first, whole);
    sumRuns<DotPairs>(op, t, whole, end);
  }
}

/** y of one token in the runs of channels [first, end), all of them whole. */
function quads(op: RowsumOp, t: u32, first: u32, end: u32): void {
  const compact = isCompact(op.picks);
  const all = <usize>(compact ? op.compact : op.w);
  const picks = entriesOf(op.picks);
  const many = compact || picks ? load<u32>(op.picks) : op.n;
  const x = <usize>op.x + <usize>t * op.xs;
  const codes = x + CODES_AT;
  const y = <usize>op.y + ((<usize>t * op.ys + (first << 5)) << 2);
  const width = (<usize>(end - first)) << 4;
  begin(codes, many, y, width);
  if (picks) {
    const w = all + ((<usize>first) << 4);
    for (let i: u32 = 0; i < many; i += 4) {
      const from = picks + ((<usize>i) << 2);
      if (i % NEAR == 0) touchPicks(all, from, min(NEAR, many - i), first, end);
      // rows beyond the last have activations 0
      const last = <usize>(min(4, many - i) - 1);
      const r = w + load<u32>(from);
      quad(
        r,
        w + load<u32>(from + (min(1, last) << 2)),
        w + load<u32>(from + (min(2, last) << 2)),
        w + load<u32>(from + (last << 2)),
        v128.load32_splat(codes + i),
        y,
        width,
        r,
        0,
      );
    }
  } else {
    const bytes = rowBytes(op.k);
    const stop = all + <usize>((many + 15) >> 4) * blockBytes(op.k);
    const line = width == bytes ? 64 : bytes;
    for (let i: u32 = 0; i < many; i += 4) {
      const r = rowAt(all, i, op.k) + ((<usize>first) << 4);
      const near = r + (AHEAD + 5) * bytes <= stop;
      quad(r, r + bytes, r + 2 * bytes, r + 3 * bytes, v128.load32_splat(codes + i), y, width, near ? r + AHEAD * bytes : r, near ? line : 0);
    }
  }
  finish(op, x, (<usize>first) << 5, y, width << 1);
}

/** Sums of a token that begin with −8 · Σ of its first `many` codes, behind which there are zeros: i32, two for each byte of `width`. */
function begin(codes: usize, many: u32, y: usize, width: usize): void {
  let s = i32x4.splat(0);
  for (const end = codes + many; codes < end; codes += 16) s = i32x4.add(s, i32x4.extadd_pairwise_i16x8_s(i16x8.extadd_pairwise_i8x16_s(v128.load(codes))));
  s = i32x4.add(s, v128.shuffle<i32>(s, s, 2, 3, 0, 1));
  s = i32x4.add(s, v128.shuffle<i32>(s, s, 1, 0, 3, 2));
  s = i32x4.shl(i32x4.neg(s), 3);
  for (const end = y + (width << 3); y < end; y += 64) {
    v128.store(y, s);
    v128.store(y, s, 16);
    v128.store(y, s, 32);
    v128.store(y, s, 48);
  }
}

/** sums + x · codes of 4 rows. A class for what is inlined. */
class Add {
  @inline
  static to(y: usize, x: v128, codes: v128, low: v128): void {
    v128.store(y, i32x4.relaxed_dot_i8x16_i7x16_add_s(x, v128.and(codes, low), v128.load(y)));
    v128.store(y, i32x4.relaxed_dot_i8x16_i7x16_add_s(x, v128.and(i16x8.shr_u(codes, 4), low), v128.load(y, 64)), 64);
  }
}

/** y += x · `width` bytes of 4 rows, whose activations are the bytes of each 32 bits of x; a byte each `line` from `ahead` on is looked at. */
function quad(r0: usize, r1: usize, r2: usize, r3: usize, x: v128, y: usize, width: usize, ahead: usize, line: usize): void {
  const low = v128.load(NIBBLE);
  for (const end = r0 + width; r0 < end; r0 += 16) {
    load<u8>(ahead);
    ahead += line;
    const a = v128.load(r0);
    const b = v128.load(r1);
    const c = v128.load(r2);
    const d = v128.load(r3);
    const ab = v128.shuffle<u8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const cd = v128.shuffle<u8>(c, d, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    Add.to(y, x, v128.shuffle<u16>(ab, cd, 0, 8, 1, 9, 2, 10, 3, 11), low);
    Add.to(y + 16, x, v128.shuffle<u16>(ab, cd, 4, 12, 5, 13, 6, 14, 7, 15), low);
    const ef = v128.shuffle<u8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    const gh = v128.shuffle<u8>(c, d, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    Add.to(y + 32, x, v128.shuffle<u16>(ef, gh, 0, 8, 1, 9, 2, 10, 3, 11), low);
    Add.to(y + 48, x, v128.shuffle<u16>(ef, gh, 4, 12, 5, 13, 6, 14, 7, 15), low);
    r1 += 16;
    r2 += 16;
    r3 += 16;
    y += 128;
  }
}
