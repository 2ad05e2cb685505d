// y[r] = scale · table[tokens[r]]; table f16.
import { EmbedOp } from "../abi.gen";
import { embed } from "../lib/embed.scalar";
import { half } from "../lib/linear.scalar";

export function kernel(p: usize, unit: u32, units: u32): void {
  embed(p, unit, units, row);
}

function row(op: EmbedOp, token: u32, y: usize): void {
  const w = <usize>op.table + ((((<usize>(token >> 4) * op.k) << 4) + (token & 15)) << 1);
  for (let i: usize = 0; i < op.k; i++) store<f32>(y + (i << 2), half(w + (i << 5)) * op.scale);
}
