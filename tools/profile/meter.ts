// Counts of one feed-forward layer over a text: which neurons fire (h ≠ 0) and how often, how many a token has, how much the greatest of them add (Li
// et al. 2022, "The Lazy Neuron Phenomenon"), and how long cores last.
import { BETA, overlap } from "../../runtime/cores/rank.ts";
import { BINS, CettCurve, thresholdOf } from "./cett.ts";
import { CoreCounter } from "./cores.ts";

/** Shares of neurons whose part of a token's contributions is told. */
export const TOP_SHARES = [0.01, 0.05, 0.1, 0.2, 0.5] as const;
/** CETT at which sparsity is told. */
export const CETT_LEVELS = [0.01, 0.05, 0.1, 0.2] as const;
/** Tokens of a core that is compared with the one STRIDE tokens later. */
export const CORE_LENGTHS = [16, 32, 64, 128, 256] as const;
export const STRIDE = 64;

/** Shares of tokens in which a neuron fires, for the counts of rare and common ones. */
const RARE = [0.01, 0.1] as const;
const COMMON = 0.5;

export interface LayerProfile {
  readonly layer: string;
  readonly neurons: number;
  readonly activation: string;
  readonly gated: boolean;
  readonly tokens: number;
  /** Shares of a token's neurons that are not 0: mean, and quantiles over tokens. */
  readonly active: { readonly mean: number; readonly median: number; readonly p95: number; readonly p99: number; readonly most: number };
  /** Neurons that are not 0, of a token: tokens by share of neurons, 32 bins. */
  readonly activeHistogram: readonly number[];
  /** Neurons by the share of tokens in which they are not 0: never, always, and in less or more than so many. */
  readonly firing: { readonly dead: number; readonly always: number; readonly below1: number; readonly below10: number; readonly above50: number; readonly gini: number };
  /** Of each neuron, the share of tokens in which it is not 0. */
  readonly rates: readonly number[];
  /** Neurons that never fired. */
  readonly dead: readonly number[];
  /** Neurons of all tokens by log2 of the contribution |h_i| ‖w_i‖, from `from` in steps of 1; those of 0 apart. */
  readonly contributions: { readonly from: number; readonly counts: readonly number[]; readonly zero: number };
  /** CETT → share of neurons below its threshold, and the threshold. */
  readonly cett: readonly { readonly cett: number; readonly sparsity: number; readonly eps: number }[];
  /** Share of neurons, the greatest of each token → share of its summed contributions. */
  readonly top: readonly { readonly share: number; readonly of: number }[];
  readonly cores: {
    /** Overlap of the cores of neighbouring tokens, of neighbouring runs of STRIDE tokens, and by length of a text with STRIDE tokens more. */
    readonly tokens: number | null;
    readonly runs: number | null;
    readonly growth: readonly { readonly tokens: number; readonly overlap: number }[];
  };
}

class Mean {
  private sum = 0;
  private count = 0;

  add(v: number): void {
    this.sum += v;
    this.count++;
  }

  get value(): number | null {
    return this.count ? this.sum / this.count : null;
  }
}

/** Cores along each window. */
class CoreWatch {
  private text: CoreCounter;
  private run: CoreCounter;
  private lastToken: Uint32Array | undefined;
  private lastRun: Uint32Array | undefined;
  private readonly kept = new Map<number, Uint32Array>();
  private readonly tokens = new Mean();
  private readonly runs = new Mean();
  private readonly growth = new Map<number, Mean>(CORE_LENGTHS.map((m) => [m, new Mean()]));

  constructor(private readonly neurons: number) {
    this.text = new CoreCounter(neurons);
    this.run = new CoreCounter(neurons);
  }

  begin(): void {
    this.text = new CoreCounter(this.neurons);
    this.run = new CoreCounter(this.neurons);
    this.lastToken = this.lastRun = undefined;
    this.kept.clear();
  }

  add(h: Float32Array): void {
    const core = this.text.add(h);
    this.run.add(h);
    if (this.lastToken?.length && core.length) this.tokens.add(overlap(this.lastToken, core));
    this.lastToken = core;
    if (this.run.tokens === STRIDE) {
      const now = this.run.core(BETA);
      if (this.lastRun) this.runs.add(overlap(this.lastRun, now));
      this.lastRun = now;
      this.run = new CoreCounter(this.neurons);
    }
    const { tokens } = this.text;
    const before = this.kept.get(tokens - STRIDE);
    if (before) this.growth.get(tokens - STRIDE)?.add(overlap(before, this.text.core(BETA)));
    if (this.growth.has(tokens)) this.kept.set(tokens, this.text.core(BETA));
  }

  result(): LayerProfile["cores"] {
    const growth = [...this.growth].flatMap(([tokens, mean]) => (mean.value === null ? [] : [{ tokens, overlap: mean.value }]));
    return { tokens: this.tokens.value, runs: this.runs.value, growth };
  }
}

