// Places values in the arena by lifetime: two values share bytes only if no step needs both.
import { roundup } from "../num/int.ts";

export interface Lifetime {
  readonly name: string;
  readonly bytes: number;
  /** First and last step (inclusive) that touches it. */
  readonly from: number;
  readonly to: number;
}

const ALIGN = 64;

/** Greedy by size: each value goes to the lowest offset free over its whole lifetime. */
export function placeArena(values: readonly Lifetime[]): { offsets: Map<string, number>; bytes: number } {
  const placed: (Lifetime & { offset: number })[] = [];
  const offsets = new Map<string, number>();
  let total = 0;
  for (const v of [...values].sort((a, b) => b.bytes - a.bytes || a.from - b.from)) {
    const rivals = placed.filter((p) => p.from <= v.to && v.from <= p.to).sort((a, b) => a.offset - b.offset);
    let offset = 0;
    for (const r of rivals) {
      if (offset + v.bytes <= r.offset) break;
      offset = Math.max(offset, roundup(r.offset + r.bytes, ALIGN));
    }
    placed.push({ ...v, offset });
    offsets.set(v.name, offset);
    total = Math.max(total, offset + v.bytes);
  }
  return { offsets, bytes: roundup(total, ALIGN) };
}
