// Percentile bootstrap intervals (Efron and Tibshirani 1993, ch. 13), seeded: the same samples give the same interval everywhere.
// A statistic is the mean or a quantile of type 7. Paired forms draw the same places from both sides, so what both sides share cancels out.
// Samples are taken to be independent; scores of neighbouring tokens are not: see perplexity.ts, which draws blocks.
import { SkintError } from "../errors.ts";
import { createRandom } from "../num/random.ts";
import { ascending, quantileOfSorted } from "./quantile.ts";

/** "median", "mean", or a quantile as a share in [0, 1]. */
export type Statistic = "median" | "mean" | number;

export interface BootstrapOptions {
  /** Coverage, default 0.95. */
  readonly level?: number;
  /** Resamples, default 2000. */
  readonly resamples?: number;
  /** Default 1. */
  readonly seed?: number;
}

/** A statistic of the samples and the interval its resamples fall into, in the unit of the samples (or a ratio). */
export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Values in the order they were given and the places they take when sorted. */
interface Column {
  readonly values: Float64Array;
  readonly order: Uint32Array;
}

function column(samples: ArrayLike<number>): Column {
  ascending(samples); // refuses what cannot be sorted
  const values = Float64Array.from(samples);
  return { values, order: Uint32Array.from(values.keys()).sort((a, b) => values[a] - values[b] || a - b) };
}

/** The `place`-th smallest (from 0) of a resample in which sample i stands counts[i] times. */
function orderStatistics({ values, order }: Column, counts: Uint32Array, place: number): number {
  const below = Math.floor(place);
  const share = place - below;
  let seen = 0;
  for (let i = 0; i < order.length; i++) {
    seen += counts[order[i]];
    if (seen <= below) continue;
    const low = values[order[i]];
    if (share === 0 || seen > below + 1) return low;
    do i++;
    while (counts[order[i]] === 0);
    return low + share * (values[order[i]] - low);
  }
  throw new RangeError("a resample has fewer samples than its own order statistic");
}

function evaluate(data: Column, counts: Uint32Array, statistic: Statistic): number {
  const n = data.values.length;
  if (statistic !== "mean") return orderStatistics(data, counts, (statistic === "median" ? 0.5 : statistic) * (n - 1));
  let sum = 0;
  for (const i of data.order) sum += counts[i] * data.values[i];
  return sum / n;
}

/**
 * Draws `n` of `n` places with replacement, again and again, and gives the interval that `of` falls into.
 * @param of what is estimated, from how often each place was drawn; the value itself is `of` with every place once
 */
export function bootstrapCounts(n: number, of: (counts: Uint32Array) => number, options: BootstrapOptions = {}): Interval {
  const { level = 0.95, resamples = 2000, seed = 1 } = options;
  if (!(level > 0 && level < 1)) throw new SkintError("usage", `an interval of level ${level} does not exist; give a share between 0 and 1, such as 0.95`);
  if (!Number.isInteger(resamples) || resamples < 1 || resamples > 1_000_000)
    throw new SkintError("usage", `${resamples} resamples cannot be drawn; give a whole number in 1 … 1000000`);
  const random = createRandom(seed);
  const counts = new Uint32Array(n).fill(1);
  const value = of(counts);
  const drawn = new Float64Array(resamples);
  for (let r = 0; r < resamples; r++) {
    counts.fill(0);
    for (let i = 0; i < n; i++) counts[random.below(n)]++;
    drawn[r] = of(counts);
  }
  drawn.sort();
  return { value, low: quantileOfSorted(drawn, (1 - level) / 2), high: quantileOfSorted(drawn, (1 + level) / 2) };
}

function checkStatistic(statistic: Statistic): void {
  if (typeof statistic === "number" && !(statistic >= 0 && statistic <= 1)) throw new SkintError("usage", `the quantile ${statistic} does not exist; give a share between 0 and 1`);
}

/** Interval of a statistic of one set of samples. */
export function bootstrap(samples: ArrayLike<number>, statistic: Statistic, options?: BootstrapOptions): Interval {
  checkStatistic(statistic);
  const data = column(samples);
  return bootstrapCounts(data.values.length, (counts) => evaluate(data, counts, statistic), options);
}

function paired(a: ArrayLike<number>, b: ArrayLike<number>, statistic: Statistic, join: (a: number, b: number) => number, options?: BootstrapOptions): Interval {
  checkStatistic(statistic);
  if (a.length !== b.length) throw new SkintError("usage", `${a.length} samples cannot be paired with ${b.length}; measure both sides in turn, equally often`);
  const left = column(a);
  const right = column(b);
  return bootstrapCounts(a.length, (counts) => join(evaluate(left, counts, statistic), evaluate(right, counts, statistic)), options);
}

/** Interval of statistic(a) - statistic(b); sample i of a belongs to sample i of b. */
export function bootstrapDifference(a: ArrayLike<number>, b: ArrayLike<number>, statistic: Statistic, options?: BootstrapOptions): Interval {
  return paired(a, b, statistic, (x, y) => x - y, options);
}

/** Interval of statistic(a) / statistic(b); sample i of a belongs to sample i of b, and b is positive. */
export function bootstrapRatio(a: ArrayLike<number>, b: ArrayLike<number>, statistic: Statistic, options?: BootstrapOptions): Interval {
  if (!Array.prototype.every.call(b, (v: number) => v > 0)) throw new SkintError("usage", "a ratio needs a positive denominator everywhere; compare by difference instead");
  return paired(a, b, statistic, (x, y) => x / y, options);
}
