// Two images joined, shuffled in two groups and cut. A unit owns rows.
import { ShuffleOp } from "../abi.gen";
import { pixelBytes } from "../lib/image";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<ShuffleOp>(p);
  const total = load<u32>(op.rows) * op.height;
  const end = start(unit + 1, units, total);
  const from = pixelBytes(op.channels);
  const to = pixelBytes(op.count);
  for (let i = start(unit, units, total); i < end; i++) {
    const image = <usize>(i / op.height);
    for (let q: usize = 0; q < op.width; q++) {
      const at = <usize>(i % op.height) * op.width + q;
      const a = <usize>op.a + image * op.sa + at * from;
      const b = <usize>op.b + image * op.sb + at * from;
      const y = <usize>op.y + image * op.ys + at * to;
      for (let c: usize = 0; c < op.count; c++) {
        const joined = <usize>op.from + c;
        store<i8>(y + c, load<i8>((joined & 1 ? b : a) + (joined >> 1)));
      }
      for (let c: usize = op.count; c < to; c++) store<i8>(y + c, -128);
    }
  }
}
