// y[r] = scale · table[tokens[r]]; table q8g32.
import { EmbedOp } from "../abi.gen";
import { bytes, embed } from "../lib/embed.scalar";
import { scale } from "../lib/linear.scalar";

const GROUP: usize = 32;
const GROUP_BYTES: usize = 544;

export function kernel(p: usize, unit: u32, units: u32): void {
  embed(p, unit, units, row);
}

function row(op: EmbedOp, token: u32, y: usize): void {
  const lane = <usize>token & 15;
  let w = <usize>op.table + <usize>(token >> 4) * ((op.k + GROUP - 1) / GROUP) * GROUP_BYTES;
  for (let i: usize = 0; i < op.k; i += GROUP) {
    bytes(w + 32 + (lane << 2), min<usize>(GROUP, op.k - i), scale(w + (lane << 1)), op.scale, y + (i << 2));
    w += GROUP_BYTES;
  }
}
