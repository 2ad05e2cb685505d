// Columns of arranged matrices as calibration chooses them: learned for the linears of an input together when its turn comes, and remembered by a
// run that goes on.
import { packColumns, unpackColumns } from "../../runtime/graph/columns.ts";
import type { Graph, GraphNode, TensorDef } from "../../runtime/graph/types.ts";
import { columnsFor } from "./binarise.ts";
import type { CalibrationState } from "./calibrate/state.ts";
import type { InputStatistics } from "./calibrate/statistics.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { setColumns } from "./columns.ts";
import type { Linalg } from "./linalg/linalg.ts";
import { methodOf } from "./matrix.ts";
import { method } from "./methods/ptq161.ts";
import type { Recipe } from "./recipe.ts";
import { findWeight } from "./weights.ts";

export interface LearnContext {
  readonly c: Checkpoint;
  readonly graph: Graph;
  readonly recipe: Recipe;
  readonly la: Linalg;
}

/** Bytes of the columns of input x, by name, if its linears are to have learned ones. */
export async function learnColumns({ c, graph, recipe, la }: LearnContext, x: string, inputs: InputStatistics): Promise<ReadonlyMap<string, Uint8Array>> {
  const nodes = graph.nodes.filter((n) => n.tensors.x === x && n.tensors.columns !== undefined && methodOf(graph, recipe, n.tensors.w) === method);
  if (nodes.length === 0) return new Map();
  const rows = nodes.map((n) => n.attrs.n as number);
  const n = rows.reduce((a, b) => a + b, 0);
  const w = new Float32Array(n * inputs.k);
  let at = 0;
  for (const [i, node] of nodes.entries()) {
    w.set(await findWeight(c, weightOf(graph, node)).read(0, rows[i]), at);
    at += rows[i] * inputs.k;
  }
  const { rounds, byProduct } = { ...method.settings, ...recipe.settings };
  const columns = columnsFor(la, w, n, inputs, { rounds: rounds as number, byProduct: byProduct as boolean });
  const { columns: name } = nodes[0].tensors;
  setColumns(c, name, columns);
  return new Map([[name, packColumns(columns)]]);
}

const weightOf = (graph: Graph, node: GraphNode) => graph.tensors.find((t) => t.name === node.tensors.w) as TensorDef;

/** Takes up the columns that an earlier run has learned. */
export function recallColumns(c: Checkpoint, graph: Graph, state: CalibrationState): void {
  for (const t of graph.tensors) {
    const packed = t.format === "columns" ? state.packed(t.name) : undefined;
    if (packed) setColumns(c, t.name, unpackColumns(packed, t.shape[0] as number));
  }
}
