// i8tok rows of h = s · u times the scales of w's rows (runtime/ops/hidden). A unit owns whole rows.
import { Maker, makeRows } from "../lib/hidden";
import { absmax, encodeRow, quantise } from "../lib/i8tok.simd";

class Vectors implements Maker {
  gate(s: usize, u: usize, h: usize, n: u32): void {
    const bytes = (<usize>n) << 2;
    let i: usize = 0;
    if (u) for (; i + 16 <= bytes; i += 16) v128.store(h + i, f32x4.mul(v128.load(s + i), v128.load(u + i)));
    else for (; i + 16 <= bytes; i += 16) v128.store(h + i, v128.load(s + i));
    for (; i < bytes; i += 4) store<f32>(h + i, u ? load<f32>(s + i) * load<f32>(u + i) : load<f32>(s + i));
  }
  scale(h: usize, scales: usize, f: usize, n: u32): void {
    const bytes = (<usize>n) << 2;
    let i: usize = 0;
    for (; i + 16 <= bytes; i += 16) v128.store(f + i, f32x4.mul(v128.load(h + i), v128.load(scales + i)));
    for (; i < bytes; i += 4) store<f32>(f + i, load<f32>(h + i) * load<f32>(scales + i));
  }
  encode(x: usize, n: u32, y: usize): void {
    encodeRow(x, n, y, 0, 0);
  }
  encodeSome(x: usize, n: u32, codes: usize): f32 {
    const most = absmax(x, n);
    quantise(x, n, most == 0 ? 0 : 127 / most, codes);
    return most / 127;
  }
}

export function kernel(p: usize, unit: u32, units: u32): void {
  makeRows<Vectors>(p, unit, units);
}
