// A network over images ready to use: a pack loaded into an engine, with its card.
import { SkintError, throwIfAborted } from "../../errors.ts";
import { openPack } from "../../formats/skint/reader.ts";
import { parseGraph } from "../../graph/check.ts";
import { seesImages } from "../../graph/images.ts";
import type { Source } from "../../io/source.ts";
import { type Card, type Environment, type ModelOptions, readWeights } from "../model.ts";
import { measureStreams } from "./breakeven.ts";
import { ImageEngine, type ImageOptions } from "./engine.ts";
import { checkImageGolden } from "./golden.ts";
import { ImageStream, type StreamOptions } from "./stream.ts";

export interface ImageModelOptions extends Pick<ModelOptions, "golden" | "signal" | "onProgress"> {
  /** Most images of a step; default 16. */
  readonly batch?: number;
  /** Make room for streams (`model.stream`): `true` for every convolution, or the names of those that are to go by what changed. */
  readonly stream?: ImageOptions["stream"];
  /** Share of changed pairs of channels, 0…1, up to which each layer of a stream goes by events; default: measured for each. The bits are the same. */
  readonly limit?: number;
}

const DEFAULT_BATCH = 16;

export class ImageModel {
  constructor(
    readonly name: string,
    readonly engine: ImageEngine,
    readonly card: Card,
    readonly recipe: string,
    /** SHA-256 of the file. */
    readonly hash: string,
  ) {}

  /** Scores f32 [n, classes] of images u8 [n, height, width, channels] of 0…255. Throws `usage` if the bytes are no whole number of images. */
  async classify(images: Uint8Array): Promise<Float32Array> {
    const { engine } = this;
    const { pixels, options, graph } = engine;
    const n = images.length / pixels;
    if (!Number.isInteger(n)) throw new SkintError("usage", `${images.length} bytes of images were given; ${engine.sides.join(" × ")} is ${pixels} each`);
    const scores = new Float32Array(n * graph.vocab);
    for (let at = 0; at < n; at += options.batch) {
      const many = Math.min(options.batch, n - at);
      await engine.run(images.subarray(at * pixels, (at + many) * pixels));
      scores.set(engine.scores(many), at * graph.vocab);
    }
    return scores;
  }

  /** Starts a stream: images one by one, each with the work of what changed. Needs the option `stream`. Streams of one model take turns, at the cost of a whole image. */
  stream(options?: StreamOptions): ImageStream {
    if (!this.engine.options.stream) throw new SkintError("usage", `${this.name} was loaded without room for streams; load it with the option stream`, { what: "stream" });
    return new ImageStream(this.engine, options);
  }

  close(): void {
    this.engine.program.close();
  }
}

/** Loads a pack of a network over images: checks it, plans it, reads its weights into place, hashes them, runs the golden self-test. */
export async function loadImageModel(source: Source, env: Environment, options: ImageModelOptions = {}): Promise<ImageModel> {
  const pack = await openPack(source);
  try {
    const graph = parseGraph((await pack.document("graph")) as string);
    if (!seesImages(graph)) throw new SkintError("usage", `${pack.name} reads tokens, not images`, { what: pack.name });
    const engine = new ImageEngine(graph, env.device, { batch: options.batch ?? DEFAULT_BATCH, stream: options.stream });
    try {
      await readWeights(pack, engine, env, options);
      const golden = await pack.document("golden");
      if (golden && options.golden !== false) await checkImageGolden(engine, golden, env.sha256);
      if (options.limit !== undefined) for (const i of engine.streamedLayers.keys()) engine.setLimit(i, options.limit);
      else if (options.stream) await measureStreams(engine, { now: env.now, signal: options.signal });
      throwIfAborted(options.signal, `loading ${pack.name}`);
      return new ImageModel(pack.name, engine, JSON.parse((await pack.document("card")) as string) as Card, pack.meta("recipe"), pack.digest);
    } catch (e) {
      engine.program.close();
      throw e;
    }
  } finally {
    await pack.close();
  }
}
