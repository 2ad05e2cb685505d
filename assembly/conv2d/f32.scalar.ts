// Convolution of f32 images [rows, height, width, channels]. A unit owns rows of outputs.
import { Conv2dOp } from "../abi.gen";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<Conv2dOp>(p);
  const total = load<u32>(op.rows) * op.oh;
  const end = start(unit + 1, units, total);
  for (let i = start(unit, units, total); i < end; i++) {
    const image = <usize>(i / op.oh);
    const r = i % op.oh;
    for (let q: u32 = 0; q < op.ow; q++) {
      const y = <usize>op.y + ((image * op.ys + (<usize>r * op.ow + q) * op.outputs) << 2);
      for (let o: u32 = 0; o < op.outputs; o++) {
        const v = load<f32>(<usize>op.bias + ((<usize>o) << 2)) + sumOf(op, <usize>op.x + ((image * op.xs) << 2), r, q, o);
        store<f32>(y + ((<usize>o) << 2), op.relu ? max<f32>(v, 0) : v);
      }
    }
  }
}

function sumOf(op: Conv2dOp, x: usize, r: u32, q: u32, o: u32): f32 {
  const taps = op.size * op.size;
  let w = <usize>op.w + ((<usize>o * taps * op.channels) << 2);
  let sum: f32 = 0;
  for (let t: u32 = 0; t < taps; t++) {
    const a = r * op.stride + t / op.size - op.pad;
    const b = q * op.stride + (t % op.size) - op.pad;
    const bytes = (<usize>op.channels) << 2;
    if (a < op.height && b < op.width) {
      const at = x + (<usize>a * op.width + b) * bytes;
      for (let c: usize = 0; c < bytes; c += 4) sum += load<f32>(w + c) * load<f32>(at + c);
    }
    w += bytes;
  }
  return sum;
}
