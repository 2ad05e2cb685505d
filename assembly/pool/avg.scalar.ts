// The mean of each window of images of stored bytes, by fx16 with one scale. A unit owns rows of outputs.
import { PoolOp } from "../abi.gen";
import { fx16 } from "../lib/fx16.scalar";
import { pixelBytes } from "../lib/image";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<PoolOp>(p);
  const total = load<u32>(op.rows) * op.oh;
  const end = start(unit + 1, units, total);
  const pixel = pixelBytes(op.channels);
  for (let i = start(unit, units, total); i < end; i++) {
    const x = <usize>op.x + <usize>(i / op.oh) * op.xs;
    const r = i % op.oh;
    for (let q: u32 = 0; q < op.ow; q++) {
      const y = <usize>op.y + <usize>(i / op.oh) * op.ys + (<usize>r * op.ow + q) * pixel;
      for (let c: usize = 0; c < pixel; c++) {
        let sum: i32 = 0;
        for (let t: u32 = 0; t < op.kh * op.kw; t++) {
          const at = (<usize>(r * op.stride + t / op.kw - op.pad) * op.width + (q * op.stride + (t % op.kw) - op.pad)) * pixel;
          const inside = r * op.stride + t / op.kw - op.pad < op.height && q * op.stride + (t % op.kw) - op.pad < op.width;
          if (inside) sum += <i32>load<i8>(x + at + c) + 128;
        }
        store<i8>(y + c, fx16(sum, op.scale, 0, op.shift, 1));
      }
    }
  }
}
