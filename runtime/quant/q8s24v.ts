// q8s24v: as q8s24 with places that 8 rows share: 4.125 bits a weight. A block of 16 rows: 16 f32 scales, 16 i32 sums of the row's codes, then
// for each 64 k, of kp = k rounded up to 64:
//   16 bytes  places, 4 for each 16 k: field 2·(window mod 2) is that of rows 0…7, the next one that of rows 8…15
//   512 bytes for each 8 k int8 [16 rows][4]
import { roundup } from "../num/int.ts";
import { absmax } from "./lanes.ts";
import { sparseScheme, WINDOW } from "./sparse24.ts";

const SUMS = 64;
const HEAD = 128;
const PLACES = 16;
const EACH = 64 / WINDOW;
const STRIDE = PLACES + 64 * EACH;
const windows = (k: number) => roundup(k, 64) / WINDOW;
const runAt = (w: number) => HEAD + STRIDE * Math.floor(w / EACH);
const valueAt = (r: number, w: number, j: number) => runAt(w) + PLACES + 64 * (w % EACH) + 4 * r + j;

export const scheme = sparseScheme({
  name: "q8s24v",
  group: 0,
  qmin: -127,
  qmax: 127,
  share: 8,
  windows,
  blockBytes: (k) => runAt(windows(k)),
  places: (r, w) => ({ at: runAt(w) + 4 * ((w % EACH) >> 1), field: 2 * (w & 1) + (r >> 3) }),
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
