// The greatest byte of each window of images of stored bytes. A unit owns rows of outputs.
import { PoolOp } from "../abi.gen";
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
        let most: i32 = -128;
        for (let t: u32 = 0; t < op.kh * op.kw; t++) {
          const v = r * op.stride + t / op.kw - op.pad;
          const u = q * op.stride + (t % op.kw) - op.pad;
          if (v < op.height && u < op.width) most = max<i32>(most, load<i8>(x + (<usize>v * op.width + u) * pixel + c));
        }
        store<i8>(y + c, most);
      }
    }
  }
}
