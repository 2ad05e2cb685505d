// Causal depthwise convolution of rows of i8static, channels [from, to) (runtime/ops/conv1d/op.ts), and the window of codes it leaves behind.
import { Conv1dOp } from "../abi.gen";
import { silu } from "./activation.scalar";
import { CODES_AT } from "./i8row";

/** Address of the codes of row `i` of the inputs, of which the first is the oldest in the window and the last the newest of this step. */
export function codesOf(op: Conv1dOp, i: u32): usize {
  return i < op.taps ? <usize>op.window + <usize>i * op.channels : <usize>op.x + <usize>(i - op.taps) * op.xs + CODES_AT;
}

export function convolve8(op: Conv1dOp, rows: u32, from: u32, to: u32): void {
  for (let c: usize = from; c < to; c++) {
    const w = <usize>op.w + ((((c >> 4) * op.taps) << 6) | ((c & 15) << 2));
    for (let r: u32 = 0; r < rows; r++) {
      let sum: f32 = 0;
      for (let j: u32 = 0; j < op.taps; j++) sum += load<f32>(w + ((<usize>j) << 6)) * <f32>(<i32>load<i8>(codesOf(op, r + 1 + j) + c));
      sum *= load<f32>(<usize>op.x + <usize>r * op.xs);
      if (op.bias) sum += load<f32>(<usize>op.bias + (c << 2));
      store<f32>(<usize>op.y + ((<usize>r * op.ys + c) << 2), op.silu ? silu(sum) : sum);
    }
  }
}

/** Moves the window on by `rows` inputs. */
export function keepCodes(op: Conv1dOp, rows: u32, from: u32, to: u32): void {
  if (rows == 0) return;
  for (let i: u32 = 0; i < op.taps; i++) memory.copy(codesOf(op, i) + from, codesOf(op, rows + i) + from, to - from);
}
