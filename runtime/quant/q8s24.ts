// q8s24: 2:4 sparse int8 codes −127…127, one f32 scale (absmax / 127) a row: 5 bits a weight. Places are each row's own (sparse24.ts).
// A block of 16 rows: 16 f32 scales, 16 i32 sums of the row's codes, then for each 8 k, of kp = k rounded up to 32:
//   16 bytes  places: bytes 4l … 4l + 3 of field q are those of row 4q + l
//   64 bytes  int8 [16 rows][4]
import { roundup } from "../num/int.ts";
import { absmax } from "./lanes.ts";
import { sparseScheme, WINDOW } from "./sparse24.ts";

const SUMS = 64;
const HEAD = 128;
const BYTES = 80;
const PLACES = 16;
const windows = (k: number) => roundup(k, 32) / WINDOW;
const valueAt = (r: number, w: number, j: number) => HEAD + BYTES * w + PLACES + 4 * r + j;

export const scheme = sparseScheme({
  name: "q8s24",
  group: 0,
  qmin: -127,
  qmax: 127,
  share: 1,
  windows,
  blockBytes: (k) => HEAD + BYTES * windows(k),
  places: (r, w) => ({ at: HEAD + BYTES * w + 4 * (r & 3), field: r >> 2 }),
  put: (block, r, w, j, code) => {
    block[valueAt(r, w, j)] = code;
  },
  get: (block, r, w, j) => (block[valueAt(r, w, j)] << 24) >> 24,
  scaleOf: (w) => Math.fround(absmax(w, 0, w.length) / 127),
  putScale(block, r, _g, scale, sum) {
    block.setFloat32(4 * r, scale, true);
    block.setInt32(SUMS + 4 * r, sum, true);
  },
  getScale: (block, r) => block.getFloat32(4 * r, true),
});
