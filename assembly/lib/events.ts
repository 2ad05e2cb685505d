// Lists of what changed in an image (runtime/image/events.ts).
import { EventsOp } from "../abi.gen";
import { pixelBytes } from "./image";

export function pairsOf(channels: u32): u32 {
  return (channels + 1) >> 1;
}

/** Word of the events in row r. */
export function rowAt(list: usize, r: u32): usize {
  return list + 4 + ((<usize>r) << 2);
}

/** Word of the events in pixel p of an image that is `height` high. */
export function countAt(list: usize, height: u32, p: u32): usize {
  return rowAt(list, height + p);
}

/** First event of pixel p. */
export function entryAt(list: usize, height: u32, width: u32, channels: u32, p: u32): usize {
  return rowAt(list, height + height * width) + ((<usize>p * pairsOf(channels)) << 3);
}

/** Row r of a step that is dense: the image becomes that before, and nothing is listed. */
export function pass(op: EventsOp, r: u32): void {
  const pixel = pixelBytes(op.channels);
  const at = <usize>r * op.width * pixel;
  memory.copy(op.before + at, op.x + at, op.width * pixel);
  memory.fill(countAt(op.list, op.height, r * op.width), 0, (<usize>op.width) << 2);
  store<u32>(rowAt(op.list, r), 0);
}

/** Is the whole image to be computed? */
export function isDense(list: usize, height: u32): bool {
  let total: u32 = 0;
  for (let r: u32 = 0; r < height; r++) total += load<u32>(rowAt(list, r));
  return total >= load<u32>(list);
}

/** Did anything in the window change whose first place is (v, u)? Places beyond the image did not, nor those before it, which are great as u32. */
export function changed(list: usize, height: u32, width: u32, v: u32, u: u32, size: u32): bool {
  for (let i: u32 = 0; i < size; i++) {
    if (v + i >= height) continue;
    for (let j: u32 = 0; j < size; j++) if (u + j < width && load<u32>(countAt(list, height, (v + i) * width + u + j))) return true;
  }
  return false;
}
