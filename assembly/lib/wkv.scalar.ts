// Recurrence of RWKV-5.2 for channels [from, to) (runtime/ops/wkv/op.ts).
import { WkvOp } from "../abi.gen";

export function mixChannels(op: WkvOp, rows: u32, from: u32, to: u32): void {
  for (let c = from; c < to; c++) for (let r: u32 = 0; r < rows; r++) mixOne(op, r, c);
}

function mixOne(op: WkvOp, row: u32, channel: u32): void {
  const keys = (<usize>(channel - (channel % op.dh))) << 2;
  const at = (<usize>channel) << 2;
  const value = load<f32>(<usize>op.value + ((<usize>row * op.vs) << 2) + at);
  let receptance = <usize>op.receptance + ((<usize>row * op.rs) << 2) + keys;
  let key = <usize>op.key + ((<usize>row * op.ks) << 2) + keys;
  let decay = <usize>op.decay + keys;
  let bonus = <usize>op.bonus + keys;
  let h = <usize>op.hidden + (((<usize>(channel >> 4) * op.dh) << 6) | ((channel & 15) << 2));
  let sum: f32 = 0;
  for (const end = key + ((<usize>op.dh) << 2); key < end; key += 4) {
    const product = load<f32>(key) * value;
    const old = load<f32>(h);
    sum += load<f32>(receptance) * (old + load<f32>(bonus) * product);
    store<f32>(h, old * load<f32>(decay) + product);
    receptance += 4;
    decay += 4;
    bonus += 4;
    h += 64;
  }
  store<f32>(<usize>op.y + ((<usize>row * op.ys) << 2) + at, sum);
}
