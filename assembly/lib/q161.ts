// Byte offsets in rows of split161 activations (runtime/act/split161.ts) and in blocks of q161 weights (runtime/quant/q161.ts).

/** Of a row: scales of the binary and of the salient columns, sums of their codes, codes of the salient ones. */
export const BINARY_SCALE: usize = 0;
export const SALIENT_SCALE: usize = 4;
export const BINARY_SUM: usize = 8;
export const SALIENT_SUM: usize = 12;
export const SALIENT_AT: usize = 64;

export function salient(k: u32): usize {
  return (<usize>(k / 40)) << 3;
}

/** The other columns, padded. */
export function binary(k: u32): usize {
  return (<usize>k - salient(k) + 31) & ~31;
}

export function binaryAt(k: u32): usize {
  return SALIENT_AT + ((salient(k) + 63) & ~63);
}

export function splitZAt(k: u32): usize {
  return binaryAt(k) + ((binary(k) + 63) & ~63);
}

/** The i16 of the salient columns; those of the others follow. */
export function splitPanelAt(k: u32): usize {
  return splitZAt(k) + (((((salient(k) + 63) >> 6) << 2) + 63) & ~63);
}

/** Of a block: p, q, s f16 [16], zero u8 [16], then runs of at most RUN_BYTES of signs and as many of codes. */
export const P_AT: usize = 0;
export const Q_AT: usize = 32;
export const S_AT: usize = 64;
export const ZERO_AT: usize = 96;
export const RUNS_AT: usize = 112;
/** 8 groups of 16 rows of 4 bytes: 256 signs a row, or 64 codes. */
export const RUN_BYTES: usize = 512;
export const GROUP_BYTES: usize = 64;

/** Bytes of all signs of a block. */
export function signBytes(k: u32): usize {
  return binary(k) << 1;
}

/** Bytes of all codes of a block. */
export function codeBytes(k: u32): usize {
  return salient(k) << 3;
}

export function blockBytes(k: u32): usize {
  return RUNS_AT + signBytes(k) + codeBytes(k);
}
