// f16: IEEE binary16, [n/16][k][16 rows] f16: 16 bits a weight. Magnitudes beyond 65504 are stored as 65504: no infinity is ever written,
// and kernels do not decode one.
import { f16ArrayToF32, f32ArrayToF16 } from "../num/half.ts";
import { roundup } from "../num/int.ts";
import { copied, fromLanes, toLanes } from "./lanes.ts";
import { BLOCK_ROWS, type Scheme } from "./scheme.ts";

const MAX = 65504;

const bytes = (n: number, k: number) => roundup(n, BLOCK_ROWS) * k * 2;

export const scheme: Scheme = {
  name: "f16",
  version: 1,
  act: "f32",
  bytes,
  encode(w, rows, k, out) {
    const lanes = new Float32Array(BLOCK_ROWS * k);
    const halves = new Uint16Array(lanes.length);
    for (let first = 0; first < rows; first += BLOCK_ROWS) {
      toLanes(w, first, Math.min(BLOCK_ROWS, rows - first), k, lanes);
      for (let i = 0; i < lanes.length; i++) lanes[i] = Math.max(-MAX, Math.min(MAX, lanes[i]));
      f32ArrayToF16(lanes, halves);
      out.set(new Uint8Array(halves.buffer), bytes(first, k));
    }
  },
  decode(packed, rows, k) {
    const w = new Float32Array(rows * k);
    const lanes = new Float32Array(BLOCK_ROWS * k);
    for (let first = 0; first < rows; first += BLOCK_ROWS) {
      f16ArrayToF32(new Uint16Array(copied(packed, bytes(first, k), bytes(first + BLOCK_ROWS, k))), lanes);
      fromLanes(lanes, first, Math.min(BLOCK_ROWS, rows - first), k, w);
    }
    return w;
  },
};
