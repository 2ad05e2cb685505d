// Columns of a f32 [m, n] go into panels c f32 [kp / 8][m][8], kp = n rounded up to 8, columns beyond n zero. A unit is one panel.
import { Task } from "./task";

const WIDTH: u32 = 8;

export function kernel(p: usize, unit: u32, _units: u32): void {
  const t = changetype<Task>(p);
  const first = unit * WIDTH;
  const width = min(WIDTH, t.n - first);
  let from = t.a + ((<usize>first) << 2);
  let to = t.c + ((<usize>unit * <usize>t.m) << 5);
  const step: usize = (<usize>t.lda) << 2;
  for (let row: u32 = 0; row < t.m; row++) {
    if (width == WIDTH) {
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
    } else {
      v128.store(to, f32x4.splat(0));
      v128.store(to, f32x4.splat(0), 16);
      for (let i: u32 = 0; i < width; i++) store<f32>(to + ((<usize>i) << 2), load<f32>(from + ((<usize>i) << 2)));
    }
    from += step;
    to += 32;
  }
}
