// What calibration learns of the input of a linear, x f32 [tokens, k]: its Gram matrix, its channels' magnitudes, their percentiles, and some
// rows that were kept apart. Linears that read one input share one of these.

import { hadamard, hadamardOf } from "../../../runtime/num/hadamard.ts";
import { Gram } from "../linalg/gram.ts";
import type { Linalg } from "../linalg/linalg.ts";

/** What a method may ask for: the mean of x xᵀ; greatest and mean |x| of each channel; a histogram of |x| of each channel, and of all; the greatest |H x|. */
export const NEEDS = ["gram", "channels", "percentiles", "magnitudes", "rotated"] as const;
export type Need = (typeof NEEDS)[number];

export interface InputStatistics {
  /** The point of the graph it was taken at. */
  readonly point: string;
  readonly k: number;
  readonly tokens: number;
  /** Mean of x xᵀ over tokens, f64 [k, k]. */
  readonly gram?: Float64Array;
  /** Of |x|, f32 [k] each. */
  readonly channels?: { readonly absmax: Float32Array; readonly mean: Float32Array };
  /** The |x| that the share `q` of a channel's values does not exceed, f32 [k]; upper ends of bins 1/8 octave wide. */
  readonly percentile?: (q: number) => Float32Array;
  /** Of all |x|. */
  readonly magnitudes?: Magnitudes;
  /** The greatest magnitude of rows times their Hadamard matrix, if one fits. */
  readonly rotated?: number;
  /** Rows that are in none of the above, f32 [rows, k], rows at most MEASURED_ROWS. */
  readonly held: Float32Array;
  /** What is made of it once for all matrices that read it. */
  share<T>(key: string, make: () => T): T;
}

/** Held-out rows that errors are measured on. */
export const MEASURED_ROWS = 256;

/** Collects one input's statistics. Its Gram matrix stands on the stack of `la`. */
export class Collector {
  private readonly gram: Gram | undefined;
  private readonly channels: Channels | undefined;
  private readonly bins: Bins | undefined;
  private readonly magnitudes: Magnitudes | undefined;
  private rotated: number | undefined;
  private readonly held: Float32Array[] = [];
  private heldRows = 0;
  private tokens = 0;

  /** @param heldTokens tokens that will come as held out, of which MEASURED_ROWS are kept, evenly spread */
  constructor(
    la: Linalg,
    readonly point: string,
    readonly k: number,
    needs: ReadonlySet<Need>,
    private readonly heldTokens: number,
  ) {
    if (needs.has("gram")) this.gram = new Gram(la, k);
    if (needs.has("channels")) this.channels = new Channels(k);
    if (needs.has("percentiles")) this.bins = new Bins(k);
    if (needs.has("magnitudes")) this.magnitudes = new Magnitudes();
    if (needs.has("rotated") && hadamardOf(k)) this.rotated = 0;
  }

  add(x: Float32Array, rows: number): void {
    this.tokens += rows;
    this.gram?.add(x, rows);
    this.channels?.add(x, rows);
    this.bins?.add(x, rows);
    this.magnitudes?.add(x.subarray(0, rows * this.k));
    if (this.rotated !== undefined)
      for (let r = 0; r < rows; r++) for (const v of hadamard(x.subarray(r * this.k, (r + 1) * this.k))) this.rotated = Math.max(this.rotated, Math.abs(v));
  }

  hold(x: Float32Array, rows: number): void {
    const every = Math.max(1, this.heldTokens / MEASURED_ROWS);
    for (let r = 0; r < rows; r++, this.heldRows++)
      if (Math.floor(this.heldRows / every) !== Math.floor((this.heldRows - 1) / every)) this.held.push(x.slice(r * this.k, (r + 1) * this.k));
  }

  result(): InputStatistics {
    const { k, tokens, point, bins } = this;
    const held = new Float32Array(this.held.length * k);
    this.held.forEach((row, i) => {
      held.set(row, i * k);
    });
    const shared = new Map<string, unknown>();
    return {
      point,
      k,
      tokens,
      held,
      gram: this.gram?.values().map((v) => v / tokens),
      channels: this.channels?.result(tokens),
      magnitudes: this.magnitudes,
      rotated: this.rotated,
      percentile: bins ? (q) => bins.percentile(q, tokens) : undefined,
      share<T>(key: string, make: () => T): T {
        if (!shared.has(key)) shared.set(key, make());
        return shared.get(key) as T;
      },
    };
  }
}

class Channels {
  private readonly absmax: Float32Array;
  private readonly sum: Float64Array;

  constructor(private readonly k: number) {
    this.absmax = new Float32Array(k);
    this.sum = new Float64Array(k);
  }

  add(x: Float32Array, rows: number): void {
    const { k, absmax, sum } = this;
    for (let r = 0; r < rows; r++)
      for (let i = 0; i < k; i++) {
        const v = Math.abs(x[r * k + i]);
        sum[i] += v;
        if (v > absmax[i]) absmax[i] = v;
      }
  }

  result(tokens: number): { absmax: Float32Array; mean: Float32Array } {
    return { absmax: this.absmax, mean: Float32Array.from(this.sum, (s) => s / tokens) };
  }
}

/** Bins of |x| by the exponent and the first 3 bits of the mantissa of its f32, 2^-32 … 2^32; what is beyond goes to the ends. */
const BINS = 512;
const SHIFT = 20;
const FIRST_BIN = (127 - 32) << 3;

class Bins {
  private readonly counts: Uint32Array;
  private readonly word = new Float32Array(1);
  private readonly bits = new Uint32Array(this.word.buffer);

  constructor(private readonly k: number) {
    this.counts = new Uint32Array(k * BINS);
  }

  add(x: Float32Array, rows: number): void {
    for (let at = 0; at < rows * this.k; at++) {
      this.word[0] = Math.abs(x[at]);
      const bin = Math.max(0, Math.min(BINS - 1, (this.bits[0] >> SHIFT) - FIRST_BIN));
      this.counts[(at % this.k) * BINS + bin]++;
    }
  }

  percentile(q: number, tokens: number): Float32Array {
    const wanted = Math.max(1, Math.ceil(q * tokens));
    return Float32Array.from({ length: this.k }, (_, i) => {
      let bin = 0;
      for (let seen = this.counts[i * BINS]; seen < wanted && bin < BINS - 1; seen += this.counts[i * BINS + bin]) bin++;
      this.bits[0] = (bin + FIRST_BIN + 1) << SHIFT;
      return this.word[0];
    });
  }
}

/** Bins of |x| 1/64 octave wide, all channels together. */
const FINE_BINS = 255 << 6;
const FINE_SHIFT = 17;

export class Magnitudes {
  private readonly counts = new Float64Array(FINE_BINS);
  private total = 0;
  private readonly word = new Float32Array(1);
  private readonly bits = new Uint32Array(this.word.buffer);

  add(x: Float32Array): void {
    this.total += x.length;
    for (const v of x) {
      this.word[0] = Math.abs(v);
      this.counts[Math.min(FINE_BINS - 1, this.bits[0] >> FINE_SHIFT)]++;
    }
  }

  /** The magnitude that the share `q` of all values does not exceed: the upper end of its bin. */
  percentile(q: number): number {
    const wanted = Math.max(1, Math.ceil(q * this.total));
    let bin = 0;
    for (let seen = this.counts[0]; seen < wanted && bin < FINE_BINS - 1; seen += this.counts[bin]) bin++;
    return this.end(bin);
  }

  private end(bin: number): number {
    this.bits[0] = (bin + 1) << FINE_SHIFT;
    return this.word[0];
  }
}
