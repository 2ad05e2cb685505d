// Feed-forward layers that can leave out neurons: what each of them does, switched between steps, and what that came to.
import { checkOrigin, parseClusters } from "../cores/clusters.ts";
import { SkintError } from "../errors.ts";
import type { Graph } from "../graph/types.ts";
import type { HasherFactory } from "../io/hash.ts";
import { CONTROL, FFN_MODES, type FfnMode } from "../ops/select/control.ts";
import { LIST_HEAD } from "../ops/select/list.ts";
import type { Program } from "../plan/device.ts";
import { normsOf } from "../plan/neurons.ts";
import type { Plan } from "../plan/types.ts";
import { scheme } from "../quant/q4n.ts";
import { drawn } from "./breakeven.ts";
import { CompactStore, type Store, storeOf } from "./compact.ts";
import type { CoreOptions } from "./coreoptions.ts";
import { type CoreReport, Cores } from "./cores.ts";
import { bytesOf, type FfnLayer, f32, ffnLayers, rowsIn, rowsRead } from "./ffnlayer.ts";

export interface FfnOptions extends CoreOptions {
  readonly mode: FfnMode;
  /** Contribution |h_i| · ‖w_i‖ below which `cett` drops a neuron; default: what the model was calibrated to. */
  readonly eps?: number;
  /** Neurons that `topk` keeps; default: what the model was calibrated to. */
  readonly topk?: number;
}

/** What a layer did in decode steps since the last `clear`. */
export interface FfnLayerReport {
  /** Its last linear's place in the model. */
  readonly layer: string;
  readonly mode: FfnMode;
  readonly neurons: number;
  readonly steps: number;
  /** Shares of the rows of the first matrix, of `up`, and of `down` that were not read. */
  readonly skipped: { readonly first: number; readonly up: number; readonly down: number };
  /** Steps that did all rows because a list was longer than the limit. */
  readonly fallbacks: number;
  /** Neurons from which on all rows are faster than a list of them. */
  readonly limit: number;
  /** Where the rows of its core are read, if it has one now. */
  readonly store?: Store;
}

export interface FfnReport {
  readonly mode: FfnMode | "mixed";
  /** Why it is this one. */
  readonly why: string;
  readonly steps: number;
  /** Share of all feed-forward rows that decode steps did not read. */
  readonly skipped: number;
  /** Share of a layer's neurons beyond which lists are not walked, and where it comes from. */
  readonly limit: { readonly share: number; readonly from: LimitFrom };
  /** What mode core did. */
  readonly core?: CoreReport;
  readonly layers: readonly FfnLayerReport[];
}

/** Of limits: a guess, until it is measured; measured when the model was loaded, or in a load before; set by a program. */
export type LimitFrom = "default" | "measured" | "kept" | "given";

/** Share of a layer's neurons from which on lists are not walked, where the machine is not measured. */
export const DEFAULT_LIMIT = 0.75;

const bad = (message: string, what: string): never => {
  throw new SkintError("usage", message, { what });
};

export class Ffn {
  /** Cores of texts, which mode core goes by. */
  readonly cores: Cores;
  private readonly layers: readonly FfnLayer[];
  private why = "as the model says";
  private limit: FfnReport["limit"] = { share: DEFAULT_LIMIT, from: "default" };

  private readonly store = new CompactStore();

  /** @param plans those of the program */
  constructor(
    graph: Graph,
    private readonly program: Program,
    plans: readonly Plan[] = [],
  ) {
    this.layers = ffnLayers(graph, program, plans);
    this.cores = new Cores(this.layers, this.store);
    this.setLimit(DEFAULT_LIMIT, "default");
  }

  /** Does the model lie by neurons? Else nothing can be left out. */
  get there(): boolean {
    return this.layers.length > 0;
  }

  /** Names of the layers, in order. */
  get names(): string[] {
    return this.layers.map((l) => l.name);
  }

