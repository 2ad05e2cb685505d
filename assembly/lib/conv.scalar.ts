// Causal depthwise convolution of channels [from, to) (runtime/ops/conv1d/op.ts), and the window it leaves behind.
import { Conv1dOp } from "../abi.gen";
import { silu } from "./activation.scalar";

/** Address of row `i` of the inputs, of which the first is the oldest in the window and the last the newest of this step. */
export function inputRow(op: Conv1dOp, i: u32): usize {
  return i < op.taps ? <usize>op.window + ((<usize>i * op.channels) << 2) : <usize>op.x + ((<usize>(i - op.taps) * op.xs) << 2);
}

export function convolve(op: Conv1dOp, rows: u32, from: u32, to: u32): void {
  for (let c = from; c < to; c++) {
    const at = (<usize>c) << 2;
    const w = <usize>op.w + (((<usize>(c >> 4) * op.taps) << 6) | ((c & 15) << 2));
    for (let r: u32 = 0; r < rows; r++) {
      let sum: f32 = op.bias ? load<f32>(<usize>op.bias + at) : 0;
      for (let j: u32 = 0; j < op.taps; j++) sum += load<f32>(w + ((<usize>j) << 6)) * load<f32>(inputRow(op, r + 1 + j) + at);
      store<f32>(<usize>op.y + ((<usize>r * op.ys) << 2) + at, op.silu ? silu(sum) : sum);
    }
  }
}

/** Moves the window on by `rows` inputs. */
export function keepWindow(op: Conv1dOp, rows: u32, from: u32, to: u32): void {
  if (rows == 0) return;
  const at = (<usize>from) << 2;
  const bytes = (<usize>(to - from)) << 2;
  for (let i: u32 = 0; i < op.taps; i++) memory.copy(inputRow(op, i) + at, inputRow(op, rows + i) + at, bytes);
}
