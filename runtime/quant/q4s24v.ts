// q4s24v: 2:4 sparse int4 codes −8…7, places that 8 rows share, one 16-bit scale for 128 weights: 2.375 bits a weight.
// Groups of 128 k of 16 rows:
//   64 bytes  16 u16 scales, 16 i16 sums of the group's codes
//   32 bytes  places, 4 for each 16 k: field 2·(window mod 2) is that of rows 0…7, the next one that of rows 8…15
//   512 bytes for each 8 k 32 bytes of nibbles, as in q4s24
import { chooseScale, scaleFromU16, scaleToU16 } from "./lanes.ts";
import { Q4_DIVISORS } from "./q4g32.ts";
import { fromNibble, sparseScheme, toNibble, WINDOW } from "./sparse24.ts";

const GROUP = 128;
const EACH = GROUP / WINDOW;
const SUMS = 32;
const PLACES = 64;
const HEAD = 96;
const BYTES = 32;
const STRIDE = HEAD + BYTES * EACH;
const groups = (k: number) => Math.ceil(k / GROUP);
const groupAt = (w: number) => STRIDE * Math.floor(w / EACH);
const byteAt = (r: number, w: number, j: number) => groupAt(w) + HEAD + BYTES * (w % EACH) + 16 * (r >> 3) + 4 * (r & 3) + j;

export const scheme = sparseScheme({
  name: "q4s24v",
  group: GROUP,
  qmin: -8,
  qmax: 7,
  share: 8,
  windows: (k) => groups(k) * EACH,
  blockBytes: (k) => groups(k) * STRIDE,
  places: (r, w) => ({ at: groupAt(w) + PLACES + 4 * ((w % EACH) >> 1), field: 2 * (w & 1) + (r >> 3) }),
  put: (block, r, w, j, code) => {
    block[byteAt(r, w, j)] |= toNibble(code, r & 4);
  },
  get: (block, r, w, j) => fromNibble(block[byteAt(r, w, j)], r & 4),
  scaleOf: (w) => chooseScale(w, 0, w.length, Q4_DIVISORS, -8, 7),
  putScale(block, r, g, scale, sum) {
    block.setUint16(STRIDE * g + 2 * r, scaleToU16(scale), true);
    block.setInt16(STRIDE * g + SUMS + 2 * r, sum, true);
  },
  getScale: (block, r, g) => scaleFromU16(block.getUint16(STRIDE * g + 2 * r, true)),
});
