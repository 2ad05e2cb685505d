// What the scalar products share: the 16-bit scale, f16 and the last two additions of `linear`.
import { LinearOp } from "../abi.gen";

/** Weight scale from its 16 bits (runtime/quant/lanes.ts). */
export function scale(at: usize): f32 {
  return reinterpret<f32>(((<u32>load<u16>(at)) << 13) + 0x30000000);
}

/** f16 → f32, subnormals included; there are no infinities in packed weights. */
export function half(at: usize): f32 {
  const h = <u32>load<u16>(at);
  return reinterpret<f32>(((h & 0x8000) << 16) | ((h & 0x7fff) << 13)) * reinterpret<f32>(0x77800000);
}

/** y[token, row] = acc + bias + residual; absent operands are not added (x + 0 would turn −0 into 0). */
export function finish(op: LinearOp, token: u32, row: u32, acc: f32): void {
  if (op.bias) acc += load<f32>(<usize>op.bias + ((<usize>row) << 2));
  if (op.residual) acc += load<f32>(<usize>op.residual + ((<usize>token * op.rs + row) << 2));
  store<f32>(<usize>op.y + ((<usize>token * op.ys + row) << 2), acc);
}
