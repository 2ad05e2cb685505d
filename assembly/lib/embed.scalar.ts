// What the embeddings share: the walk over tokens, and rows of quantised weights as floats.
import { EmbedOp } from "../abi.gen";
import { start } from "./split";

/** Writes row `token` of the table to y, times op.scale. */
type Row = (op: EmbedOp, token: u32, y: usize) => void;

/** A unit owns whole rows of y. A token beyond the table gives NaN, which no later step hides. */
export function embed(p: usize, unit: u32, units: u32, row: Row): void {
  const op = changetype<EmbedOp>(p);
  const rows = load<u32>(op.rows);
  const end = start(unit + 1, units, rows);
  for (let r = start(unit, units, rows); r < end; r++) {
    const token = load<u32>(<usize>op.tokens + ((<usize>r) << 2));
    const y = <usize>op.y + ((<usize>r * op.ys) << 2);
    if (token < op.vocab) row(op, token, y);
    else for (let i: usize = 0; i < op.k; i++) store<f32>(y + (i << 2), NaN);
  }
}

/** int8 codes at w, 4 of each 64 bytes: y[0 … count) = code · by · scale. */
export function bytes(w: usize, count: usize, by: f32, scale: f32, y: usize): void {
  for (let i: usize = 0; i < count; i++) store<f32>(y + (i << 2), <f32>load<i8>(w + ((i >> 2) << 6) + (i & 3)) * by * scale);
}

/** Nibbles at w, 8 in 4 of each 64 bytes: y[0 … count) = (nibble − 8) · by · scale. */
export function nibbles(w: usize, count: usize, by: f32, scale: f32, y: usize): void {
  for (let i: usize = 0; i < count; i++) {
    const byte = <i32>load<u8>(w + ((i >> 3) << 6) + (i & 3));
    store<f32>(y + (i << 2), <f32>(((byte >> (<i32>i & 4)) & 15) - 8) * by * scale);
  }
}
