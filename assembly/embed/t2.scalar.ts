// y[r] = scale · table[tokens[r]]; table t2.
import { EmbedOp } from "../abi.gen";
import { embed } from "../lib/embed.scalar";
import { scale } from "../lib/linear.scalar";
import { CODES, code, GROUP, GROUP_BYTES } from "../lib/t2.scalar";

export function kernel(p: usize, unit: u32, units: u32): void {
  embed(p, unit, units, row);
}

function row(op: EmbedOp, token: u32, y: usize): void {
  const lane = <usize>token & 15;
  let w = <usize>op.table + <usize>(token >> 4) * ((op.k + GROUP - 1) / GROUP) * GROUP_BYTES;
  for (let g: usize = 0; g < op.k; g += GROUP) {
    const by = scale(w + (lane << 1));
    for (let i: usize = 0; i < min<usize>(GROUP, op.k - g); i++) store<f32>(y + ((g + i) << 2), <f32>code(w + CODES + (lane << 2), i) * by * op.scale);
    w += GROUP_BYTES;
  }
}
