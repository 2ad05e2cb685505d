// GPTQ (Frantar et al. 2023): columns are rounded one after the other, and what rounding a column costs the outputs is made up for by the
// columns that are not rounded yet. With H = mean of x xᵀ (damped) and U upper triangular, UᵀU = H⁻¹: error e = (w − ŵ) / U[j, j] of column j
// is taken from each later column i as e · U[j, i]. Rows do not depend on each other. Scales are chosen at the start of a group, from the
// weights as they are by then; with `activationOrder` the columns of the greatest inputs go first, and scales come from the weights as they were.
import { SkintError } from "../../../runtime/errors.ts";
import { roundCodes } from "../../../runtime/quant/lanes.ts";
import { hasMinimum, type IntegerScheme, isInteger, type MinimumScheme, type Scheme } from "../../../runtime/quant/scheme.ts";
import type { InputStatistics } from "../calibrate/statistics.ts";
import { inverseUpperFactor } from "../linalg/factor.ts";
import type { Linalg } from "../linalg/linalg.ts";
import { part, timesTask } from "../linalg/product.ts";
import { calibratedOf, type MatrixJob, type Method, packInRuns, type Settings } from "../method.ts";

/** Columns whose errors are gathered before they are taken from all that follow. */
const BLOCK = 32;
/** The damping is multiplied by this while H is not positive definite in f64. */
const DAMPING_STEP = 10;
const MOST_DAMPING = 100;

interface Factor {
  /** Column that is rounded i-th. */
  readonly order: Uint32Array;
  /** Upper triangular [k, k], rows and columns in that order: UᵀU = H⁻¹. */
  readonly u: Float64Array;
  /** Channels that are always zero: their weights become zero. */
  readonly dead: Uint8Array;
}

/** Factor of the damped mean of x xᵀ; what a channel that is always zero would be divided by is 1. Throws `calibration.text`. */
export function factorOf(la: Linalg, inputs: InputStatistics, damping: number, activationOrder: boolean): Factor {
  const { k } = inputs;
  const gram = inputs.gram as Float64Array;
  const diagonal = Float64Array.from({ length: k }, (_, i) => gram[i * k + i]);
  const bad = diagonal.findIndex((v) => !Number.isFinite(v));
  if (bad >= 0) throw new SkintError("session.nan", `the inputs at ${inputs.point} are not finite in channel ${bad}; the weights before it are damaged`, { what: inputs.point });
  const dead = Uint8Array.from(diagonal, (v) => (v === 0 ? 1 : 0));
  const mean = diagonal.reduce((sum, v) => sum + v, 0) / k;
  const order = Uint32Array.from(diagonal.keys());
  if (activationOrder) order.sort((a, b) => diagonal[b] - diagonal[a] || a - b);
  for (let d = damping; d <= MOST_DAMPING; d *= DAMPING_STEP) {
    const h = (i: number, j: number) => gram[order[i] * k + order[j]] + (i === j ? d * mean + dead[order[i]] : 0);
    const u = la.scope(() => {
      const factor = inverseUpperFactor(la, k, h);
      return factor && la.view(factor).slice();
    });
    if (u) return { order, u, dead };
  }
  throw new SkintError(
    "calibration.text",
    `the inputs at ${inputs.point} depend on each other so much that no damping up to ${MOST_DAMPING} helps; calibrate with another, longer text`,
    { what: inputs.point },
  );
}

/** Codes of rows with the numbers they stand for; one for each kind of scheme. `at` is a group's number: row · groups + group. */
interface Grid {
  /** Chooses scale (and minimum) for group `at` from its weights. */
  choose(at: number, weights: Float32Array): void;
  /** Rounds w in group `at`, notes the code of place `place`, returns what the code stands for. */
  round(at: number, w: number, place: number): number;
  pack(out: Uint8Array): void;
}

function integerGrid(scheme: IntegerScheme, rows: number, k: number, groups: number): Grid {
  const codes = new Int8Array(rows * k);
  const scales = new Float32Array(rows * groups);
  const one = new Float64Array(1);
  return {
    choose(at, weights) {
      scales[at] = scheme.scaleOf(weights);
    },
    round(at, w, place) {
      one[0] = w;
      roundCodes(one, 0, 1, scales[at], scheme.qmin, scheme.qmax, codes, place);
      return Math.fround(codes[place] * scales[at]);
    },
    pack: (out) => scheme.pack(codes, scales, rows, k, out),
  };
}

