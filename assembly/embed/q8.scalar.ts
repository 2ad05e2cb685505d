// y[r] = scale · table[tokens[r]]; table q8.
import { EmbedOp } from "../abi.gen";
import { bytes, embed } from "../lib/embed.scalar";
import { HEAD } from "../lib/q8.scalar";

export function kernel(p: usize, unit: u32, units: u32): void {
  embed(p, unit, units, row);
}

function row(op: EmbedOp, token: u32, y: usize): void {
  const block = (((<usize>op.k + 31) & ~31) << 4) + HEAD;
  const w = <usize>op.table + <usize>(token >> 4) * block + ((token & 15) << 2);
  bytes(w + HEAD, op.k, load<f32>(w), op.scale, y);
}
