// The graph: ops over named tensors. Plain data (it is stored in model.skint as JSON), built by models/, checked by check.ts,
// turned into a plan by runtime/plan. Shapes are row-major.

/**
 * A dimension: a number, or a symbol that gets its value when a plan is made.
 * `T` tokens of a step (at most the plan's batch; the true number is slot T), `L` rows whose logits are wanted, `C` positions of context.
 */
export type Dim = number | "T" | "L" | "C";

/** Plain formats (`columns`: runtime/graph/columns.ts); matrices of weights carry the name of a scheme (runtime/quant), activations that of a format (runtime/act). */
export type Format = string;

/** How keys and values are kept: the variant of `kvappend` and `attention`. */
export const CACHE_FORMATS = ["f32", "f16", "i8"] as const;
export type CacheFormat = (typeof CACHE_FORMATS)[number];

export type Role = "input" | "output" | "weight" | "constant" | "state" | "value";

/** cos and sin of p · frequency_i for positions p < C, times `scale`: f32 [C, 2 · frequencies]. */
export interface RopeTable {
  readonly kind: "rope";
  readonly frequencies: readonly number[];
  readonly scale: number;
}

export interface TensorDef {
  readonly name: string;
  readonly role: Role;
  readonly format: Format;
  readonly shape: readonly Dim[];
  /** Columns [offset, offset + shape[1]) of another value. */
  readonly view?: { readonly of: string; readonly offset: number };
  readonly constant?: RopeTable;
}

export interface GraphNode {
  readonly op: string;
  /** Where in the model: `layers.3.attention.q` …; names steps in plans, errors, taps. */
  readonly name: string;
  readonly variant: string;
  readonly rows: Dim;
  /** Field of the op's record → tensor. */
  readonly tensors: Readonly<Record<string, string>>;
  /** Field of the op's record → attribute, or the name of a slot. */
  readonly attrs: Readonly<Record<string, number | string>>;
}

export interface Graph {
  readonly version: 1;
  readonly architecture: string;
  readonly tensors: readonly TensorDef[];
  readonly nodes: readonly GraphNode[];
  /** Named places for taps → tensor. `<node>.pattern` of attention nodes is a point too, made on demand. */
  readonly points: Readonly<Record<string, string>>;
  readonly vocab: number;
  /** Positions the model was made for; C is at most this. ENDLESS where no tensor has positions. */
  readonly context: number;
}

/** Context of a model that keeps no positions: its memory does not depend on how long the text is. */
export const ENDLESS = 2 ** 31 - 1;

/** u32 words in device memory that steps read: tokens of this step, position of its first token, rows of logits. */
export const SLOTS = ["T", "pos", "L"] as const;
export type Slot = (typeof SLOTS)[number];