  /** Sets every layer to what the model was made with. Call it when the weights are in place. */
  reset(): void {
    this.store.clear();
    this.restore(this.layers);
    this.why = "as the model says";
    this.clear();
  }

  /**
   * Sets what layers do from the next step on: all of them, or those named. Mode core keeps to the inner layers unless some are named; all others do what
   * the model says, and texts have a core from their next prompt on. Throws `usage` where the model does not lie by neurons, a layer is unknown, or what
   * the mode needs is missing or out of range; nothing has changed then.
   */
  set(options: FfnOptions, layers?: readonly string[], why = "as asked"): void {
    if (!this.there) bad("this model's feed-forward layers do not lie by neurons, so that none can be left out; compress it with the recipe w4n", "ffn");
    if (options.mode === "core") this.setCores(options, layers ? layers.map((name) => this.named(name)) : this.cores.usual);
    else {
      const chosen = layers ? layers.map((name) => this.named(name)) : this.layers;
      for (const l of chosen) check(l, options);
      this.cores.release(chosen);
      for (const l of chosen) this.apply(l, options);
    }
    this.why = why;
  }

  private setCores(options: FfnOptions, chosen: readonly FfnLayer[]): void {
    this.cores.check(options, chosen);
    this.restore(this.layers);
    for (const l of chosen) this.apply(l, options);
    this.cores.start(options, chosen);
  }

  private restore(layers: readonly FfnLayer[]): void {
    this.cores.release(layers);
    for (const l of layers) this.apply(l, { mode: FFN_MODES[l.node.attrs.mode as number] });
  }

  private named(name: string): FfnLayer {
    return this.layers.find((l) => l.name === name) ?? bad(`there is no feed-forward layer ${name}; there are ${this.names.join(", ")}`, name);
  }

  /**
   * Sets a layer to mode `core` with these neurons, for all texts, until another mode or core is set. Their rows are copied together where the model was
   * loaded with room for them (`core`), unless `store` says otherwise. Throws `usage` where a number is out of range, or they do not ascend.
   */
  setCore(layer: string, core: ArrayLike<number>, store: Store = "compact"): void {
    const l = this.named(layer);
    for (let i = 0; i < core.length; i++)
      if (!Number.isInteger(core[i]) || core[i] < 0 || core[i] >= l.neurons || (i > 0 && core[i] <= core[i - 1]))
        bad(`entry ${i} of the core of ${layer} is ${core[i]}; give numbers of neurons from 0 to ${l.neurons - 1}, each greater than the one before`, layer);
    this.cores.release([l]);
    this.apply(l, { mode: "core" });
    this.store.write(l, Uint32Array.from(core), store === "compact" ? "copy" : "gather");
    this.why = "a core that was given";
  }

  /** Sets layers to random neurons, a share of each one's own, whose rows are read where they lie, or (undefined) to all of them, and begins to count anew: what time is measured on. */
  draw(names: readonly string[], share: number | undefined, random: { below(n: number): number }): void {
    if (share === undefined) this.set({ mode: "dense" }, names);
    else for (const { name, neurons } of names.map((n) => this.named(n))) this.setCore(name, drawn(neurons, Math.max(1, Math.round(share * neurons)), random), "gather");
    this.clear();
  }

  /** Takes over the clusters of texts that came with the weights, which are in place. Throws `format.*` for a malformed document, or one of other weights. */
  setClusters(document: string, sha256: HasherFactory): void {
    const clusters = parseClusters(document, new Map(this.layers.map((l) => [l.name, l.neurons])));
    checkOrigin(clusters, bytesOf(this.program, this.named(clusters.probe).node.tensors.w), sha256);
    this.cores.clusters = clusters;
  }

  /** Lists of more than `share` of a layer's neurons are not walked: all rows are read, with the same bits. Throws `usage` for a share outside 0…1. */
  setLimit(share: number, from: LimitFrom = "given"): void {
    if (!(share >= 0 && share <= 1)) bad(`the limit of lists is ${share}; give a share from 0 to 1`, "limit");
    this.limit = { share, from };
    for (const l of this.layers) l.control[CONTROL.limit] = Math.floor(share * l.neurons);
  }

