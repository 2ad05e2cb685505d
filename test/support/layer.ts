// A layer as large language models have them, by seed: inputs whose covariance falls off like 1/i, some channels far greater than the others, and
// Gaussian weights whose rows differ in scale.
import type { Linalg } from "../../tools/compress/linalg/linalg.ts";
import { energy, times } from "../../tools/compress/linalg/product.ts";
import { statisticsOf } from "./calibrated.ts";
import { normal } from "./data.ts";

export interface LayerShape {
  readonly n: number;
  readonly k: number;
  readonly tokens: number;
  readonly held: number;
  /** Factor of the inputs' channel i, given a number drawn from the normal distribution. */
  readonly channel: (i: number, drawn: number) => number;
  /** Factor of the weights' column, given the same number; default 1. */
  readonly column?: (drawn: number) => number;
}

/** Inputs for calibration and others to measure on, weights f32 [n, k], and relative output errors on both. */
export function layerOf(la: Linalg, { n, k, tokens, held, channel, column = () => 1 }: LayerShape) {
  const drawn = normal(k, 1);
  const factors = drawn.map((v, i) => channel(i, v));
  const basis = normal(k * k, 2).map((v, at) => (v * factors[at % k]) / Math.sqrt(k * (1 + Math.floor(at / k))));
  const inputs = (rows: number, seed: number) => la.scope(() => Float32Array.from(la.view(times(la, la.from(normal(rows * k, seed), rows, k), la.from(basis, k, k)))));
  const [x, other] = [inputs(tokens, 3), inputs(held, 4)];
  const rowScales = normal(n, 5).map((v) => Math.exp(0.3 * v));
  const w = normal(n * k, 6).map((v, at) => v * rowScales[Math.floor(at / k)] * column(drawn[at % k]));
  const fitted = statisticsOf(la, x, tokens, k);
  const unseen = statisticsOf(la, other, held, k).gram as Float64Array;
  const errorIn = (gram: Float64Array) => (back: ArrayLike<number>) =>
    la.scope(() => {
      const s = la.from(gram, k, k);
      const lost = la.from(w.map((v, i) => v - back[i]), n, k); // biome-ignore format: one line
      return energy(la, lost, s) / energy(la, la.from(w, n, k), s);
    });
  return { w, inputs: fitted, trained: errorIn(fitted.gram as Float64Array), unseen: errorIn(unseen) };
}
