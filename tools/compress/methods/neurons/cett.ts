// CETT thresholds at a stated cost (Luo et al. 2024, "Sparsing Law", PPL-p % sparsity): one CETT for all layers, whose thresholds make the perplexity of the
// calibration text greater by `ppl` percent. Search by the square of CETT, which the cost is nearly proportional to, within a bracket that shrinks.
import { type CettCurve, thresholdsFor } from "../../../profile/cett.ts";
import type { Calibrator } from "../../calibrator.ts";
import type { Study } from "../../study.ts";

/** Distance from the wanted ratio that is near enough: as a share of what may be lost, and at most. */
const [NEAR, NEAR_AT_MOST] = [0.01, 2e-4];
/** Distance of two CETTs that are one. */
const SAME = 1e-5;
const MOST_GUESSES = 24;
const FIRST = 0.1;
/** The next guess keeps so far away from the ends of the bracket. */
const MARGIN = 0.05;

interface Point {
  readonly cett: number;
  readonly ratio: number;
}

/** Perplexity at a CETT over that with all neurons. Thresholds go by steps, and the text is read once for each set of them. */
function ratios(study: Study, curves: readonly CettCurve[]): (cett: number) => Promise<Point> {
  const known = new Map<string, Promise<number>>();
  const read = (eps: readonly number[]) =>
    study.perplexity((rules) => {
      for (const [i, l] of study.layers.entries()) rules.cett(l.name, eps[i]);
    });
  return async (cett) => {
    const eps = thresholdsFor(curves, cett);
    const sparse = known.get(`${eps}`) ?? read(eps);
    known.set(`${eps}`, sparse);
    return { cett, ratio: (await sparse) / (await study.dense()) };
  };
}

/** Between two points, where a line over CETT² meets the wanted ratio. */
function between(low: Point, high: Point, wanted: number): number {
  const [a, b] = [low.cett ** 2, high.cett ** 2];
  const share = (wanted - low.ratio) / (high.ratio - low.ratio);
  return Math.sqrt(a + Math.min(1 - MARGIN, Math.max(MARGIN, share)) * (b - a));
}

async function search(study: Study, curves: readonly CettCurve[], wanted: number): Promise<Point> {
  let low: Point = { cett: 0, ratio: 1 };
  let high: Point | undefined;
  let best: Point = low;
  let next = FIRST;
  const ratioAt = ratios(study, curves);
  for (let guess = 0; guess < MOST_GUESSES; guess++) {
    const point = await ratioAt(next);
    if (Math.abs(point.ratio - wanted) < Math.abs(best.ratio - wanted)) best = point;
    if (Math.abs(best.ratio - wanted) <= Math.min(NEAR * (wanted - 1), NEAR_AT_MOST)) break;
    if (point.ratio < wanted) low = point;
    else high = point;
    if (low.cett === 1 || (high && high.cett - low.cett < SAME)) break;
    next = high ? between(low, high, wanted) : Math.min(1, 2 * low.cett);
  }
  return best;
}

export const calibrator: Calibrator = {
  name: "cett",
  summary: "contributions below a threshold of each layer, all at one CETT, so that the calibration text costs `ppl` % more",
  settings: { ppl: 1 },
  complaint: ({ ppl }) => (typeof ppl === "number" && ppl > 0 && ppl <= 100 ? undefined : `ppl is ${ppl}, not above 0 and at most 100 percent`),
  async calibrate(study, { ppl }) {
    const curves = await study.curves();
    const { cett, ratio } = await search(study, curves, 1 + (ppl as number) / 100);
    const dense = await study.dense();
    const eps = thresholdsFor(curves, cett);
    return {
      layers: new Map(study.layers.map((l, i) => [l.name, eps[i] > 0 ? { mode: "cett", eps: eps[i] } : { mode: "dense" }])),
      about: {
        ppl,
        cett,
        perplexityDense: dense,
        perplexity: dense * ratio,
        layers: study.layers.map((l, i) => ({ layer: l.name, eps: eps[i], leftOut: curves[i].sparsityAt(eps[i]) })),
      },
    };
  },
};
