// Where things lie in i8 caches [heads, capacity, dh], offsets in bytes; op.ts says it in words, assembly/lib/i8cache.ts to the kernels.
import { roundup } from "../../num/int.ts";

export interface I8Cache {
  readonly bytes: number;
  /** Code of element i at a position, in a cache of keys. */
  key(head: number, position: number, i: number): number;
  /** The same in a cache of values. */
  value(head: number, position: number, i: number): number;
  scale(head: number, position: number): number;
}

export function i8Cache(heads: number, capacity: number, dh: number): I8Cache {
  const positions = roundup(capacity, 16);
  const dhp = roundup(dh, 16);
  const codes = heads * positions * dhp;
  return {
    bytes: codes + 4 * heads * positions,
    key: (head, p, i) => head * positions * dhp + Math.floor(p / 16) * 16 * dhp + Math.floor(i / 2) * 32 + (p % 16) * 2 + (i % 2),
    value: (head, p, i) => head * positions * dhp + Math.floor(p / 2) * 2 * dhp + 2 * i + (p % 2),
    scale: (head, p) => codes + 4 * (head * positions + p),
  };
}
