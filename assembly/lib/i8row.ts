// Byte offsets inside one row of k activations, i8tok, i8g32 or u7tok (runtime/act is the layout):
// f32 scale at 0, u7tok's i32 zero point at ZERO_AT, codes at 64, zero-point words (and i8g32's scales) at zAt, panel at panelAt.

export const ZERO_AT: usize = 4;

export const CODES_AT: usize = 64;

/** Codes in a row: k rounded up to 128. */
export function padded(k: u32): usize {
  return (<usize>k + 127) & ~127;
}

export function zAt(k: u32): usize {
  return CODES_AT + padded(k);
}

/** Bytes of words that a group of 32 has at zAt: in i8tok; in i8g32, where its f32 scale is at SCALE_AT of them. */
export const TOKEN_WORDS: usize = 4;
export const GROUP_WORDS: usize = 8;
export const SCALE_AT: usize = 4;

export function panelAt(k: u32): usize {
  const kp = padded(k);
  return CODES_AT + kp + (((kp >> 2) + 63) & ~63);
}
