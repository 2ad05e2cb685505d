// Byte offsets inside one row of k activations, i8tok or u7tok (runtime/act is the layout):
// f32 scale at 0, u7tok's i32 zero point at ZERO_AT, codes at 64, i8tok's zero-point words at zAt, panel at panelAt.

export const ZERO_AT: usize = 4;

export const CODES_AT: usize = 64;

/** Codes in a row: k rounded up to 128. */
export function padded(k: u32): usize {
  return (<usize>k + 127) & ~127;
}

export function zAt(k: u32): usize {
  return CODES_AT + padded(k);
}

export function panelAt(k: u32): usize {
  const kp = padded(k);
  return CODES_AT + kp + (((kp >> 3) + 63) & ~63);
}
