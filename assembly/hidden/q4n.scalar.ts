// i8tok rows of h = s · u times the scales of w's rows (runtime/ops/hidden). A unit owns whole rows.
import { Maker, makeRows } from "../lib/hidden";
import { absmax, encodeRow, quantise } from "../lib/i8tok.scalar";

class Scalars implements Maker {
  gate(s: usize, u: usize, h: usize, n: u32): void {
    for (let i: usize = 0; i < (<usize>n) << 2; i += 4) store<f32>(h + i, u ? load<f32>(s + i) * load<f32>(u + i) : load<f32>(s + i));
  }
  scale(h: usize, scales: usize, f: usize, n: u32): void {
    for (let i: usize = 0; i < (<usize>n) << 2; i += 4) store<f32>(f + i, load<f32>(h + i) * load<f32>(scales + i));
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
  makeRows<Scalars>(p, unit, units);
}
