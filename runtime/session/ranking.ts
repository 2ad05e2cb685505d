// Ids of tokens by falling score, those of equal score by rising id: only as many as are wanted, in time linear in the vocabulary.
// Drops below the greatest score are sorted by the bits of an f32: first by the highest bits into buckets, then, in the buckets that are
// wanted, by all of them (radix sort). Drops that an f32 cannot tell apart are put right at the end.

/** Of the 31 bits of a drop, which is never negative, the highest 11 make a bucket: eight to each power of two. */
const BUCKET_SHIFT = 20;
const BUCKETS = 2 ** (31 - BUCKET_SHIFT);
const DIGIT_BITS = 11;

export interface Ranking {
  /** Takes in the scores, of which `top` is the greatest. */
  load(top: number): void;
  /** Bucket of an id: never higher for a higher score. */
  bucket(id: number): number;
  /** The lowest bucket by which at least n ids are passed. */
  holding(n: number): number;
  /** Puts the ids of buckets 0 … last in order; returns how many they are. `ids` holds them until the next call. */
  rank(last: number): number;
  readonly buckets: number;
  readonly ids: Uint32Array;
}

export function createRanking(scores: Float64Array): Ranking {
  const drops = new Float32Array(scores.length);
  const keys = new Uint32Array(drops.buffer);
  const counts = new Uint32Array(BUCKETS);
  const places = new Uint32Array(2 ** DIGIT_BITS);
  const ids = new Uint32Array(scores.length);
  const other = new Uint32Array(scores.length);

  /** Stable sort of the first n of `from` by the digit at `shift`. */
  function sortBy(shift: number, from: Uint32Array, to: Uint32Array, n: number): void {
    const mask = places.length - 1;
    places.fill(0);
    for (let i = 0; i < n; i++) places[(keys[from[i]] >>> shift) & mask]++;
    for (let d = 0, at = 0; d < places.length; d++) {
      const here = places[d];
      places[d] = at;
      at += here;
    }
    for (let i = 0; i < n; i++) {
      const id = from[i];
      to[places[(keys[id] >>> shift) & mask]++] = id;
    }
  }

  /** Ids of equal keys stand by rising id; their scores may still differ. */
  function mend(n: number): void {
    for (let i = 1; i < n; i++) {
      const id = ids[i];
      let at = i;
      for (; at > 0 && scores[ids[at - 1]] < scores[id]; at--) ids[at] = ids[at - 1];
      ids[at] = id;
    }
  }

  return {
    buckets: BUCKETS,
    ids,
    load(top) {
      counts.fill(0);
      for (let i = 0; i < scores.length; i++) {
        drops[i] = top - scores[i] + 0; // never −0, whose bits are the highest
        counts[keys[i] >>> BUCKET_SHIFT]++;
      }
    },
    bucket: (id) => keys[id] >>> BUCKET_SHIFT,
    holding(n) {
      let b = 0;
      for (let passed = counts[0]; passed < n && b < BUCKETS - 1; passed += counts[b]) b++;
      return b;
    },
    rank(last) {
      let n = 0;
      for (let i = 0; i < scores.length; i++) if (keys[i] >>> BUCKET_SHIFT <= last) other[n++] = i;
      sortBy(0, other, ids, n);
      sortBy(DIGIT_BITS, ids, other, n);
      sortBy(2 * DIGIT_BITS, other, ids, n);
      mend(n);
      return n;
    },
  };
}
