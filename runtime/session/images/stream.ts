// A stream of images through a network: each step does the work of what changed since the one before. The answers are those of the network, bit for bit.
import { SkintError } from "../../errors.ts";
import type { StreamedLayer } from "../../graph/streamed.ts";
import { readEvents } from "../../image/events.ts";
import type { ImageEngine } from "./engine.ts";

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

/** One convolution's way through the stream. */
class Layer {
  private readonly list: Uint8Array<ArrayBufferLike>;
  private readonly flag: Uint32Array;
  private readonly rows: Uint32Array;
  private readonly columns: Uint32Array;
  private readonly pairs: number;
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
    engine: ImageEngine,
  ) {
    const a = of.attrs;
    this.list = engine.program.view(of.list);
    this.flag = new Uint32Array(this.list.buffer, this.list.byteOffset, 1);
    this.rows = coverage(a.height, a.oh, a.size, a.stride, a.pad);
    this.columns = coverage(a.width, a.ow, a.size, a.stride, a.pad);
    this.pairs = a.height * a.width * Math.ceil(a.channels / 2);
    this.all = a.oh * a.ow * a.outputs * a.size ** 2 * a.channels;
  }

  /** Before a step: is it to compute all? */
  prepare(keyframe: boolean): void {
    this.flag[0] = keyframe || this.left > 0 ? 1 : 0;
    if (!keyframe && this.left > 0) this.left--;
  }

  /** After it: what was done. */
  note(): void {
    if (this.flag[0]) {
      this.whole();
      return;
    }
    const { height, width, channels, outputs } = this.of.attrs;
    const { total, counts } = readEvents(this.list as Uint8Array, height, width, channels);
    this.looked++;
    this.changed += total;
    this.pause = total > this.of.most ? Math.min(LONGEST_PAUSE, 2 * this.pause || 1) : 0;
    this.left = this.pause;
    if (total > this.of.most) {
      this.whole();
      return;
    }
    this.sparse++;
    // A pair costs both its products, but for a single channel.
    const each = Math.min(2, channels) * outputs;
    for (let p = 0; total > 0 && p < counts.length; p++) this.macs += counts[p] * each * this.rows[Math.floor(p / width)] * this.columns[p % width];
  }

  private whole(): void {
    this.dense++;
    this.macs += this.all;
  }

  get stats(): LayerStats {
    const { sparse, dense, macs } = this;
    return { name: this.of.name, density: this.changed / (this.looked * this.pairs), sparse, dense, macs, denseMacs: (sparse + dense) * this.all };
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
    return this.engine.streamedLayers.map((layer) => new Layer(layer, this.engine));
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
