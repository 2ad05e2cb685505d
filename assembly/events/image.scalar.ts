// Events of an image against the one before. A unit owns rows of pixels.
import { EventsOp } from "../abi.gen";
import { countAt, entryAt, pairsOf, pass, rowAt } from "../lib/events";
import { pixelBytes } from "../lib/image";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<EventsOp>(p);
  if (!load<u32>(op.rows)) return;
  const dense = !load<u32>(op.list);
  const pixel = pixelBytes(op.channels);
  const pairs = pairsOf(op.channels);
  const end = start(unit + 1, units, op.height);
  if (dense) {
    for (let r = start(unit, units, op.height); r < end; r++) pass(op, r);
    return;
  }
  for (let r = start(unit, units, op.height); r < end; r++) {
    let events: u32 = 0;
    for (let q: u32 = 0; q < op.width; q++) {
      const place = r * op.width + q;
      const x = <usize>op.x + <usize>place * pixel;
      const before = <usize>op.before + <usize>place * pixel;
      const entries = entryAt(op.list, op.height, op.width, op.channels, place);
      let count: u32 = 0;
      for (let pair: u32 = 0; pair < pairs; pair++) {
        const at = (<usize>pair) << 1;
        const lower = <i32>load<i8>(x + at) - <i32>load<i8>(before + at);
        const upper = <i32>load<i8>(x + at, 1) - <i32>load<i8>(before + at, 1);
        if (!(lower | upper)) continue;
        const entry = entries + ((<usize>count) << 3);
        store<u32>(entry, pair);
        store<i16>(entry, <i16>lower, 4);
        store<i16>(entry, <i16>upper, 6);
        count++;
      }
      memory.copy(before, x, pixel);
      store<u32>(countAt(op.list, op.height, place), count);
      events += count;
    }
    store<u32>(rowAt(op.list, r), events);
  }
}
