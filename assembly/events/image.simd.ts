// Events of an image against the one before: vectors of 16 channels that are alike are passed at once. A unit owns rows of pixels.
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
    const first = r * op.width;
    let events: u32 = 0;
    for (let q: u32 = 0; q < op.width; q++) {
      const x = <usize>op.x + <usize>(first + q) * pixel;
      const before = <usize>op.before + <usize>(first + q) * pixel;
      const entries = entryAt(op.list, op.height, op.width, op.channels, first + q);
      let entry = entries;
      for (let c: usize = 0; c < pixel; c += 16) {
        const now = v128.load(x + c);
        const then = v128.load(before + c);
        if (!v128.any_true(v128.xor(now, then))) continue;
        v128.store(before + c, now);
        const low = i16x8.sub(i16x8.extend_low_i8x16_s(now), i16x8.extend_low_i8x16_s(then));
        const high = i16x8.sub(i16x8.extend_high_i8x16_s(now), i16x8.extend_high_i8x16_s(then));
        const pair = <u32>(c >> 1);
        entry = Events.append(entry, pair, pairs, low);
        entry = Events.append(entry, pair + 4, pairs, high);
      }
      const count = <u32>((entry - entries) >> 3);
      store<u32>(countAt(op.list, op.height, first + q), count);
      events += count;
    }
    store<u32>(rowAt(op.list, r), events);
  }
}

/** Inlined: a call for every vector costs as much as what it does. */
class Events {
  /** Four pairs, of which those that differ stay; returns where the next event goes. Nothing is written for pairs that the image has not. */
  @inline
  static append(entry: usize, pair: u32, pairs: u32, differences: v128): usize {
    if (pair < pairs) entry = Events.put(entry, pair, i32x4.extract_lane(differences, 0));
    if (pair + 1 < pairs) entry = Events.put(entry, pair + 1, i32x4.extract_lane(differences, 1));
    if (pair + 2 < pairs) entry = Events.put(entry, pair + 2, i32x4.extract_lane(differences, 2));
    if (pair + 3 < pairs) entry = Events.put(entry, pair + 3, i32x4.extract_lane(differences, 3));
    return entry;
  }

  @inline
  private static put(entry: usize, pair: u32, difference: i32): usize {
    if (!difference) return entry;
    store<u32>(entry, pair);
    store<i32>(entry, difference, 4);
    return entry + 8;
  }
}
