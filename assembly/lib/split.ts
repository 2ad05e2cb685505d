// How work is cut: unit i of n owns the half-open range [start(i, n, total), start(i + 1, n, total)) of total things.

export function start(unit: u32, units: u32, total: u32): u32 {
  return <u32>((<u64>total * unit) / units);
}
