// What an architecture is to the rest of Skint: it reads a config, says which checkpoint tensors it needs, and builds a graph.
import type { CacheFormat, Graph } from "../runtime/graph/types.ts";

/** config.json as parsed; fields are read through models/fields.ts, which checks them. */
export type Config = Readonly<Record<string, unknown>>;

export interface BuildOptions {
  /** Format of the key/value caches. */
  readonly cache: CacheFormat;
}

export interface Architecture {
  readonly name: string;
  /** Values of `model_type` in config.json that mean this architecture. */
  readonly modelTypes: readonly string[];
  /** The graph with every matrix in scheme f32; a recipe chooses the schemes. Throws `model.config`. */
  build(config: Config, options: BuildOptions): Graph;
  /** Name of a graph weight → names it may have in a checkpoint, the usual one first. */
  checkpointNames(weight: string): string[];
}
