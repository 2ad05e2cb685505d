// Where things lie in i8 caches [heads, capacity, dh], offsets in bytes; op.ts says it in words, assembly/lib/i8cache.ts to the kernels.
import { roundup } from "../../num/int.ts";

export interface I8Cache {
  readonly bytes: number;
  /** Code of element i at a position, in a cache of keys. */
  key(head: number, position: number, i: number): number;
  /** The same in a cache of values. */
  value(head: number, position: number, i: number): number;
  /** Of the row of a position: f32 absmax / 127, and i32 sum of its codes. */
  scale(head: number, position: number): number;
  sum(head: number, position: number): number;
}

export function i8Cache(heads: number, capacity: number, dh: number): I8Cache {
  const positions = roundup(capacity, 16);
  const dhp = roundup(dh, 16);
  const codes = heads * positions * dhp;
  return {
    bytes: codes + 8 * heads * positions,
    key: (head, p, i) => head * positions * dhp + Math.floor(p / 16) * 16 * dhp + Math.floor(i / 4) * 64 + (p % 16) * 4 + (i % 4),
    value: (head, p, i) => head * positions * dhp + Math.floor(p / 4) * 4 * dhp + 4 * i + (p % 4),
    scale: (head, p) => codes + 4 * (head * positions + p),
    sum: (head, p) => codes + 4 * ((heads + head) * positions + p),
  };
}
