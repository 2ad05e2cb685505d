// Perplexity against sparsity: what each way of leaving out neurons costs where all leave out the same share. Every second window of the text is read with all
// neurons for thresholds and frequencies; of the others the first half is read with all neurons, as a prompt is, and the second is scored under each rule.
import { SkintError, throwIfAborted } from "../../runtime/errors.ts";
import { createRandom } from "../../runtime/num/random.ts";
import { drawn } from "../../runtime/session/breakeven.ts";
import type { Model } from "../../runtime/session/model.ts";
import { BINS, binOf, CettCurve, cettForSparsity, thresholdOf, thresholdsFor } from "./cett.ts";
import { CoreCounter } from "./cores.ts";
import { type FfnLayer, normsOfRows, type Observed, observe, rowsOf } from "./layers.ts";
import { Rules } from "./rules.ts";
import { type Cost, costOf, perplexityOf, readWindows, scoreFrom } from "./windows.ts";

/** Shares of neurons that are left out. */
export const SHARES = [0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98] as const;

export const RULES = {
  cett: "CETT",
  topk: "top-k",
  threshold: "one threshold",
  core: "CoreInfer",
  frequency: "corpus frequency",
  random: "random",
} as const;
export type RuleName = keyof typeof RULES;

/** Tokens scored under a rule. */
export interface Reading {
  readonly rule: RuleName;
  /** Share of neurons that it was to leave out. */
  readonly share: number;
  /** That it left out, mean over layers: of rules by value those that were 0, of sets those outside. */
  readonly leftOut: number;
  readonly lnp: Float64Array;
}

export interface Sweep {
  readonly window: number;
  readonly windows: number;
  readonly dense: Float64Array;
  readonly readings: readonly Reading[];
}

/** As it is told: costs instead of single tokens. */
export interface CurvesReport {
  readonly window: number;
  readonly tokens: number;
  readonly perplexity: number;
  readonly points: readonly (Omit<Reading, "lnp"> & { readonly cost: Cost })[];
}

export interface SweepOptions {
  readonly rules?: readonly RuleName[];
  readonly shares?: readonly number[];
  /** Layers that leave out; all by themselves. */
  readonly layers?: (layers: readonly FfnLayer[]) => readonly FfnLayer[];
  /** Share of a token's firing neurons that are its core. */
  readonly alpha?: number;
  readonly seed?: number;
  readonly signal?: AbortSignal;
  onProgress?(done: number, total: number): void;
}

/** What the measured windows say. */
class Statistics {
  readonly curves: CettCurve[];
  readonly norms: Float32Array[];
  readonly frequency: CoreCounter[];
  /** |h| of all layers, binned as contributions are. */
  private readonly magnitudes = new Float64Array(BINS);

  constructor({ engine, layers }: Observed, alpha: number | undefined) {
    const rows = layers.map((l) => rowsOf(engine, l));
    this.norms = layers.map((l, i) => normsOfRows(rows[i], l.width));
    this.curves = layers.map((_, i) => new CettCurve(rows[i], this.norms[i]));
    this.frequency = layers.map((l) => new CoreCounter(l.neurons, alpha));
  }

  add(i: number, h: Float32Array): void {
    this.curves[i].add(h);
    this.frequency[i].add(h);
    for (const v of h) this.magnitudes[binOf(Math.abs(v))]++;
  }

  /** The |h| that the share of all values is below. */
  threshold(share: number): number {
    const wanted = share * this.magnitudes.reduce((a, b) => a + b, 0);
    let [bin, seen] = [0, this.magnitudes[0]];
    while (seen < wanted && bin < BINS - 1) seen += this.magnitudes[++bin];
    return thresholdOf(bin);
  }
}

/** Calls `each` with every token's hidden values of every layer. */
function eachHidden({ layers, hidden }: Observed, rows: number, each: (layer: number, h: Float32Array) => void): void {
  for (const [i, { neurons }] of layers.entries()) {
    const all = hidden(i, rows);
    for (let r = 0; r < rows; r++) each(i, all.subarray(r * neurons, (r + 1) * neurons));
  }
}

/** Scores windows under rules. Throws `usage` where layers do not lie by neurons. */
export async function sweep(model: Model, windows: readonly Uint32Array[], o: SweepOptions = {}): Promise<Sweep> {
  const { ffn } = model.engine;
  if (!ffn.there) throw new SkintError("usage", `${model.name} does not lie by neurons, so that none can be left out; compress it with the recipe w4n`, { what: model.name });
  const longest = Math.max(...windows.map((w) => w.length));
  const whole = windows.filter((w) => w.length === longest);
  const scored = whole.filter((_, i) => i % 2 === 1);
  if (scored.length === 0)
    throw new SkintError("usage", `the text has ${whole.length} whole windows of ${longest} tokens, curves take two at least; give a longer text`, { what: "--text" });
  const observed = observe(model, longest);
  try {
    return await new Study(observed, o).run(
      whole.filter((_, i) => i % 2 === 0),
      scored,
    );
  } finally {
    observed.close();
  }
}

class Study {
  private readonly statistics: Statistics;
  private readonly rules: Rules;
  private readonly random: ReturnType<typeof createRandom>;
  private readonly chosen: readonly FfnLayer[];
  private done = 0;

