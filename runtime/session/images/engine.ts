// The engine of networks over images: a graph lowered to one plan, in memory on a device. Images in, scores out; knows no text and no positions.
import { SkintError } from "../../errors.ts";
import { type StreamedLayer, streamable, streamed } from "../../graph/streamed.ts";
import type { Graph, TensorDef } from "../../graph/types.ts";
import { imageBytes, pixelBytes } from "../../image/format.ts";
import type { Device, Program } from "../../plan/device.ts";
import { lower } from "../../plan/lower.ts";
import { type MemoryMap, memoryMap } from "../../plan/memory.ts";
import type { Plan } from "../../plan/types.ts";

export interface ImageOptions {
  /** Most images of a step. */
  readonly batch: number;
  /** Make room for streams: `true` for every convolution that can go by what changed, or their names. */
  readonly stream?: true | readonly string[];
}

/** Share of the pairs of channels that may change before computing all is faster, and where it comes from. */
export interface StreamLimit {
  readonly share: number;
  readonly from: "default" | "measured" | "given";
}

/** By events a pair takes a quarter more instructions than in a tile of two outputs, and finding them some more. */
const BREAK_EVEN = 0.6;

export class ImageEngine {
  readonly program: Program;
  readonly plans: readonly Plan[];
  readonly map: MemoryMap;
  /** [height, width, channels] of an image. */
  readonly sides: readonly [number, number, number];
  /** Convolutions that go by what changed; empty without room for streams. */
  readonly streamedLayers: readonly StreamedLayer[];
  private readonly limits: StreamLimit[];
  private readonly input: TensorDef;
  private holder: object | undefined;

  constructor(
    readonly graph: Graph,
    readonly device: Device,
    readonly options: ImageOptions,
  ) {
    const common = { kernels: device.kernels, fuse: false, logits: "all" as const, taps: [] };
    const stream = options.stream && streamed(graph, options.stream === true ? streamable(graph) : options.stream);
    this.streamedLayers = stream ? stream.layers : [];
    this.limits = this.streamedLayers.map(() => ({ share: BREAK_EVEN, from: "default" }));
    this.plans = [
      lower(graph, { ...common, name: "images", symbols: { T: options.batch, L: 1, C: 1 } }),
      ...(stream ? [lower(stream.graph, { ...common, name: "stream", symbols: { T: 1, L: 1, C: 1 } })] : []),
    ];
    this.map = memoryMap(this.plans);
    this.program = device.allocate(this.map, this.plans);
    this.input = graph.tensors.find((t) => t.role === "input") as TensorDef;
    this.sides = this.input.shape.slice(1) as unknown as [number, number, number];
  }

  /** Weights in the order of memory. */
  get weights(): TensorDef[] {
    const at = (t: TensorDef) => this.map.tensors.get(t.name)?.offset ?? 0;
    return this.graph.tensors.filter((t) => t.role === "weight").sort((a, b) => at(a) - at(b));
  }

  /** Places for the weights, by name, each with the padding a file has. */
  placements(): Map<string, Uint8Array> {
    return new Map(this.weights.map((t) => [t.name, this.program.view(t.name)]));
  }

  /** Values of an image: height · width · channels. */
  get pixels(): number {
    return this.sides[0] * this.sides[1] * this.sides[2];
  }

  /**
   * Runs images u8 [n, height, width, channels] of 0…255, n at most `batch`. An f32 graph sees them as 0…1. Outputs are read with `output`.
   * Throws `usage` for another number of bytes.
   */
  async run(images: Uint8Array): Promise<void> {
    await this.execute("images", images, this.check(images, this.options.batch));
  }

  /** Runs the next image of a stream; `run` between two of them changes nothing. Throws `usage` as `run`, and without room for streams. */
  async runStream(image: Uint8Array): Promise<void> {
    if (!this.options.stream) throw new SkintError("usage", "the model was loaded without room for streams; load it with the option stream");
    await this.execute("stream", image, this.check(image, 1));
  }

  /** Up to which share of changed pairs streamed layer i goes by events. */
  limit(i: number): StreamLimit {
    return this.limits[i];
  }

  /** Sets it, for all streams. Throws `usage` for a share outside 0…1. */
  setLimit(i: number, share: number, from: StreamLimit["from"] = "given"): void {
    if (!(share >= 0 && share <= 1)) throw new SkintError("usage", `the limit of events is ${share}; give a share from 0 to 1`, { what: "limit" });
    this.limits[i] = { share, from };
  }

  /** Number of images in these bytes, 1 to `most`. */
  check(images: Uint8Array, most: number): number {
    const n = images.length / this.pixels;
    if (Number.isInteger(n) && n >= 1 && n <= most) return n;
    throw new SkintError("usage", `${images.length} bytes of images were given; ${this.sides.join(" × ")} is ${this.pixels} each, and a step takes 1 to ${most} of them`);
  }

  /** Whose images the stream's sums are of. */
  heldBy(who: object): boolean {
    return this.holder === who;
  }

  take(who: object | undefined): void {
    this.holder = who;
  }

  private async execute(plan: "images" | "stream", images: Uint8Array, n: number): Promise<void> {
    this.put(images, n);
    this.program.setSlot("T", n);
    this.program.setSlot("L", n);
    await this.program.execute(plan);
  }

  /** Pixels to where the graph reads them: stored bytes (value − 128) in padded pixels, or f32 of 0…1. */
  put(images: Uint8Array, n: number): void {
    const view = this.program.view("image");
    if (this.input.format === "f32") {
      const out = new Float32Array(view.buffer, view.byteOffset, view.length / 4);
      for (let i = 0; i < images.length; i++) out[i] = Math.fround(images[i] / 255);
      return;
    }
    const channels = this.sides[2];
    const step = pixelBytes(channels);
    view.fill(0x80, 0, n * imageBytes(...this.sides));
    for (let i = 0; i < images.length; i++) view[Math.floor(i / channels) * step + (i % channels)] = images[i] ^ 0x80;
  }

  /** The bytes of an output, of a whole batch. */
  output(point: string): Uint8Array<ArrayBufferLike> {
    return this.program.view(this.graph.points[point]);
  }

  /** Scores f32 [n, classes] of the last step: a copy. */
  scores(n: number): Float32Array {
    const bytes = this.output("logits");
    return new Float32Array(bytes.buffer, bytes.byteOffset, n * this.graph.vocab).slice();
  }
}
