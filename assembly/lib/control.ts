// Bytes of the fields that kernels of sparse feed-forward layers read and write (runtime/ops/select/control.ts).

export const MODE: usize = 0;
export const LIMIT: usize = 4;
export const EPS: usize = 8;
export const TOPK: usize = 12;
export const WARM: usize = 16;
export const SIGNAL: usize = 20;
export const ALPHA: usize = 24;
export const STEPS: usize = 32;
export const FIRST_ROWS: usize = 36;
export const UP_ROWS: usize = 40;
export const DOWN_ROWS: usize = 44;
export const FALLBACKS: usize = 48;

export const DENSE: u32 = 0;
export const CETT: u32 = 2;
export const BY_RANK: u32 = 3;
export const CORE: u32 = 4;

export const MAGNITUDE: u32 = 2;

/** Adds to a counter. */
export function count(control: usize, field: usize, by: u32): void {
  store<u32>(control + field, load<u32>(control + field) + by);
}
