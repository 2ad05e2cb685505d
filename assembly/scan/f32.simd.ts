// Selective scan of f32 rows [rows, channels]. A unit owns blocks of 16 channels, for all rows; lanes are channels.
// Softplus and gate are made for all rows first (dt becomes δ, y becomes silu(z)). A block that is not whole takes the scalar way.
import { ScanOp } from "../abi.gen";
import { SILU } from "../lib/activation.scalar";
import { activateRow } from "../lib/activation.simd";
import * as V from "../lib/constants";
import { scanChannels } from "../lib/scan.scalar";
import { softplusRow } from "../lib/softplus.simd";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<ScanOp>(p);
  const rows = load<u32>(op.rows);
  const blocks = (op.channels + 15) >> 4;
  const from = start(unit, units, blocks) << 4;
  const to = min<u32>(start(unit + 1, units, blocks) << 4, op.channels);
  if (from >= to) return;
  const at = (<usize>from) << 2;
  for (let r: usize = 0; r < rows; r++) {
    const y = <usize>op.y + ((r * op.ys) << 2) + at;
    softplusRow(<usize>op.dt + ((r * op.dts) << 2) + at, <usize>op.bias + at, y, to - from);
    activateRow(SILU, <usize>op.z + ((r * op.zs) << 2) + at, 0, y, to - from);
  }
  const whole = to & ~15;
  for (let c = from; c < whole; c += 4) for (let r: u32 = 0; r < rows; r++) four(op, r, c);
  scanChannels(op, rows, whole, to);
}

/** Four channels of one row. */
function four(op: ScanOp, row: u32, channel: u32): void {
  const at = (<usize>channel) << 2;
  const place = ((<usize>(channel >> 4) * op.states) << 6) | ((channel & 15) << 2);
  const a = <usize>op.a + place;
  const hidden = <usize>op.hidden + place;
  let b = <usize>op.b + ((<usize>row * op.bs) << 2);
  let c = <usize>op.c + ((<usize>row * op.cs) << 2);
  const x = v128.load(<usize>op.x + ((<usize>row * op.xs) << 2) + at);
  const delta = v128.load(<usize>op.dt + ((<usize>row * op.dts) << 2) + at);
  const rate = f32x4.mul(delta, v128.load(V.V_LOG2E));
  const input = f32x4.mul(delta, x);
  const least = v128.load(V.V_EXP2_LEAST);
  const round = v128.load(V.V_ROUND);
  const one = v128.load(V.F32_ONE);
  const d1 = v128.load(V.V_EXP2_D1);
  const d2 = v128.load(V.V_EXP2_D2);
  const d3 = v128.load(V.V_EXP2_D3);
  const d4 = v128.load(V.V_EXP2_D4);
  const d5 = v128.load(V.V_EXP2_D5);
  let sum = f32x4.splat(0);
  const end = (<usize>op.states) << 6;
  for (let i: usize = 0; i < end; i += 64) {
    const t = f32x4.pmax(f32x4.mul(rate, v128.load(a + i)), least);
    const z = f32x4.add(t, round);
    const r = f32x4.sub(t, f32x4.sub(z, round));
    let p = f32x4.add(f32x4.mul(d5, r), d4);
    p = f32x4.add(f32x4.mul(p, r), d3);
    p = f32x4.add(f32x4.mul(p, r), d2);
    p = f32x4.add(f32x4.mul(p, r), d1);
    p = f32x4.add(f32x4.mul(p, r), one);
    const decay = i32x4.add(p, i32x4.shl(z, 23));
    const h = f32x4.add(f32x4.mul(v128.load(hidden + i), decay), f32x4.mul(input, v128.load32_splat(b)));
    v128.store(hidden + i, h);
    sum = f32x4.add(sum, f32x4.mul(h, v128.load32_splat(c)));
    b += 4;
    c += 4;
  }
  const y = <usize>op.y + ((<usize>row * op.ys) << 2) + at;
  v128.store(y, f32x4.mul(f32x4.add(sum, f32x4.mul(v128.load(<usize>op.d + at), x)), v128.load(y)));
}
