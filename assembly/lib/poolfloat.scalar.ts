// Pooling of f32 images [rows, height, width, channels]: the greatest or the mean of what lies inside. A unit owns rows of outputs.
import { PoolOp } from "../abi.gen";
import { start } from "./split";

export function pool(op: PoolOp, unit: u32, units: u32, greatest: bool): void {
  const total = load<u32>(op.rows) * op.oh;
  const end = start(unit + 1, units, total);
  for (let i = start(unit, units, total); i < end; i++) {
    const x = <usize>op.x + ((<usize>(i / op.oh) * op.xs) << 2);
    const r = i % op.oh;
    for (let q: u32 = 0; q < op.ow; q++) {
      const y = <usize>op.y + ((<usize>(i / op.oh) * op.ys + (<usize>r * op.ow + q) * op.channels) << 2);
      for (let c: usize = 0; c < op.channels; c++) {
        let most: f32 = -Infinity;
        let sum: f32 = 0;
        let inside: f32 = 0;
        for (let t: u32 = 0; t < op.kh * op.kw; t++) {
          const v = r * op.stride + t / op.kw - op.pad;
          const u = q * op.stride + (t % op.kw) - op.pad;
          if (v >= op.height || u >= op.width) continue;
          const e = load<f32>(x + (((<usize>v * op.width + u) * op.channels + c) << 2));
          most = max<f32>(most, e);
          sum += e;
          inside++;
        }
        store<f32>(y + (c << 2), greatest ? most : sum / inside);
      }
    }
  }
}
