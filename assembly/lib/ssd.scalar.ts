// Selective scan of Mamba-2 for rows [first, rows) of channels [from, to), one token after the other (runtime/ops/ssd/op.ts).
import { SsdOp } from "../abi.gen";
import { exp } from "./math.scalar";
import { Softplus } from "./softplus.scalar";

/** What the channels of a head share in a row. */
export class Head {
  /** δ. */
  @inline
  static delta(op: SsdOp, row: u32, head: u32): f32 {
    const at = (<usize>head) << 2;
    const delta = Softplus.of(load<f32>(<usize>op.dt + ((<usize>row * op.dts) << 2) + at) + load<f32>(<usize>op.bias + at));
    const free = delta < op.least ? op.least : delta;
    return op.most > 0 && free > op.most ? op.most : free;
  }

  /** e^(δ · a). */
  @inline
  static decay(op: SsdOp, delta: f32, head: u32): f32 {
    return exp(delta * load<f32>(<usize>op.a + ((<usize>head) << 2)));
  }

  /** Offset of its b and c in their rows, in bytes. */
  @inline
  static groupAt(op: SsdOp, head: u32): usize {
    return (<usize>(head / (op.heads / op.groups)) * op.states) << 2;
  }
}

export function scanChannels(op: SsdOp, first: u32, rows: u32, from: u32, to: u32): void {
  for (let c = from; c < to; c++) for (let r = first; r < rows; r++) scanOne(op, r, c);
}

function scanOne(op: SsdOp, row: u32, channel: u32): void {
  const head = channel / op.dh;
  const delta = Head.delta(op, row, head);
  const decay = Head.decay(op, delta, head);
  const at = (<usize>channel) << 2;
  const x = load<f32>(<usize>op.x + ((<usize>row * op.xs) << 2) + at);
  const input = delta * x;
  let b = <usize>op.b + ((<usize>row * op.bs) << 2) + Head.groupAt(op, head);
  let c = <usize>op.c + ((<usize>row * op.cs) << 2) + Head.groupAt(op, head);
  let h = <usize>op.hidden + (((<usize>(channel >> 4) * op.states) << 6) | ((channel & 15) << 2));
  let sum: f32 = 0;
  for (const end = b + ((<usize>op.states) << 2); b < end; b += 4) {
    const next = load<f32>(h) * decay + input * load<f32>(b);
    store<f32>(h, next);
    sum += next * load<f32>(c);
    h += 64;
    c += 4;
  }
  store<f32>(<usize>op.y + ((<usize>row * op.ys) << 2) + at, sum + load<f32>(<usize>op.d + ((<usize>head) << 2)) * x);
}
