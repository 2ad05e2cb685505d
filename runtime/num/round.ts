// Rounding to whole numbers.

/** v rounded to the nearest whole number, halves to the even one (as f32.nearest in WASM). */
export function roundEven(v: number): number {
  const r = Math.round(v);
  return Math.abs(v % 1) === 0.5 && r % 2 !== 0 ? r - 1 : r;
}
