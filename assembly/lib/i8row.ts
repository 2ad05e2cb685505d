// Byte offsets inside one i8tok row of k activations (runtime/act/i8tok.ts is the layout):
// f32 scale at 0, codes at 64, zero-point words at zAt, panel at panelAt.

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
