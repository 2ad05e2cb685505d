// Depthwise convolution of f32 images [rows, height, width, channels]. A unit owns rows of outputs.
import { Dwconv2dOp } from "../abi.gen";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<Dwconv2dOp>(p);
  const total = load<u32>(op.rows) * op.oh;
  const end = start(unit + 1, units, total);
  const taps = op.size * op.size;
  for (let i = start(unit, units, total); i < end; i++) {
    const x = <usize>op.x + ((<usize>(i / op.oh) * op.xs) << 2);
    const r = i % op.oh;
    for (let q: u32 = 0; q < op.ow; q++) {
      const y = <usize>op.y + ((<usize>(i / op.oh) * op.ys + (<usize>r * op.ow + q) * op.channels) << 2);
      for (let c: usize = 0; c < op.channels; c++) {
        let sum = load<f32>(op.bias + (c << 2));
        for (let t: u32 = 0; t < taps; t++) {
          const v = r * op.stride + t / op.size - op.pad;
          const u = q * op.stride + (t % op.size) - op.pad;
          if (v < op.height && u < op.width) sum += load<f32>(op.w + ((<usize>t * op.channels + c) << 2)) * load<f32>(x + (((<usize>v * op.width + u) * op.channels + c) << 2));
        }
        store<f32>(y + (c << 2), op.relu ? max<f32>(sum, 0) : sum);
      }
    }
  }
}