  /** Begins to count anew. */
  clear(): void {
    for (const l of this.layers) l.control.fill(0, CONTROL.steps);
  }

  /** Share of all feed-forward rows that decode steps read; 1 before the first. */
  get read(): number {
    const all = this.layers.reduce((sum, l) => sum + l.control[CONTROL.steps] * rowsIn(l), 0);
    return all ? this.layers.reduce((sum, l) => sum + rowsRead(l), 0) / all : 1;
  }

  report(): FfnReport | undefined {
    if (!this.there) return undefined;
    const layers = this.layers.map((l) => ({ ...reportOf(l), ...(this.cores.has(l) ? { mode: "core" as const } : {}) }));
    const modes = new Set(layers.map((l) => l.mode));
    const mode = this.cores.on ? "core" : modes.size === 1 ? layers[0].mode : "mixed";
    const core = this.cores.report();
    return { mode, why: this.why, steps: layers[0].steps, skipped: 1 - this.read, limit: this.limit, ...(core ? { core } : {}), layers };
  }

  private apply(l: FfnLayer, { mode, eps, topk }: FfnOptions): void {
    l.control[CONTROL.mode] = FFN_MODES.indexOf(mode);
    // A core that is left behind would go on to limit the first matrix.
    if (mode !== "core") l.core.fill(0, 0, LIST_HEAD);
    l.control[CONTROL.warm] = 0;
    l.floats[CONTROL.eps] = eps ?? (l.node.attrs.eps as number);
    l.control[CONTROL.topk] = topk ?? (l.node.attrs.topk as number);
    if (mode === "cett") this.norms(l);
  }

  /** Norms of the neurons' rows as they stand: what a neuron adds to y is h times its row. */
  private norms(l: FfnLayer): void {
    const { codes, scales } = scheme.unpack(bytesOf(this.program, l.node.tensors.w), l.neurons, l.width);
    const channels = f32(this.program, l.node.tensors.channels);
    const norms = f32(this.program, normsOf(l.name));
    for (let i = 0; i < l.neurons; i++) {
      let sum = 0;
      for (let c = 0; c < l.width; c++) sum += (codes[i * l.width + c] * channels[c]) ** 2;
      norms[i] = scales[i] * Math.sqrt(sum);
    }
  }
}

function check(l: FfnLayer, { mode, eps, topk }: FfnOptions): void {
  if (!FFN_MODES.includes(mode)) bad(`the feed-forward mode ${mode} is none of ${FFN_MODES.join(", ")}`, "mode");
  if (eps !== undefined && !(eps >= 0 && Number.isFinite(eps))) bad(`eps is ${eps}; give a number of 0 or more`, "eps");
  const most = topk ?? (l.node.attrs.topk as number);
  if ((mode === "topk" || topk !== undefined) && !(Number.isInteger(most) && most >= 1 && most <= l.neurons))
    bad(`topk is ${topk ?? "not given, and the model was not calibrated for it"}; give a whole number from 1 to ${l.neurons}`, "topk");
  if (mode === "cett" && eps === undefined && l.node.attrs.eps === 0) bad("the model was not calibrated for cett; give eps", "eps");
}

function reportOf(l: FfnLayer): FfnLayerReport {
  const { name, neurons, control, gated } = l;
  const store = storeOf(l);
  const steps = control[CONTROL.steps];
  const skipped = (rows: number) => (steps ? 1 - rows / (steps * neurons) : 0);
  const up = gated ? skipped(control[CONTROL.upRows]) : 0;
  return {
    layer: name,
    mode: FFN_MODES[control[CONTROL.mode]],
    neurons,
    steps,
    skipped: { first: skipped(control[CONTROL.firstRows]), up, down: skipped(control[CONTROL.downRows]) },
    fallbacks: control[CONTROL.fallbacks],
    limit: control[CONTROL.limit],
    ...(store ? { store } : {}),
  };
}
