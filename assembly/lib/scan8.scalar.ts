// Selective scan of rows of i8static, channels [from, to) (runtime/ops/scan/op.ts). H is the type of a state: f32 or i8.
// δ stands in the row of dt, where a panel would go.
import { ScanOp } from "../abi.gen";
import { silu } from "./activation.scalar";
import * as C from "./coefficients";
import { CODES_AT, panelAt } from "./i8row";
import { exp2 } from "./scan.scalar";
import { softplusRow } from "./softplus.scalar";

/** Address of δ f32 [channels] of a row. */
export function deltaOf(op: ScanOp, row: u32): usize {
  return <usize>op.dt + <usize>row * op.dts + panelAt(op.channels);
}

export function codeAt(row: usize, i: u32): i32 {
  return <i32>load<i8>(row + CODES_AT + i);
}

function atEnd(code: i32): u32 {
  return code == 127 || code == -127 ? 1 : 0;
}

export function scan8<H>(op: ScanOp, rows: u32, from: u32, to: u32): void {
  for (let c = from; c < to; c++) for (let r: u32 = 0; r < rows; r++) scanOne<H>(op, r, c);
}

function scanOne<H>(op: ScanOp, row: u32, channel: u32): void {
  const x = <usize>op.x + <usize>row * op.xs;
  const dt = <usize>op.dt + <usize>row * op.dts;
  const z = <usize>op.z + <usize>row * op.zs;
  const at = (<usize>channel) << 2;
  const ended = atEnd(codeAt(x, channel)) + atEnd(codeAt(dt, channel)) + atEnd(codeAt(z, channel));
  if (ended) store<u32>(<usize>op.saturations + at, load<u32>(<usize>op.saturations + at) + ended);
  const delta = deltaOf(op, row) + at;
  store<f32>(delta, <f32>codeAt(dt, channel) * load<f32>(dt));
  softplusRow(delta, <usize>op.bias + at, 1);
  const input = <f32>codeAt(x, channel) * load<f32>(x);
  const sum = statesOf<H>(op, row, channel, load<f32>(delta) * C.LOG2E, load<f32>(delta) * input);
  const gate = <f32>codeAt(z, channel) * load<f32>(z);
  store<f32>(<usize>op.y + ((<usize>row * op.ys) << 2) + at, (sum * load<f32>(<usize>op.c + <usize>row * op.cs) + load<f32>(<usize>op.d + at) * input) * silu(gate));
}

/** One step of the states of a channel; Σ of codes of c times states. */
function statesOf<H>(op: ScanOp, row: u32, channel: u32, rate: f32, step: f32): f32 {
  const b = <usize>op.b + <usize>row * op.bs;
  const c = <usize>op.c + <usize>row * op.cs;
  const input = step * load<f32>(b);
  const place = (<usize>(channel >> 4) * op.states * 16) | (channel & 15);
  let a = <usize>op.a + (place << 2);
  let h = <usize>op.hidden + place * sizeof<H>();
  let sum: f32 = 0;
  for (let n: u32 = 0; n < op.states; n++) {
    const decay = exp2(rate * load<f32>(a));
    let before: f32;
    if (isInteger<H>()) before = <f32>(<i32>load<i8>(h)) * (load<f32>(<usize>op.rangehidden + ((<usize>n) << 2)) * C.INV_127);
    else before = load<f32>(h);
    const next = before * decay + input * <f32>codeAt(b, n);
    if (isInteger<H>()) store<i8>(h, <i8>clamped(op, channel, next, load<f32>(<usize>op.rangehidden + ((<usize>n) << 2))));
    else store<f32>(h, next);
    sum += next * <f32>codeAt(c, n);
    a += 64;
    h += 16 * sizeof<H>();
  }
  return sum;
}

/** Code of a state; counts it if it is beyond its range. */
function clamped(op: ScanOp, channel: u32, h: f32, range: f32): i32 {
  const inverse: f32 = range == 0 ? 0 : 127 / range;
  const code = nearest<f32>(h * inverse);
  if (abs<f32>(code) > 127) {
    const count = <usize>op.saturations + ((<usize>op.channels + channel) << 2);
    store<u32>(count, load<u32>(count) + 1);
  }
  return <i32>max<f32>(-127, min<f32>(127, code));
}
