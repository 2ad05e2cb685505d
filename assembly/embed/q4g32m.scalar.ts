// y[r] = scale · table[tokens[r]]; table q4g32m.
import { EmbedOp } from "../abi.gen";
import { embed } from "../lib/embed.scalar";

const GROUP: usize = 32;
const GROUP_BYTES: usize = 384;

export function kernel(p: usize, unit: u32, units: u32): void {
  embed(p, unit, units, row);
}

function row(op: EmbedOp, token: u32, y: usize): void {
  const lane = (<usize>(token & 15)) << 2;
  let w = <usize>op.table + <usize>(token >> 4) * ((op.k + GROUP - 1) / GROUP) * GROUP_BYTES + lane;
  for (let i: usize = 0; i < op.k; i += GROUP) {
    group(w + 128, min<usize>(GROUP, op.k - i), load<f32>(w), load<f32>(w, 64), op.scale, y + (i << 2));
    w += GROUP_BYTES;
  }
}

/** Nibbles at w, 8 in 4 of each 64 bytes: y[0 … count) = (nibble · d + m) · scale. */
function group(w: usize, count: usize, d: f32, m: f32, scale: f32, y: usize): void {
  for (let i: usize = 0; i < count; i++) {
    const byte = <i32>load<u8>(w + ((i >> 3) << 6) + (i & 3));
    store<f32>(y + (i << 2), (<f32>((byte >> (<i32>i & 4)) & 15) * d + m) * scale);
  }
}
