// Recurrence of RWKV-5.2 of f32 rows. A unit owns blocks of 16 channels, for all rows; lanes are channels. Heads that are no whole blocks take the
// scalar way.
import { WkvOp } from "../abi.gen";
import { start } from "../lib/split";
import { mixChannels } from "../lib/wkv.scalar";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<WkvOp>(p);
  const rows = load<u32>(op.rows);
  const channels = op.heads * op.dh;
  const blocks = (channels + 15) >> 4;
  const from = start(unit, units, blocks) << 4;
  const to = min<u32>(start(unit + 1, units, blocks) << 4, channels);
  if (op.dh & 15) mixChannels(op, rows, from, to);
  else for (let c = from; c < to; c += 16) for (let r: u32 = 0; r < rows; r++) block(op, r, c);
}

/** 16 channels of one row, all of one head. */
function block(op: WkvOp, row: u32, channel: u32): void {
  const keys = (<usize>(channel - (channel % op.dh))) << 2;
  const at = (<usize>channel) << 2;
  const value = <usize>op.value + ((<usize>row * op.vs) << 2) + at;
  const v0 = v128.load(value);
  const v1 = v128.load(value, 16);
  const v2 = v128.load(value, 32);
  const v3 = v128.load(value, 48);
  let receptance = <usize>op.receptance + ((<usize>row * op.rs) << 2) + keys;
  let key = <usize>op.key + ((<usize>row * op.ks) << 2) + keys;
  let decay = <usize>op.decay + keys;
  let bonus = <usize>op.bonus + keys;
  let h = <usize>op.hidden + ((<usize>(channel >> 4) * op.dh) << 6);
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  for (const end = key + ((<usize>op.dh) << 2); key < end; key += 4) {
    const k = v128.load32_splat(key);
    const r = v128.load32_splat(receptance);
    const u = v128.load32_splat(bonus);
    const w = v128.load32_splat(decay);
    const p0 = f32x4.mul(k, v0);
    const p1 = f32x4.mul(k, v1);
    const p2 = f32x4.mul(k, v2);
    const p3 = f32x4.mul(k, v3);
    const h0 = v128.load(h);
    const h1 = v128.load(h, 16);
    const h2 = v128.load(h, 32);
    const h3 = v128.load(h, 48);
    s0 = f32x4.add(s0, f32x4.mul(r, f32x4.add(h0, f32x4.mul(u, p0))));
    s1 = f32x4.add(s1, f32x4.mul(r, f32x4.add(h1, f32x4.mul(u, p1))));
    s2 = f32x4.add(s2, f32x4.mul(r, f32x4.add(h2, f32x4.mul(u, p2))));
    s3 = f32x4.add(s3, f32x4.mul(r, f32x4.add(h3, f32x4.mul(u, p3))));
    v128.store(h, f32x4.add(f32x4.mul(h0, w), p0));
    v128.store(h, f32x4.add(f32x4.mul(h1, w), p1), 16);
    v128.store(h, f32x4.add(f32x4.mul(h2, w), p2), 32);
    v128.store(h, f32x4.add(f32x4.mul(h3, w), p3), 48);
    receptance += 4;
    decay += 4;
    bonus += 4;
    h += 64;
  }
  const y = <usize>op.y + ((<usize>row * op.ys) << 2) + at;
  v128.store(y, s0);
  v128.store(y, s1, 16);
  v128.store(y, s2, 32);
  v128.store(y, s3, 48);
}
