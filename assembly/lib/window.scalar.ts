// 2:4 sparse weights without vectors: the panel `windows`, and products of the 4 weights that a row keeps of a window of 8 k.
// runtime/quant/sparse24.ts says what places and fields are.
import { PLACES_EVEN, WINDOW_ORDER } from "./constants";

/** Bytes of a window in the panel. */
const POSITIONS: usize = 16;

/** Codes [codes, + kp), 8 at a time, as the 16 bytes that kernels gather from. */
export function windows(codes: usize, kp: usize, p: usize): void {
  for (const end = codes + kp; codes < end; codes += 8) {
    for (let i: usize = 0; i < POSITIONS; i++) store<u8>(p + i, load<u8>(codes + load<u8>(WINDOW_ORDER + i)));
    p += POSITIONS;
  }
}

/** Activation j that field `field` of the 4 places at `places` keeps of the codes at x. */
function kept(places: usize, field: u32, j: usize, x: usize): i32 {
  const mask = load<u8>(PLACES_EVEN + ((j + ((field & 1) << 1)) & 3));
  return load<i8>(x + load<u8>(WINDOW_ORDER + ((<usize>load<u8>(places + j) >> ((field >> 1) << 2)) & mask)));
}

/** Σ w · x of a window; 4 int8 at w, codes of x at x. */
export function window8(places: usize, field: u32, w: usize, x: usize): i32 {
  let sum: i32 = 0;
  for (let j: usize = 0; j < 4; j++) sum += <i32>load<i8>(w + j) * kept(places, field, j, x);
  return sum;
}

/** The same of codes −8…7 in 4 bytes: at bit 0 plus 8, at bit 4 as they are. */
export function window4(places: usize, field: u32, w: usize, shift: u32, x: usize): i32 {
  let sum: i32 = 0;
  for (let j: usize = 0; j < 4; j++) sum += ((((<i32>load<u8>(w + j) >> shift) & 15) ^ (shift << 1)) - 8) * kept(places, field, j, x);
  return sum;
}
