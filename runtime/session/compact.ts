// The compact store of mode core (specs/coreinfer.md §4.6): rows of a layer's core copied one behind the other, so that a step reads one stream of memory and
// no list. There is room for one core a layer, reserved when the model was loaded; the store knows whose rows it holds.
import { coreSize } from "../cores/rank.ts";
import { isCompact, readList, writeList } from "../ops/select/list.ts";
import { copyRows, scheme } from "../quant/q4n.ts";
import type { FfnLayer } from "./ffnlayer.ts";

/** Where rows of cores are read: copied together, or where they lie. */
export const STORES = ["compact", "gather"] as const;
export type Store = (typeof STORES)[number];

export class CompactStore {
  /** By layer: the core whose rows are there. */
  private readonly held = new Map<FfnLayer, Uint32Array>();

  /** Is there room for this share of the neurons of a layer? */
  static fits(l: FfnLayer, beta: number): boolean {
    return coreSize(l.neurons, beta) <= l.room;
  }

  /** Nothing is held any more: the weights are others. */
  clear(): void {
    this.held.clear();
  }

  /**
   * Writes a core of a layer, or (undefined) that all neurons are read. How: its rows are read where they lie; in order, if they are held; in order, and
   * are copied for it if they fit.
   */
  write(l: FfnLayer, core: Uint32Array | undefined, how: "gather" | "held" | "copy"): void {
    if (core && how === "copy" && core.length <= l.room && this.held.get(l) !== core) {
      for (const { all, compact, k } of l.matrices) copyRows(all, compact, core, k);
      this.held.set(l, core);
    }
    writeList(l.core, l.neurons, core, core !== undefined && how !== "gather" && this.held.get(l) === core);
  }
}

/** Is a layer's core, if it has one, read where its rows were copied to? */
export function storeOf({ core }: FfnLayer): Store | undefined {
  return readList(core) && (isCompact(core) ? "compact" : "gather");
}

/** Bytes of a layer's copied rows, 0 where none are read. */
export function compactBytes(l: FfnLayer): number {
  return storeOf(l) === "compact" ? l.matrices.reduce((sum, { k }) => sum + scheme.bytes(l.core[0], k), 0) : 0;
}
