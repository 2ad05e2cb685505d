// Is a run of timings fit for a headline? Finds where the warm-up ends, then looks for drift and spread in what follows.
// Samples are durations in the order they were taken (any unit; larger is slower). Medians and quartiles throughout: one stalled sample in
// a hundred is life, not wandering. For a throughput, give the time per item.
import { ascending, median, medianAbsoluteDeviation, quantile, quantileOfSorted } from "./quantile.ts";

export type Verdict = "steady" | "wandered" | "throttled";

/** What the machine said beside the samples, in the order of time; any length. */
export interface Readings {
  /** Clock of a core, any unit. */
  readonly frequency?: ArrayLike<number>;
  /** Hottest zone, °C. */
  readonly temperature?: ArrayLike<number>;
}

export interface Steadiness {
  readonly verdict: Verdict;
  /** One clause, for people. */
  readonly reason: string;
  /** Leading samples to leave out. */
  readonly warmup: number;
  /** Median of the last third over median of the first third, less 1, after warm-up. */
  readonly drift: number;
  /** Coefficient of variation after warm-up, from the quartiles: (Q3 - Q1) / 1.349 / median, the same as sd / mean for normal samples. */
  readonly cv: number;
}

/** Fewest samples after warm-up that say anything. */
export const MIN_SAMPLES = 6;
/** Drift beyond which a run wandered. */
export const MAX_DRIFT = 0.05;
/** Coefficient of variation beyond which a run wandered. */
export const MAX_CV = 0.15;
/** Loss of clock between first and last third that counts as throttling. */
const MAX_CLOCK_LOSS = 0.05;
/** Samples above the settled level by less than this share are never cut as warm-up. */
const MIN_BAND = 0.05;
/** Samples in a row that must have settled before the run counts as warm. */
const SETTLED = 3;

/**
 * Number of leading samples that belong to the warm-up: the run counts as warm from the first of three samples in a row that lie no further
 * above the median of the second half than three deviations (1.4826 MAD) or 5 %. At most half of the samples.
 */
export function warmupLength(samples: ArrayLike<number>): number {
  const all = Array.from(samples);
  const half = all.length >> 1;
  const settled = all.slice(half);
  if (settled.length === 0) return 0;
  const centre = median(settled);
  const limit = centre + Math.max(3 * 1.4826 * medianAbsoluteDeviation(settled), MIN_BAND * centre);
  for (let i = 0; i < half; i++) if (all.slice(i, i + SETTLED).every((v) => v <= limit)) return i;
  return half;
}

function thirds(values: ArrayLike<number>): [number, number, number] {
  const all = Array.from(values);
  const third = Math.max(1, Math.floor(all.length / 3));
  return [median(all.slice(0, third)), median(all.slice(third, all.length - third)), median(all.slice(-third))];
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

function clockLoss(frequency: ArrayLike<number> | undefined): number {
  if (!frequency || frequency.length < MIN_SAMPLES) return 0;
  const [first, , last] = thirds(frequency);
  return first > 0 ? 1 - last / first : 0;
}

/** Verdict over durations in the order of time; warm-up is found and left out. */
export function judgeSteadiness(samples: ArrayLike<number>, readings: Readings = {}): Steadiness {
  if (samples.length > 0) ascending(samples); // refuses what is not finite
  const warmup = warmupLength(samples);
  const warm = Float64Array.from(samples).slice(warmup);
  if (warm.length < MIN_SAMPLES)
    return { verdict: "wandered", reason: `only ${warm.length} samples after ${warmup} of warm-up, at least ${MIN_SAMPLES} are needed`, warmup, drift: 0, cv: 0 };
  const [first, middle, last] = thirds(warm);
  const drift = first > 0 ? last / first - 1 : 0;
  const sorted = ascending(warm);
  const centre = quantileOfSorted(sorted, 0.5);
  const cv = centre > 0 ? (quantileOfSorted(sorted, 0.75) - quantileOfSorted(sorted, 0.25)) / 1.349 / centre : 0;
  const say = (verdict: Verdict, reason: string): Steadiness => ({ verdict, reason, warmup, drift, cv });

  const lost = clockLoss(readings.frequency);
  if (lost > MAX_CLOCK_LOSS) return say("throttled", `the clock fell by ${percent(lost)} between the first and the last third${heat(readings.temperature)}`);
  if (drift > 2 * MAX_DRIFT && middle > first && last > middle)
    return say("throttled", `it slowed down all the way, by ${percent(drift)} between the first and the last third${heat(readings.temperature)}`);
  if (Math.abs(drift) > MAX_DRIFT) return say("wandered", `it ${drift > 0 ? "slowed down" : "sped up"} by ${percent(Math.abs(drift))} between the first and the last third`);
  if (cv > MAX_CV) return say("wandered", `the coefficient of variation is ${percent(cv)}, above ${percent(MAX_CV)}`);
  return say("steady", `drift ${percent(drift)}, coefficient of variation ${percent(cv)}`);
}

function heat(temperature: ArrayLike<number> | undefined): string {
  return temperature && temperature.length > 0 ? `, up to ${quantile(temperature, 1).toFixed(0)} °C` : "";
}
