// K-means over sets against its definition: planted clusters are found, what it returns is a fixed point of Lloyd's turns in plain dense f64, and the bend.
import { describe, expect, test } from "vitest";
import { createRandom } from "../../runtime/num/random.ts";
import { type Clustering, elbow, kMeans } from "../../tools/compress/kmeans.ts";

const N = 60;

/** Sets of `of`'s cluster: ten numbers of its own, of which each set misses two, and two from anywhere. */
function planted(of: readonly number[], seed = 3): Uint32Array[] {
  const random = createRandom(seed);
  return of.map((c) => {
    const set = new Set(Array.from({ length: 10 }, (_, i) => 10 * c + i));
    for (let i = 0; i < 2; i++) set.delete(10 * c + random.below(10));
    for (let i = 0; i < 2; i++) set.add(random.below(N));
    return Uint32Array.from(set);
  });
}

const dense = (set: Uint32Array) => Float64Array.from({ length: N }, (_, i) => Number(set.includes(i)));
const squared = (a: Float64Array, b: Float64Array) => a.reduce((sum, v, i) => sum + (v - b[i]) ** 2, 0);

/** Sum of squares to the means of the clusters, and whether every set is nearest to its own. */
function oracle(sets: readonly Uint32Array[], { of, centroids }: Clustering) {
  const points = sets.map(dense);
  const means = centroids.map((_, c) => {
    const own = points.filter((_, s) => of[s] === c);
    return Float64Array.from({ length: N }, (_, i) => own.reduce((sum, p) => sum + p[i], 0) / own.length);
  });
  const squares = points.reduce((sum, p, s) => sum + squared(p, means[of[s]]), 0);
  const fixed = points.every((p, s) => means.every((m) => squared(p, m) >= squared(p, means[of[s]]) - 1e-9));
  return { means, squares, fixed };
}

/** Are two labellings the same but for names? */
const same = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  new Set(Array.from(a, (v, i) => `${v} ${b[i]}`)).size === Math.max(new Set(Array.from(a)).size, new Set(Array.from(b)).size);

const LABELS = Array.from({ length: 40 }, (_, i) => (i * 7) % 5);

describe("kMeans", () => {
  const sets = planted(LABELS);

  test("finds planted clusters", () => {
    expect(same(kMeans(sets, N, 5, 42).of, LABELS)).toBe(true);
  });

  test.each([1, 2, 3, 5, 8, 20])("of %d: centroids are means, every set is with the nearest, and squares add up", (k) => {
    const found = kMeans(sets, N, k, 42);
    const { means, squares, fixed } = oracle(sets, found);
    expect(found.centroids).toHaveLength(k);
    for (const [c, m] of means.entries()) expect(squared(m, found.centroids[c])).toBeLessThan(1e-20);
    expect(found.squares).toBeCloseTo(squares, 9);
    expect(fixed).toBe(true);
  });

  test("gives the same for the same seed", () => {
    expect(kMeans(sets, N, 7, 9)).toEqual(kMeans(sets, N, 7, 9));
  });

  test("leaves no cluster empty where fewer sets differ than clusters are asked for", () => {
    const [a, b] = [Uint32Array.of(1, 2), Uint32Array.of()];
    const found = kMeans([a, b, a, a, b], N, 4, 1);
    expect(found.centroids).toHaveLength(2);
    expect(same(found.of, [0, 1, 0, 0, 1])).toBe(true);
    expect(found.squares).toBe(0);
  });
});

describe("elbow", () => {
  test("takes as many clusters as were planted", () => {
    expect(elbow(planted(LABELS), N, { least: 2, most: 10, seed: 42 }).centroids).toHaveLength(5);
  });

  test("takes the fewest allowed where there are fewer", () => {
    const two = planted(LABELS.map((l) => l % 2));
    expect(elbow(two, N, { least: 2, most: 10, seed: 42 }).centroids).toHaveLength(2);
    expect(elbow(two, N, { least: 4, most: 10, seed: 42 }).centroids).toHaveLength(4);
  });
});