  constructor(
    private readonly observed: Observed,
    private readonly o: SweepOptions,
  ) {
    this.statistics = new Statistics(observed, o.alpha);
    this.rules = new Rules(observed.engine, new Map(observed.layers.map((l, i) => [l.name, this.statistics.norms[i]])));
    this.random = createRandom(o.seed ?? 1);
    this.chosen = o.layers?.(observed.layers) ?? observed.layers;
  }

  async run(measured: readonly Uint32Array[], scored: readonly Uint32Array[]): Promise<Sweep> {
    const { observed, o } = this;
    const kinds = (o.rules ?? (Object.keys(RULES) as RuleName[])).flatMap((rule) => (o.shares ?? SHARES).map((share) => ({ rule, share })));
    const total = measured.length + scored.length * (1 + kinds.length);
    const tick = () => o.onProgress?.(++this.done, total);
    this.rules.dense();
    for (const window of measured) {
      await readWindows(observed.engine, [window], { signal: o.signal, onStep: (rows) => eachHidden(observed, rows, (i, h) => this.statistics.add(i, h)) });
      tick();
    }
    const thresholds = new Map((o.shares ?? SHARES).map((share) => [share, thresholdsFor(this.statistics.curves, cettForSparsity(this.statistics.curves, share))]));
    const dense: Float64Array[] = [];
    const parts = kinds.map(() => ({ lnp: [] as Float64Array[], leftOut: 0 }));
    for (const window of scored) {
      const from = window.length >> 1;
      const cores = await this.prompt(window.subarray(0, from));
      const state = observed.engine.copyStates();
      dense.push(await scoreFrom(observed.engine, window, from));
      tick();
      for (const [at, kind] of kinds.entries()) {
        throwIfAborted(o.signal, "scoring");
        observed.engine.putStates(state, from);
        const size = this.apply(kind.rule, kind.share, cores, thresholds.get(kind.share) as number[]);
        const zeros = { count: 0, all: 0 };
        const lnp = await scoreFrom(observed.engine, window, from, (rows) => {
          if (size === undefined) eachHidden(observed, rows, (_, h) => tally(h, zeros));
        });
        parts[at].lnp.push(lnp);
        parts[at].leftOut += (size === undefined ? zeros.count / zeros.all : size) / scored.length;
        tick();
      }
      this.rules.dense();
    }
    const readings = kinds.map((kind, at) => ({ ...kind, leftOut: parts[at].leftOut, lnp: joined(parts[at].lnp) }));
    return { window: scored[0].length, windows: scored.length, dense: joined(dense), readings };
  }

  /** Reads a prompt with all neurons and counts its cores. */
  private async prompt(tokens: Uint32Array): Promise<CoreCounter[]> {
    const { observed } = this;
    const { engine, layers } = observed;
    const cores = layers.map((l) => new CoreCounter(l.neurons, this.o.alpha));
    for (let pos = 0; pos < tokens.length; pos += engine.options.batch) {
      const step = tokens.subarray(pos, pos + engine.options.batch);
      await engine.run("score", step, pos);
      eachHidden(observed, step.length, (i, h) => cores[i].add(h));
    }
    return cores;
  }

  /** Sets all layers to a rule. @returns for sets the share of neurons outside, mean over layers */
  private apply(rule: RuleName, share: number, cores: readonly CoreCounter[], eps: readonly number[]): number | undefined {
    const { statistics, rules, random } = this;
    const { layers } = this.observed;
    const threshold = statistics.threshold(share);
    let outside: number | undefined;
    for (const [i, layer] of layers.entries()) {
      if (!this.chosen.includes(layer)) continue;
      const turn: Turn = { rules, layer, share, threshold, eps: eps[i], random, core: () => cores[i].core(1 - share), frequent: () => statistics.frequency[i].core(1 - share) };
      const set = WAYS[rule](turn);
      if (!set) continue;
      rules.keep(layer.name, set);
      outside = (outside ?? 0) + (1 - set.length / layer.neurons) / this.chosen.length;
    }
    return outside;
  }
}

/** A layer's turn under a rule. */
interface Turn {
  readonly rules: Rules;
  readonly layer: FfnLayer;
  readonly share: number;
  /** One for all layers, and the layer's own. */
  readonly threshold: number;
  readonly eps: number;
  readonly random: ReturnType<typeof createRandom>;
  core(): Uint32Array;
  frequent(): Uint32Array;
}

/** What each rule does to a layer: sets it by value, or says which neurons to keep. */
const WAYS: Readonly<Record<RuleName, (t: Turn) => Uint32Array | undefined>> = {
  cett: ({ rules, layer, eps }) => void rules.cett(layer.name, eps),
  topk: ({ rules, layer, share }) => void rules.topk(layer.name, Math.max(1, Math.round((1 - share) * layer.neurons))),
  threshold: ({ rules, layer, threshold }) => void rules.threshold(layer.name, threshold),
  core: ({ core }) => core(),
  frequency: ({ frequent }) => frequent(),
  // As many as the core has, which may be fewer than were asked for.
  random: ({ core, layer, random }) => drawn(layer.neurons, core().length, random),
};

function tally(h: Float32Array, zeros: { count: number; all: number }): void {
  for (const v of h) if (v === 0) zeros.count++;
  zeros.all += h.length;
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const out = new Float64Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

export function reportOf({ window, dense, readings }: Sweep): CurvesReport {
  return {
    window,
    tokens: dense.length,
    perplexity: perplexityOf(dense),
    points: readings.map(({ lnp, ...r }) => ({ ...r, cost: costOf(dense, lnp) })),
  };
}