function minimumGrid(scheme: MinimumScheme, rows: number, k: number, groups: number): Grid {
  const codes = new Int8Array(rows * k);
  const scales = new Float32Array(rows * groups);
  const minima = new Float32Array(rows * groups);
  const one = new Float64Array(1);
  return {
    choose(at, weights) {
      const { scale, minimum } = scheme.rangeOf(weights);
      scales[at] = scale;
      minima[at] = minimum;
    },
    round(at, w, place) {
      one[0] = w - minima[at];
      roundCodes(one, 0, 1, scales[at], scheme.qmin, scheme.qmax, codes, place);
      return Math.fround(Math.fround(codes[place] * scales[at]) + minima[at]);
    },
    pack: (out) => scheme.pack(codes, scales, minima, rows, k, out),
  };
}

function gridOf(scheme: Scheme, rows: number, k: number, groups: number): Grid {
  return hasMinimum(scheme) ? minimumGrid(scheme, rows, k, groups) : integerGrid(scheme as IntegerScheme, rows, k, groups);
}

/** Rounds rows w f32 [rows, k] and packs them. */
function roundRows(
  { la, inputs }: { la: Linalg; inputs: InputStatistics },
  scheme: IntegerScheme | MinimumScheme,
  settings: Settings,
  w: Float32Array,
  rows: number,
  out: Uint8Array,
) {
  const { k } = inputs;
  const activationOrder = settings.activationOrder as boolean;
  const factor = inputs.share(`gptq ${settings.damping} ${activationOrder}`, () => factorOf(la, inputs, settings.damping as number, activationOrder));
  const group = scheme.group || k;
  const groups = Math.ceil(k / group);
  const grid = gridOf(scheme, rows, k, groups);
  const width = (g: number) => Math.min(group, k - g * group);
  if (activationOrder) for (let r = 0; r < rows; r++) for (let g = 0; g < groups; g++) grid.choose(r * groups + g, w.subarray(r * k + g * group, r * k + g * group + width(g)));
  la.scope(() => {
    const u = la.from(factor.u, k, k);
    const weights = la.matrix(rows, k);
    const errors = la.matrix(rows, BLOCK);
    const [now, uv, ev] = [la.view(weights), la.view(u), la.view(errors)];
    for (let r = 0; r < rows; r++) for (let i = 0; i < k; i++) now[r * k + i] = factor.dead[factor.order[i]] ? 0 : w[r * k + factor.order[i]];
    const first = new Float32Array(group);
    for (let from = 0; from < k; from += BLOCK) {
      const to = Math.min(from + BLOCK, k);
      for (let r = 0; r < rows; r++)
        for (let i = from; i < to; i++) {
          const column = factor.order[i];
          const g = Math.floor(column / group);
          if (!activationOrder && column % group === 0) {
            const have = first.subarray(0, width(g));
            have.set(now.subarray(r * k + i, r * k + i + have.length));
            grid.choose(r * groups + g, have);
          }
          const at = r * k + i;
          const error = (now[at] - grid.round(r * groups + g, now[at], r * k + column)) / uv[i * k + i];
          ev[r * BLOCK + i - from] = error;
          for (let j = i + 1; j < to; j++) now[r * k + j] -= error * uv[i * k + j];
        }
      if (to < k) la.run([timesTask(part(errors, 0, 0, rows, to - from), part(u, from, to, to - from, k - to), part(weights, 0, to, rows, k - to), -1)]);
    }
  });
  grid.pack(out);
}

export const method: Method = {
  name: "gptq",
  summary: "rounds column by column, later columns make up for the error of earlier ones",
  needs: ["gram"],
  settings: { damping: 0.01, activationOrder: false },
  refuses: (scheme) => (isInteger(scheme) || hasMinimum(scheme) ? undefined : "it has no integer codes that a method may choose"),
  compress: (job: MatrixJob) =>
    packInRuns(job, ({ scheme, settings }, w, _row, rows, out) => roundRows(calibratedOf(job), scheme as IntegerScheme | MinimumScheme, settings, w, rows, out)),
};
