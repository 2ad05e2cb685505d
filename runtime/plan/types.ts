// A plan: typed steps over tensors, with what each costs and why its kernel was chosen. Device-neutral; a device turns steps into bytes.
import type { Symbols } from "../graph/formats.ts";
import type { Dim, Slot, TensorDef } from "../graph/types.ts";

export interface Cost {
  /** Bytes read and written at the plan's symbol values, caches aside. */
  readonly bytes: number;
  /** Multiply-adds. */
  readonly macs: number;
}

export interface Step {
  readonly op: string;
  readonly variant: string;
  /** `<family>_<variant>__<isa>`. */
  readonly kernel: string;
  /** Place in the model, for messages and printing. */
  readonly name: string;
  /** Symbol or number whose cell the `rows` field points to. */
  readonly rows: Dim;
  readonly tensors: Readonly<Record<string, string>>;
  readonly attrs: Readonly<Record<string, number>>;
  readonly slots: Readonly<Record<string, Slot>>;
  /** Into how many pieces the step is cut for threads. */
  readonly units: number;
  readonly why: string;
  readonly cost: Cost;
}

export interface Plan {
  readonly name: string;
  readonly symbols: Symbols;
  readonly steps: readonly Step[];
  readonly tensors: ReadonlyMap<string, TensorDef>;
  /** Byte offset in the arena of every `value` that is not a view. */
  readonly arena: ReadonlyMap<string, number>;
  readonly arenaBytes: number;
  /** Weights that must lie one behind the other without a gap, in this order. */
  readonly adjacent: readonly (readonly string[])[];
}

export interface LowerOptions {
  readonly name: string;
  readonly symbols: Symbols;
  /** Kernel names the device has. */
  readonly kernels: readonly string[];
  /** Fold additions into linears, quantisers into norms, neighbouring linears into one step. Same bits either way. */
  readonly fuse: boolean;
  /** Logits of the last token of the step, or of every token. */
  readonly logits: "last" | "all";
  /** Points whose tensors are copied out: each becomes an output named `tap:<point>`. */
  readonly taps: readonly string[];
  /** Share of a feed-forward layer's neurons for whose rows plans of one token have compact matrices (runtime/plan/neurons.ts); default: they have none. */
  readonly core?: number;
}
