// CETT of a feed-forward layer as a function of its threshold (Luo et al. 2024, "Sparsing Law"): neuron i adds the vector h_i w_i to the output; those
// whose norm |h_i| ‖w_i‖ is below eps are dropped; CETT of a token is the norm of what was dropped over the norm of all, and of a layer its mean over
// tokens. One walk over a token's neurons from the least contribution up gives the token's CETT at every threshold.
// Thresholds are the borders of bins 1/128 octave wide, 2^-40 … 2^24; what is below the first falls in the first.

const STEPS = 128;
const LEAST = -40;
const OCTAVES = 64;
export const BINS = STEPS * OCTAVES;
const SHIFT = 16;
const FIRST = (127 + LEAST) * STEPS;

const word = new Float32Array(1);
const bits = new Uint32Array(word.buffer);

/** The bin of a contribution. */
export function binOf(contribution: number): number {
  word[0] = contribution;
  return Math.max(0, Math.min(BINS - 1, (bits[0] >>> SHIFT) - FIRST));
}

/** The threshold that drops bins up to this one and no more: its upper border, an f32. */
export function thresholdOf(bin: number): number {
  bits[0] = (bin + 1 + FIRST) << SHIFT;
  return word[0];
}

/** Keys are a bin and a neuron. */
const NEURONS = 2 ** 24;

export class CettCurve {
  /** Rise of the summed CETT at each bin. */
  private readonly rises = new Float64Array(BINS);
  /** Neurons of all tokens by the bin of their contribution. */
  readonly counts = new Float64Array(BINS);
  /** Tokens that were counted; those whose output is 0 have no CETT. */
  tokens = 0;
  skipped = 0;
  private readonly keys: Float64Array;
  private readonly sum: Float64Array;

  /** @param rows w f32 [neurons, width] @param norms of its rows */
  constructor(
    private readonly rows: Float32Array,
    private readonly norms: Float32Array,
  ) {
    this.keys = new Float64Array(norms.length);
    this.sum = new Float64Array(rows.length / norms.length);
  }

  /** Adds a token's hidden values h f32 [neurons]. Returns its neurons in ascending order of contribution; the next call overwrites them. */
  add(h: Float32Array): Float64Array {
    const { keys, norms, counts } = this;
    for (let i = 0; i < h.length; i++) {
      const bin = binOf(Math.fround(Math.abs(h[i]) * norms[i]));
      counts[bin]++;
      keys[i] = bin * NEURONS + i;
    }
    keys.sort();
    this.walk(h);
    for (let i = 0; i < keys.length; i++) keys[i] %= NEURONS;
    return keys;
  }

  private walk(h: Float32Array): void {
    const { keys, rows, sum, rises } = this;
    const width = sum.length;
    const bins: number[] = [];
    const norms: number[] = [];
    sum.fill(0);
    for (let at = 0; at < keys.length; at++) {
      const i = keys[at] % NEURONS;
      const v = h[i];
      if (v !== 0) for (let c = 0, from = i * width; c < width; c++) sum[c] += v * rows[from + c];
      const bin = Math.floor(keys[at] / NEURONS);
      if (at + 1 < keys.length && Math.floor(keys[at + 1] / NEURONS) === bin) continue;
      let square = 0;
      for (let c = 0; c < width; c++) square += sum[c] * sum[c];
      bins.push(bin);
      norms.push(Math.sqrt(square));
    }
    const whole = norms[norms.length - 1];
    if (!(whole > 0)) {
      this.skipped++;
      return;
    }
    this.tokens++;
    for (const [j, bin] of bins.entries()) rises[bin] += (norms[j] - (j ? norms[j - 1] : 0)) / whole;
  }

  /** Mean CETT where bins up to this one are dropped. */
  cettAt(bin: number): number {
    let sum = 0;
    for (let b = 0; b <= bin; b++) sum += this.rises[b];
    return this.tokens ? sum / this.tokens : 0;
  }

  /** Share of neurons that fall below a threshold. */
  sparsityAt(eps: number): number {
    let [below, all] = [0, 0];
    for (let b = 0; b < BINS; b++) {
      all += this.counts[b];
      if (thresholdOf(b) <= eps) below += this.counts[b];
    }
    return all ? below / all : 0;
  }

  /** The greatest threshold up to which CETT stays within `target`; 0, which drops nothing, where there is none. */
  epsFor(target: number): number {
    let [sum, best] = [0, -1];
    for (let b = 0; b < BINS; b++) {
      sum += this.rises[b];
      if (sum > target * this.tokens) break;
      best = b;
    }
    return best < 0 ? 0 : thresholdOf(best);
  }

  /** The contribution that the share `q` of all neurons of all tokens does not exceed, as a threshold. */
  quantile(q: number): number {
    const wanted = q * this.counts.reduce((a, b) => a + b, 0);
    let [bin, seen] = [0, this.counts[0]];
    while (seen < wanted && bin < BINS - 1) seen += this.counts[++bin];
    return thresholdOf(bin);
  }
}

/** One CETT for all layers. @returns eps of each */
export const thresholdsFor = (curves: readonly CettCurve[], target: number): number[] => curves.map((c) => c.epsFor(target));

const SPLITS = 40;

/** The CETT, one for all layers, at which the mean share of dropped neurons is nearest to `share`. */
export function cettForSparsity(curves: readonly CettCurve[], share: number): number {
  let [low, high] = [0, 1];
  for (let i = 0; i < SPLITS; i++) {
    const middle = (low + high) / 2;
    const mean = curves.reduce((sum, c) => sum + c.sparsityAt(c.epsFor(middle)), 0) / curves.length;
    if (mean < share) low = middle;
    else high = middle;
  }
  return high;
}
