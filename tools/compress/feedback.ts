// The walk that GPTQ and SparseGPT share (Frantar et al. 2023; Frantar and Alistarh 2023): columns are rounded one after the other, and what
// that costs the outputs is made up for by the columns that are not rounded yet. With H = mean of x xᵀ (damped) and U upper triangular,
// UᵀU = H⁻¹: error e = (w − ŵ) / U[j, j] of column j is taken from each later column i as e · U[j, i]. Rows do not depend on each other,
// but for those that share a mask. Scales are chosen at the start of a group, from the weights as they are by then; with `activationOrder` the
// columns of the greatest inputs go first, and scales come from the weights as they were.
import { SkintError } from "../../runtime/errors.ts";
import { roundCodes } from "../../runtime/quant/lanes.ts";
import { hasMinimum, type IntegerScheme, type MinimumScheme, type Scheme } from "../../runtime/quant/scheme.ts";
import type { InputStatistics } from "./calibrate/statistics.ts";
import { inverseUpperFactor } from "./linalg/factor.ts";
import type { Linalg, Matrix } from "./linalg/linalg.ts";
import { part, timesTask } from "./linalg/product.ts";
import type { Calibrated } from "./method.ts";
import { Mask24 } from "./prune.ts";

/** Columns whose errors are gathered before they are taken from all that follow. */
const BLOCK = 32;
/** The damping is multiplied by this while H is not positive definite in f64. */
const DAMPING_STEP = 10;
const MOST_DAMPING = 100;

export interface Factor {
  /** Column that is rounded i-th. */
  readonly order: Uint32Array;
  /** Upper triangular [k, k], rows and columns in that order: UᵀU = H⁻¹. */
  readonly u: Float64Array;
  /** Channels that are always zero: their weights become zero. */
  readonly dead: Uint8Array;
}

/** Factor of the damped mean of x xᵀ; what a channel that is always zero would be divided by is 1. Throws `calibration.text`, `recipe.invalid`. */
export function factorOf(la: Linalg, inputs: InputStatistics, damping: number, activationOrder: boolean): Factor {
  if (!(damping > 0 && damping <= MOST_DAMPING))
    throw new SkintError("recipe.invalid", `the recipe's damping is ${damping}; give a number above 0, at most ${MOST_DAMPING}`, { what: "damping" });
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
export interface Grid {
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

/** How rows are walked. */
export interface Walk {
  readonly damping: number;
  readonly activationOrder: boolean;
  /** Of every 4 columns two become zero, the same in runs of so many rows; absent: none does. Not with `activationOrder`. */
  readonly share?: number;
}

/** Rounds rows w f32 [rows, k], the first of which begins a run of rows that share a mask, and packs them into `out`. */
export function roundWithFeedback({ la, inputs }: Calibrated, scheme: IntegerScheme | MinimumScheme, walk: Walk, w: Float32Array, rows: number, out: Uint8Array): void {
  const { damping, activationOrder } = walk;
  const factor = inputs.share(`feedback ${damping} ${activationOrder}`, () => factorOf(la, inputs, damping, activationOrder));
  const group = scheme.group || inputs.k;
  const grid = gridOf(scheme, rows, inputs.k, Math.ceil(inputs.k / group));
  walkRows(la, factor, grid, { ...walk, group }, w, rows);
  grid.pack(out);
}

/** Rounds rows w f32 [rows, k] to a grid whose scales are chosen for each `group` of columns. */
export function walkRows(la: Linalg, factor: Factor, grid: Grid, walk: Walk & { readonly group: number }, w: Float32Array, rows: number): void {
  const k = factor.order.length;
  la.scope(() => {
    const rounder = new Rounder(la, k, factor, grid, walk, w, rows);
    for (let from = 0; from < k; from += BLOCK) rounder.block(from, Math.min(from + BLOCK, k));
  });
}

/** Rows on their way. Columns are counted in the order of the factor. */
class Rounder {
  private readonly u: Matrix;
  private readonly weights: Matrix;
  private readonly errors: Matrix;
  private readonly group: number;
  private readonly groups: number;
  private readonly mask: Mask24 | undefined;

  constructor(
    private readonly la: Linalg,
    private readonly k: number,
    private readonly factor: Factor,
    private readonly grid: Grid,
    private readonly walk: Walk & { readonly group: number },
    w: Float32Array,
    private readonly rows: number,
  ) {
    const { order, dead } = factor;
    this.group = walk.group;
    this.groups = Math.ceil(k / this.group);
    this.mask = walk.share ? new Mask24(rows, k) : undefined;
    this.u = la.from(factor.u, k, k);
    this.weights = la.matrix(rows, k);
    this.errors = la.matrix(rows, BLOCK);
    const now = la.view(this.weights);
    for (let r = 0; r < rows; r++) for (let i = 0; i < k; i++) now[r * k + i] = dead[order[i]] ? 0 : w[r * k + order[i]];
    if (walk.activationOrder) for (let g = 0; g < this.groups; g++) for (let r = 0; r < rows; r++) this.chooseScale(r, g, w.subarray(r * k));
  }

  /** Rounds columns [from, to) of all rows, then takes what they cost from the columns behind them. */
  block(from: number, to: number): void {
    const { la, k, rows, u, weights, errors } = this;
    const run = this.walk.share ?? 1;
    for (let first = 0; first < rows; first += run) this.runOfRows(first, Math.min(first + run, rows), from, to);
    if (to < k) la.run([timesTask(part(errors, 0, 0, rows, to - from), part(u, from, to, to - from, k - to), part(weights, 0, to, rows, k - to), -1)]);
  }

  private runOfRows(first: number, last: number, from: number, to: number): void {
    const { la, k, group, groups, mask, grid } = this;
    const { order, u } = this.factor;
    const [now, errors] = [la.view(this.weights), la.view(this.errors)];
    const score = (r: number, i: number) => (now[r * k + i] / u[i * k + i]) ** 2;
    for (let i = from; i < to; i++) {
      const g = Math.floor(order[i] / group);
      if (!this.walk.activationOrder && i % group === 0) {
        // What is likely to stay decides the scale; the mask itself is chosen when its columns' turn comes.
        for (let c = i; c < Math.min(i + group, k); c += 4) mask?.choose(first, last, c, score);
        for (let r = first; r < last; r++) this.chooseScale(r, g, now.subarray(r * k, (r + 1) * k));
      }
      if (i % 4 === 0) mask?.choose(first, last, i, score);
      for (let r = first; r < last; r++) {
        const at = r * k + i;
        const kept = mask?.kept(r, i) ?? true;
        const error = (now[at] - (kept ? grid.round(r * groups + g, now[at], r * k + order[i]) : 0)) / u[i * k + i];
        errors[r * BLOCK + i - from] = error;
        for (let j = i + 1; j < to; j++) now[r * k + j] -= error * u[i * k + j];
      }
    }
  }

  private chooseScale(r: number, g: number, row: Float32Array | Float64Array): void {
    const { k, group, groups, mask, grid } = this;
    const from = g * group;
    grid.choose(
      r * groups + g,
      Float32Array.from({ length: Math.min(group, k - from) }, (_, i) => ((mask?.kept(r, from + i) ?? true) ? row[from + i] : 0)),
    );
  }
}
