// What an architecture is to the rest of Skint: it reads a config, says which checkpoint tensors it needs, and builds a graph.

import type { CacheFormat, Graph } from "../runtime/graph/types.ts";
import type { GgufArchitecture } from "./gguf.ts";

/** config.json as parsed; fields are read through models/fields.ts, which checks them. */
export type Config = Readonly<Record<string, unknown>>;

export interface BuildOptions {
  /** Format of the key/value caches. */
  readonly cache: CacheFormat;
}

/** Where a checkpoint keeps a weight of the graph. */
export interface Location {
  /** Name of the stored tensor. */
  readonly name: string;
  /** Stored as [k, n]. */
  readonly transposed?: boolean;
  /** Stored as [n, 1, k], as depthwise convolutions are. */
  readonly depthwise?: boolean;
  /** Stored in any shape of as many numbers. */
  readonly flat?: boolean;
  /** Stored as [n] in any shape; what the k weights of a row are, given the number that is stored. */
  readonly spread?: (stored: number) => readonly number[];
  /** What the weight is, given the number that is stored. */
  readonly map?: (stored: number) => number;
  /** One of `of` equal parts of the output rows (n), for projections that are stored together. */
  readonly part?: { readonly index: number; readonly of: number };
}

export interface Architecture {
  readonly name: string;
  /** Values of `model_type` in config.json that mean this architecture. */
  readonly modelTypes: readonly string[];
  /** It looks at images and has no tokenizer; absent: it reads tokens. */
  readonly sees?: "images";
  /** Is a config without `model_type` of this architecture? */
  readonly claims?: (config: Config) => boolean;
  /** The graph with every matrix in scheme f32; a recipe chooses the schemes. Throws `model.config`. */
  build(config: Config, options: BuildOptions): Graph;
  /** Where a weight of the graph may stand in a checkpoint, the usual place first. */
  locate(weight: string): Location[];
  /** The same for GGUF files, if llama.cpp knows the architecture. */
  readonly gguf?: GgufArchitecture;
}