export class LayerMeter {
  readonly curve: CettCurve;
  /** Of each neuron: tokens in which it is not 0. */
  readonly fired: Uint32Array;
  /** Tokens by how many neurons are not 0. */
  private readonly active: Uint32Array;
  private readonly tops = TOP_SHARES.map(() => new Mean());
  private readonly watch: CoreWatch;
  private zeros = 0;
  private tokens = 0;

  /** @param rows w f32 [neurons, width] of the last matrix @param norms of its rows */
  constructor(
    private readonly about: { readonly name: string; readonly activation: string; readonly gated: boolean },
    rows: Float32Array,
    private readonly norms: Float32Array,
  ) {
    this.curve = new CettCurve(rows, norms);
    this.fired = new Uint32Array(norms.length);
    this.active = new Uint32Array(norms.length + 1);
    this.watch = new CoreWatch(norms.length);
  }

  /** A window begins. */
  begin(): void {
    this.watch.begin();
  }

  /** Adds a token's hidden values h f32 [neurons]. */
  add(h: Float32Array): void {
    let count = 0;
    for (let i = 0; i < h.length; i++)
      if (h[i] !== 0) {
        this.fired[i]++;
        count++;
      }
    this.active[count]++;
    this.zeros += h.length - count;
    this.tokens++;
    this.addTops(h, this.curve.add(h));
    this.watch.add(h);
  }

  private addTops(h: Float32Array, order: Float64Array): void {
    const n = h.length;
    const wanted = TOP_SHARES.map((share) => Math.max(1, Math.round(share * n)));
    const sums = wanted.map(() => 0);
    let sum = 0;
    for (let at = 0; at < n; at++) {
      const i = order[n - 1 - at];
      sum += Math.abs(h[i]) * this.norms[i];
      const which = wanted.indexOf(at + 1);
      if (which >= 0) sums[which] = sum;
    }
    if (sum > 0) for (const [j, mean] of this.tops.entries()) mean.add(sums[j] / sum);
  }

  /** Neurons that are not 0 in the share `q` of all tokens at most. */
  activeQuantile(q: number): number {
    let [count, seen] = [0, this.active[0]];
    while (seen < q * this.tokens && count < this.active.length - 1) seen += this.active[++count];
    return count;
  }

  result(): LayerProfile {
    const { tokens, fired, curve, about } = this;
    const n = fired.length;
    const share = (q: number) => this.activeQuantile(q) / n;
    const rates = Array.from(fired, (f) => f / tokens);
    const count = (test: (rate: number) => boolean) => rates.filter(test).length;
    return {
      layer: about.name,
      neurons: n,
      activation: about.activation,
      gated: about.gated,
      tokens,
      active: { mean: 1 - this.zeros / (tokens * n), median: share(0.5), p95: share(0.95), p99: share(0.99), most: share(1) },
      activeHistogram: histogram(this.active, 32),
      firing: {
        dead: count((r) => r === 0),
        always: count((r) => r === 1),
        below1: count((r) => r < RARE[0]),
        below10: count((r) => r < RARE[1]),
        above50: count((r) => r > COMMON),
        gini: gini(fired),
      },
      rates,
      dead: [...rates.keys()].filter((i) => fired[i] === 0),
      contributions: this.octaves(),
      cett: CETT_LEVELS.map((cett) => {
        const eps = curve.epsFor(cett);
        return { cett, eps, sparsity: curve.sparsityAt(eps) };
      }),
      top: TOP_SHARES.map((share, j) => ({ share, of: this.tops[j].value ?? 0 })),
      cores: this.watch.result(),
    };
  }

  private octaves(): LayerProfile["contributions"] {
    const octave = (bin: number) => Math.floor(Math.log2(thresholdOf(bin - 1)));
    const sums = new Map<number, number>();
    for (let b = 0; b < BINS; b++) {
      const here = this.curve.counts[b] - (b === 0 ? this.zeros : 0);
      if (here > 0) sums.set(octave(b), (sums.get(octave(b)) ?? 0) + here);
    }
    const from = Math.min(...sums.keys());
    const to = Math.max(...sums.keys());
    return { from: sums.size ? from : 0, counts: sums.size ? Array.from({ length: to - from + 1 }, (_, i) => sums.get(from + i) ?? 0) : [], zero: this.zeros };
  }
}

/** Counts by value 0 … n in `bins` bins. */
function histogram(counts: Uint32Array, bins: number): number[] {
  const out = new Array<number>(bins).fill(0);
  for (let v = 0; v < counts.length; v++) out[Math.min(bins - 1, Math.floor((v * bins) / (counts.length - 1)))] += counts[v];
  return out;
}

/** Gini coefficient: 0 if all are equal, near 1 if one has all. */
export function gini(counts: Uint32Array): number {
  const sorted = counts.slice().sort();
  const sum = sorted.reduce((a, b) => a + b, 0);
  const weighted = sorted.reduce((a, v, i) => a + (i + 1) * v, 0);
  return sum ? (2 * weighted) / (sorted.length * sum) - (sorted.length + 1) / sorted.length : 0;
}
