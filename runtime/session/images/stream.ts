// A stream of images through a network: each step does the work of what changed since the one before. The answers are those of the network, bit for bit.
import { SkintError } from "../../errors.ts";
import type { StreamedLayer } from "../../graph/streamed.ts";
import { readEvents } from "../../image/events.ts";
import type { ImageEngine, StreamLimit } from "./engine.ts";

export interface StreamOptions {
  /** Every so many images all is computed anew; 0 (the default) for the first only, as whole numbers do not drift. */
  readonly refresh?: number;
}

/** What one convolution did. */
export interface LayerStats {
  readonly name: string;
  /** Share of the pairs of channels of its input that changed, over the steps that looked; NaN if none did. */
  readonly density: number;
  /** Steps that went by events, and steps in which all was computed. */
  readonly sparse: number;
  readonly dense: number;
  /** Up to which share of changed pairs it goes by events. */
  readonly limit: StreamLimit;
  /** Multiply-adds that were done, and those that computing all takes. */
  readonly macs: number;
  readonly denseMacs: number;
}

/** Steps after which a layer whose input changes too much looks again at what changed: 1, 2, 4 … up to so many. */
const LONGEST_PAUSE = 16;

/** Windows that see each of `length` places. */
function coverage(length: number, outputs: number, size: number, stride: number, pad: number): Uint32Array {
  const seen = new Uint32Array(length);
  for (let o = 0; o < outputs; o++)
    for (let t = 0; t < size; t++) {
      const at = o * stride + t - pad;
      if (at >= 0 && at < length) seen[at]++;
    }
  return seen;
}

/** Multiply-adds of all outputs. */
const allWork = ({ attrs: a, depthwise }: StreamedLayer) => a.oh * a.ow * a.size ** 2 * (depthwise ? 1 : a.outputs) * a.channels;

/** Multiply-adds of events, of which a place has `counts`: each goes to all windows that see it. */
function sigmaDeltaWork({ attrs: a }: StreamedLayer): (counts: Uint32Array) => number {
  const rows = coverage(a.height, a.oh, a.size, a.stride, a.pad);
  const columns = coverage(a.width, a.ow, a.size, a.stride, a.pad);
  // A pair costs both its products, but for a single channel.
  const each = Math.min(2, a.channels) * a.outputs;
  return (counts) => counts.reduce((sum, count, p) => sum + count * each * rows[Math.floor(p / a.width)] * columns[p % a.width], 0);
}

/** The same where windows that see a change are made anew. */
function depthwiseWork({ attrs: a }: StreamedLayer): (counts: Uint32Array) => number {
  const seen = new Uint8Array(a.oh * a.ow);
  // Outputs whose window reaches a place are those from first(place) on, up to the one that begins there.
  const first = (place: number) => Math.max(0, Math.ceil((place + a.pad - a.size + 1) / a.stride));
  const last = (place: number, outputs: number) => Math.min(outputs - 1, Math.floor((place + a.pad) / a.stride));
  return (counts) => {
    seen.fill(0);
    for (let p = 0; p < counts.length; p++) {
      if (!counts[p]) continue;
      const [v, u] = [Math.floor(p / a.width), p % a.width];
      for (let r = first(v); r <= last(v, a.oh); r++) for (let q = first(u); q <= last(u, a.ow); q++) seen[r * a.ow + q] = 1;
    }
    return seen.reduce((sum, is) => sum + is, 0) * a.size ** 2 * a.channels;
  };
}

/** One convolution's way through the stream, and the count of what it did. */
export class Layer {
  private readonly list: Uint8Array<ArrayBufferLike>;
  private readonly tooMany: Uint32Array;
  private readonly work: (counts: Uint32Array) => number;
  private readonly all: number;
  private pause = 0;
  private left = 0;
  private looked = 0;
  private changed = 0;
  private sparse = 0;
  private dense = 0;
  private macs = 0;

  constructor(
    private readonly of: StreamedLayer,
    private readonly engine: ImageEngine,
    private readonly number: number,
  ) {
    this.list = engine.program.view(of.list);
    this.tooMany = new Uint32Array(this.list.buffer, this.list.byteOffset, 1);
    this.work = of.depthwise ? depthwiseWork(of) : sigmaDeltaWork(of);
    this.all = allWork(of);
  }

  private get most(): number {
    return Math.floor(this.engine.limit(this.number).share * this.of.pairs);
  }

  /** Before a step: is it to compute all? */
  prepare(keyframe: boolean): void {
    this.tooMany[0] = keyframe || this.left > 0 ? 0 : this.most + 1;
    if (!keyframe && this.left > 0) this.left--;
  }

  /** After it: what was done. */
  note(): void {
    if (!this.tooMany[0]) {
      this.whole();
      return;
    }
    const { height, width, channels } = this.of.attrs;
    const { total, counts } = readEvents(this.list as Uint8Array, height, width, channels);
    const dense = total >= this.tooMany[0];
    this.looked++;
    this.changed += total;
    this.pause = dense ? Math.min(LONGEST_PAUSE, 2 * this.pause || 1) : 0;
    this.left = this.pause;
    if (dense) {
      this.whole();
      return;
    }
    this.sparse++;
    if (total > 0) this.macs += this.work(counts);
  }

  private whole(): void {
    this.dense++;
    this.macs += this.all;
  }

  get stats(): LayerStats {
    const { sparse, dense, macs, of } = this;
    const limit = this.engine.limit(this.number);
    return { name: of.name, density: this.changed / (this.looked * of.pairs), sparse, dense, limit, macs, denseMacs: (sparse + dense) * this.all };
  }
}

export class ImageStream {
  private layers: readonly Layer[];
  private images = 0;
  private readonly refresh: number;

  /** Throws `usage` for an engine without room for streams, or a `refresh` that is no whole number. */
  constructor(
    private readonly engine: ImageEngine,
    { refresh = 0 }: StreamOptions = {},
  ) {
    if (!Number.isInteger(refresh) || refresh < 0) throw new SkintError("usage", `refresh is ${refresh}; give a whole number of images, 0 for never`);
    this.refresh = refresh;
    this.layers = this.made();
  }

  private made(): Layer[] {
    return this.engine.streamedLayers.map((layer, i) => new Layer(layer, this.engine, i));
  }

  /**
   * Scores f32 [classes] of the next image u8 [height, width, channels]. A stream that takes the engine over from another computes all of its first image.
   * Throws `usage` for another number of bytes.
   */
  async push(image: Uint8Array): Promise<Float32Array> {
    const keyframe = !this.engine.heldBy(this) || this.images === 0 || (this.refresh > 0 && this.images % this.refresh === 0);
    this.engine.check(image, 1);
    for (const layer of this.layers) layer.prepare(keyframe);
    // Until the step is over nobody's image is in the engine: one that failed is not gone on from.
    this.engine.take(undefined);
    await this.engine.runStream(image);
    this.engine.take(this);
    for (const layer of this.layers) layer.note();
    this.images++;
    return this.engine.scores(1);
  }

  /** Forgets the images so far, and what was counted. */
  reset(): void {
    this.images = 0;
    this.layers = this.made();
  }

  /** What each convolution did since the beginning, the first image included. */
  get stats(): readonly LayerStats[] {
    return this.layers.map((layer) => layer.stats);
  }
}
