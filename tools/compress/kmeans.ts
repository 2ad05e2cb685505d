// K-means over sets of numbers, as multi-hot vectors e ∈ {0, 1}ⁿ: Lloyd's turns from a start by k-means++ (Arthur and Vassilvitskii 2007), the best of some
// starts; and how many clusters there are by the sharpest bend of the sum of squares. f64 in one order: one seed gives one answer everywhere.
import { createRandom, type Random } from "../../runtime/num/random.ts";

export interface Clustering {
  /** Number of each set's cluster. */
  readonly of: Uint32Array;
  /** [k] of f64 [n]: share of the cluster's sets that have it. None is empty; fewer than asked for where fewer sets differ. */
  readonly centroids: readonly Float64Array[];
  /** Sum over sets of ‖e − centroid‖². */
  readonly squares: number;
}

/** As scikit-learn's KMeans has them, but for 10 starts of which a few do. */
const [STARTS, MOST_TURNS] = [8, 300];

/** ‖e − c‖² = |S| − 2 Σ_{i ∈ S} c_i + ‖c‖². */
function distance(set: Uint32Array, centroid: Float64Array, norm: number): number {
  let within = 0;
  for (const i of set) within += centroid[i];
  return Math.max(0, set.length - 2 * within + norm);
}

const normOf = (c: Float64Array) => c.reduce((sum, v) => sum + v * v, 0);

function meanOf(sets: readonly Uint32Array[], n: number): Float64Array {
  const sum = new Float64Array(n);
  for (const set of sets) for (const i of set) sum[i]++;
  return sum.map((v) => v / sets.length);
}

/** The nearest centroid of every set, the first of equals, and how far it is. */
function assign(sets: readonly Uint32Array[], centroids: readonly Float64Array[]): { of: Uint32Array; far: Float64Array } {
  const norms = centroids.map(normOf);
  const of = new Uint32Array(sets.length);
  const far = new Float64Array(sets.length).fill(Number.POSITIVE_INFINITY);
  for (const [s, set] of sets.entries())
    for (const [c, centroid] of centroids.entries()) {
      const d = distance(set, centroid, norms[c]);
      if (d < far[s]) [of[s], far[s]] = [c, d];
    }
  return { of, far };
}

/** Some of the sets as centroids, each drawn by its squared distance from those before it. Fewer than k if all others lie on these. */
function start(sets: readonly Uint32Array[], n: number, k: number, random: Random): Float64Array[] {
  const centroids = [meanOf([sets[random.below(sets.length)]], n)];
  while (centroids.length < k) {
    const { far } = assign(sets, centroids);
    let left = random.f64() * far.reduce((a, b) => a + b, 0);
    const drawn = far.findIndex((d) => {
      left -= d;
      return d > 0 && left <= 0;
    });
    const next = drawn >= 0 ? drawn : far.findLastIndex((d) => d > 0);
    if (next < 0) break;
    centroids.push(meanOf([sets[next]], n));
  }
  return centroids;
}

/** Centroids of the sets that belong to each; one that is left without takes the set that is farthest from its own. */
function moved(sets: readonly Uint32Array[], n: number, k: number, { of, far }: { of: Uint32Array; far: Float64Array }): Float64Array[] {
  const free = far.slice();
  return Array.from({ length: k }, (_, c) => {
    const own = sets.filter((_, s) => of[s] === c);
    if (own.length) return meanOf(own, n);
    const farthest = free.reduce((best, d, s) => (d > free[best] ? s : best), 0);
    free[farthest] = 0;
    return meanOf([sets[farthest]], n);
  });
}

function once(sets: readonly Uint32Array[], n: number, k: number, random: Random): Clustering {
  let centroids = start(sets, n, k, random);
  let found = assign(sets, centroids);
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    centroids = moved(sets, n, centroids.length, found);
    const next = assign(sets, centroids);
    const settled = next.of.every((c, s) => c === found.of[s]);
    found = next;
    if (settled) break;
  }
  return { ...inUse(centroids, found.of), squares: found.far.reduce((a, b) => a + b, 0) };
}

/** Without the clusters that no set belongs to. */
function inUse(centroids: readonly Float64Array[], of: Uint32Array): Pick<Clustering, "of" | "centroids"> {
  const used = [...centroids.keys()].filter((c) => of.includes(c));
  return { of: of.map((c) => used.indexOf(c)), centroids: used.map((c) => centroids[c]) };
}

/** At most k clusters of sets of numbers below n, each without repetition; the least sum of squares of some starts, the first of equals. */
export function kMeans(sets: readonly Uint32Array[], n: number, k: number, seed: number): Clustering {
  const random = createRandom(seed);
  let best = once(sets, n, k, random);
  for (let i = 1; i < STARTS; i++) {
    const other = once(sets, n, k, random);
    if (other.squares < best.squares) best = other;
  }
  return best;
}

/**
 * As many clusters as where the sum of squares W bends most, W(k−1) − 2 W(k) + W(k+1) for k from 1 to `most` (specs/coreinfer.md §5), but `least` at the fewest.
 * `most` is at least `least`.
 */
export function elbow(sets: readonly Uint32Array[], n: number, { least, most, seed }: { readonly least: number; readonly most: number; readonly seed: number }): Clustering {
  const tried = Array.from({ length: most }, (_, i) => kMeans(sets, n, i + 1, seed));
  const bend = (i: number) => tried[i - 1].squares - 2 * tried[i].squares + tried[i + 1].squares;
  let best = 1;
  for (let i = 2; i < most - 1; i++) if (bend(i) > bend(best)) best = i;
  return tried[Math.max(least - 1, best)];
}
