// Memory of what a recurrent model remembers, beside the key/value caches of a transformer of equal size: as wide, with half as many layers, as a layer of
// attention and feed-forward has 12 · width² weights and a Mamba layer 6 · width² (Gu & Dao 2023, section 3.4); keys and values in f16, none shared.
import type { Graph } from "../../runtime/graph/types.ts";

export interface StateMemory {
  readonly model: string;
  /** Bytes, however long the text is. */
  readonly state: number;
}

export interface CacheMemory {
  readonly tokens: number;
  readonly bytes: number;
}

export const LENGTHS = [2048, 32768] as const;
const BYTES = 2;

/** Layers of the graph and the width between them. */
export function shapeOf(graph: Graph): { readonly layers: number; readonly width: number } {
  const layers = Object.keys(graph.points).filter((p) => /^layers\.\d+\.out$/.test(p));
  const width = graph.tensors.find((t) => t.name === graph.points[layers[0]])?.shape[1] as number;
  return { layers: layers.length, width };
}

/** Caches of a transformer of equal size behind texts of LENGTHS. */
export function cachesOf(graph: Graph): CacheMemory[] {
  const { layers, width } = shapeOf(graph);
  return LENGTHS.map((tokens) => ({ tokens, bytes: 2 * BYTES * Math.ceil(layers / 2) * width * tokens }));
}
