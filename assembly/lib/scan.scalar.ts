// Selective scan of channels [from, to) (runtime/ops/scan/op.ts) behind softplus and gate: dt is δ, y is silu(z).
import { ScanOp } from "../abi.gen";
import * as C from "./coefficients";

/** States of one channel lie 16 floats apart. */
const STEP: usize = 64;

export function scanChannels(op: ScanOp, rows: u32, from: u32, to: u32): void {
  for (let c = from; c < to; c++) for (let r: u32 = 0; r < rows; r++) scanOne(op, r, c);
}

function scanOne(op: ScanOp, row: u32, channel: u32): void {
  const at = (<usize>channel) << 2;
  const place = ((<usize>(channel >> 4) * op.states) << 6) | ((channel & 15) << 2);
  const delta = load<f32>(<usize>op.dt + ((<usize>row * op.dts) << 2) + at);
  const x = load<f32>(<usize>op.x + ((<usize>row * op.xs) << 2) + at);
  const rate = delta * C.LOG2E;
  const input = delta * x;
  let a = <usize>op.a + place;
  let h = <usize>op.hidden + place;
  let b = <usize>op.b + ((<usize>row * op.bs) << 2);
  let c = <usize>op.c + ((<usize>row * op.cs) << 2);
  let sum: f32 = 0;
  for (const end = b + ((<usize>op.states) << 2); b < end; b += 4) {
    const next = load<f32>(h) * exp2(rate * load<f32>(a)) + input * load<f32>(b);
    store<f32>(h, next);
    sum += next * load<f32>(c);
    a += STEP;
    h += STEP;
    c += 4;
  }
  const y = <usize>op.y + ((<usize>row * op.ys) << 2) + at;
  store<f32>(y, (sum + load<f32>(<usize>op.d + at) * x) * load<f32>(y));
}

/** 2^t for t ≤ 0, relative error below 2e-7; 2^−125 below that. */
export function exp2(t: f32): f32 {
  const v = t < C.EXP2_LEAST ? C.EXP2_LEAST : t;
  const z = v + C.ROUND;
  const r = v - (z - C.ROUND);
  let p = C.EXP2_D5 * r + C.EXP2_D4;
  p = p * r + C.EXP2_D3;
  p = p * r + C.EXP2_D2;
  p = p * r + C.EXP2_D1;
  p = p * r + 1;
  return reinterpret<f32>(reinterpret<i32>(p) + (reinterpret<i32>(z) << 23));
}
