// q4s24: 2:4 sparse int4 codes −8…7, one 16-bit scale for 128 weights: 3.25 bits a weight. Places are each row's own (sparse24.ts).
// Groups of 128 k of 16 rows: 16 u16 scales, 16 i16 sums of the group's codes, then for each 8 k
//   16 bytes  places: bytes 4l … 4l + 3 of field q are those of row 4q + l
//   32 bytes  nibbles: byte 4l + j holds row l's code + 8 in its low one and row 4 + l's code in its high one, byte 16 + 4l + j those of rows 8 + l
//             and 12 + l. So a high nibble, where it stands, is a signed byte: 16 times the code
import { chooseScale, scaleFromU16, scaleToU16 } from "./lanes.ts";
import { Q4_DIVISORS } from "./q4g32.ts";
import { fromNibble, sparseScheme, toNibble, WINDOW } from "./sparse24.ts";

const GROUP = 128;
const EACH = GROUP / WINDOW;
const SUMS = 32;
const HEAD = 64;
const BYTES = 48;
const PLACES = 16;
const STRIDE = HEAD + BYTES * EACH;
const groups = (k: number) => Math.ceil(k / GROUP);
const windowAt = (w: number) => STRIDE * Math.floor(w / EACH) + HEAD + BYTES * (w % EACH);
const byteAt = (r: number, w: number, j: number) => windowAt(w) + PLACES + 16 * (r >> 3) + 4 * (r & 3) + j;

export const scheme = sparseScheme({
  name: "q4s24",
  group: GROUP,
  qmin: -8,
  qmax: 7,
  share: 1,
  windows: (k) => groups(k) * EACH,
  blockBytes: (k) => groups(k) * STRIDE,
  places: (r, w) => ({ at: windowAt(w) + 4 * (r & 3), field: r >> 2 }),
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
