// The 12 bytes that Q4_K and Q5_K keep for 8 groups: a scale s and a minimum m of 6 bits each.
//   bytes 0 … 3   bits 0 … 5: s of groups 0 … 3;  bits 6, 7: bits 4, 5 of s of groups 4 … 7
//   bytes 4 … 7   bits 0 … 5: m of groups 0 … 3;  bits 6, 7: bits 4, 5 of m of groups 4 … 7
//   bytes 8 … 11  low nibbles: bits 0 … 3 of s of groups 4 … 7;  high nibbles: of m

/** s of `group`, the 12 bytes being at `at`. */
export function scaleOf(bytes: Uint8Array, at: number, group: number): number {
  return group < 4 ? bytes[at + group] & 63 : (bytes[at + 4 + group] & 15) | ((bytes[at + group - 4] >> 6) << 4);
}

/** m of `group`. */
export function minimumOf(bytes: Uint8Array, at: number, group: number): number {
  return group < 4 ? bytes[at + 4 + group] & 63 : (bytes[at + 4 + group] >> 4) | ((bytes[at + group] >> 6) << 4);
}
