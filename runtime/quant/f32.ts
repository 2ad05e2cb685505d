// f32: the weights as they are, [n/16][k][16 rows] f32: 32 bits a weight.
import { roundup } from "../num/int.ts";
import { copied, fromLanes, toLanes } from "./lanes.ts";
import { BLOCK_ROWS, type Scheme } from "./scheme.ts";

const bytes = (n: number, k: number) => roundup(n, BLOCK_ROWS) * k * 4;

export const scheme: Scheme = {
  name: "f32",
  version: 1,
  act: "f32",
  bytes,
  encode(w, rows, k, out) {
    const lanes = new Float32Array(BLOCK_ROWS * k);
    for (let first = 0; first < rows; first += BLOCK_ROWS) {
      toLanes(w, first, Math.min(BLOCK_ROWS, rows - first), k, lanes);
      out.set(new Uint8Array(lanes.buffer), bytes(first, k));
    }
  },
  decode(packed, rows, k) {
    const w = new Float32Array(rows * k);
    for (let first = 0; first < rows; first += BLOCK_ROWS) {
      const lanes = new Float32Array(copied(packed, bytes(first, k), bytes(first + BLOCK_ROWS, k)));
      fromLanes(lanes, first, Math.min(BLOCK_ROWS, rows - first), k, w);
    }
    return w;
  },
};
