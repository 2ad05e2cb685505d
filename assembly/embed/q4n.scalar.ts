// y[r] = scale · table[tokens[r]]; table q4n.
import { EmbedOp } from "../abi.gen";
import { embed } from "../lib/embed.scalar";
import { rowAt, scaleAt } from "../lib/q4n";

export function kernel(p: usize, unit: u32, units: u32): void {
  embed(p, unit, units, row);
}

function row(op: EmbedOp, token: u32, y: usize): void {
  const w = rowAt(op.table, token, op.k);
  const by = load<f32>(scaleAt(op.table, token, op.k));
  for (let i: usize = 0; i < op.k; i++) {
    const byte = <i32>load<u8>(w + ((i >> 5) << 4) + (i & 15));
    store<f32>(y + (i << 2), <f32>(((byte >> <i32>((i & 16) >> 2)) & 15) - 8) * by * op.scale);
  }
}
