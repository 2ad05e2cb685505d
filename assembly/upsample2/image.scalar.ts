// Nearest-neighbour upsampling of images by two. A unit owns rows of the input; a pixel is copied whole, 8 bytes at a time.
import { Upsample2Op } from "../abi.gen";
import { pixelBytes } from "../lib/image";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<Upsample2Op>(p);
  const total = load<u32>(op.rows) * op.height;
  const end = start(unit + 1, units, total);
  const pixel = pixelBytes(op.channels);
  for (let i = start(unit, units, total); i < end; i++) {
    const r = <usize>(i % op.height);
    for (let q: usize = 0; q < op.width; q++) {
      const x = <usize>op.x + <usize>(i / op.height) * op.xs + (r * op.width + q) * pixel;
      const y = <usize>op.y + <usize>(i / op.height) * op.ys + 2 * (r * op.ow + q) * pixel;
      const below = y + <usize>op.ow * pixel;
      for (let c: usize = 0; c < pixel; c += 8) {
        const eight = load<u64>(x + c);
        store<u64>(y + c, eight);
        store<u64>(y + pixel + c, eight);
        store<u64>(below + c, eight);
        store<u64>(below + pixel + c, eight);
      }
    }
  }
}
