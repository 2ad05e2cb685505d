// A compressed model at work on a calibration text, for calibrators: hidden values of some layers, and what the text costs under rules.
import { throwIfAborted } from "../../runtime/errors.ts";
import type { Model } from "../../runtime/session/model.ts";
import { CettCurve } from "../profile/cett.ts";
import { type FfnLayer, normsOfRows, type Observed, observe, rowsOf } from "../profile/layers.ts";
import { Rules } from "../profile/rules.ts";
import { countTokens, perplexityOf, readWindows } from "../profile/windows.ts";

/** Tokens that thresholds are made of, spread over the text: each is walked neuron by neuron. */
const CURVE_TOKENS = 1024;

export class Study {
  /** Those that are calibrated. */
  readonly layers: readonly FfnLayer[];
  private readonly observed: Observed;
  private readonly rows: readonly Float32Array[];
  readonly norms: readonly Float32Array[];
  readonly rules: Rules;
  private whole: Promise<number> | undefined;

  /** @param names of the last linears of the layers that are calibrated; others do what the model says */
  constructor(
    model: Model,
    names: readonly string[],
    readonly windows: readonly Uint32Array[],
    private readonly signal?: AbortSignal,
    private readonly onProgress?: (done: number, total: number) => void,
  ) {
    this.observed = observe(model, Math.max(...windows.map((w) => w.length)));
    this.layers = this.observed.layers.filter((l) => names.includes(l.name));
    this.rows = this.layers.map((l) => rowsOf(this.observed.engine, l));
    this.norms = this.layers.map((l, i) => normsOfRows(this.rows[i], l.width));
    this.rules = new Rules(this.observed.engine, new Map(this.layers.map((l, i) => [l.name, this.norms[i]])));
  }

  get tokens(): number {
    return countTokens(this.windows);
  }

  /** Perplexity of the text with the layers as `set` leaves them. */
  async perplexity(set: (rules: Rules) => void): Promise<number> {
    throwIfAborted(this.signal, "compression");
    set(this.rules);
    return perplexityOf(await readWindows(this.observed.engine, this.windows, { signal: this.signal, onProgress: this.onProgress }));
  }

  /** Perplexity of the text with all neurons. */
  dense(): Promise<number> {
    this.whole ??= this.perplexity((rules) => rules.dense());
    return this.whole;
  }

  /** Reads the text with all neurons; `each` is told every token's hidden values h f32 [neurons] of every layer (its place in `layers`). */
  async measure(each: (layer: number, h: Float32Array, window: number, pos: number) => void): Promise<void> {
    const { observed, layers } = this;
    const places = layers.map((l) => observed.layers.indexOf(l));
    this.rules.dense();
    const lnp = await readWindows(observed.engine, this.windows, {
      signal: this.signal,
      onProgress: this.onProgress,
      onStep(rows, pos, window) {
        for (const [i, { neurons }] of layers.entries()) {
          const all = observed.hidden(places[i], rows);
          for (let r = 0; r < rows; r++) each(i, all.subarray(r * neurons, (r + 1) * neurons), window, pos + r);
        }
      },
    });
    this.whole = Promise.resolve(perplexityOf(lnp));
  }

  /** The CETT of each layer by its threshold, of tokens spread over the text. */
  async curves(): Promise<CettCurve[]> {
    const curves = this.layers.map((_, i) => new CettCurve(this.rows[i], this.norms[i]));
    const every = Math.max(1, this.tokens / CURVE_TOKENS);
    const seen = this.layers.map(() => 0);
    await this.measure((i, h) => {
      const at = seen[i]++;
      if (at === 0 || Math.floor(at / every) !== Math.floor((at - 1) / every)) curves[i].add(h);
    });
    return curves;
  }

  close(): void {
    this.observed.close();
  }
}
