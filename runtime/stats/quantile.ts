// Order statistics of samples: quantiles of type 7 (Hyndman and Fan 1996; the default of R and NumPy), median, median absolute deviation.
// Values are any finite numbers in any unit; results are in the same unit. Not for streams: the samples are held and sorted.
import { SkintError } from "../errors.ts";

/** Sorted copy; throws `usage` when there is nothing to sort or a value is not finite. */
export function ascending(values: ArrayLike<number>): Float64Array {
  if (values.length === 0) throw new SkintError("usage", "statistics were asked of no samples at all; measure at least once");
  const sorted = Float64Array.from(values);
  const wrong = sorted.findIndex((v) => !Number.isFinite(v));
  if (wrong >= 0) throw new SkintError("usage", `sample ${wrong} is ${sorted[wrong]}, statistics need finite numbers; leave it out or measure again`);
  return sorted.sort();
}

/** Quantile p in [0, 1] of values that are sorted already: linear between the order statistics around p (n - 1). */
export function quantileOfSorted(sorted: ArrayLike<number>, p: number): number {
  if (!(p >= 0 && p <= 1)) throw new SkintError("usage", `the quantile ${p} does not exist; give a share between 0 and 1`);
  const place = p * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}

export function quantile(values: ArrayLike<number>, p: number): number {
  return quantileOfSorted(ascending(values), p);
}

export function median(values: ArrayLike<number>): number {
  return quantile(values, 0.5);
}

/** Median of |v - median|, not scaled; × 1.4826 it estimates the standard deviation of normal samples. */
export function medianAbsoluteDeviation(values: ArrayLike<number>): number {
  const centre = median(values);
  return median(Float64Array.from(values, (v) => Math.abs(v - centre)));
}

export function mean(values: ArrayLike<number>): number {
  const sorted = ascending(values); // summed in this order the mean does not depend on the order of the samples
  return sorted.reduce((sum, v) => sum + v, 0) / sorted.length;
}
