// Columns of matrices whose scheme wants them arranged (runtime/graph/columns.ts): which linears share them, which are salient, rows in their order.
import { arrange, type Columns, greatestColumns } from "../../runtime/graph/columns.ts";
import type { Graph, GraphNode, TensorDef } from "../../runtime/graph/types.ts";
import { SCHEMES } from "../../runtime/quant/catalogue.gen.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { findWeight, type ReadRows, type StoredWeight } from "./weights.ts";

const isArranged = (graph: Graph, n: GraphNode) => n.op === "linear" && SCHEMES[graph.tensors.find((t) => t.name === n.tensors.w)?.format ?? ""]?.arranged === true;

/** The graph with a tensor of columns for each input that linears with arranged weights read, named after the first of them. */
export function withColumns(graph: Graph): Graph {
  const columns = new Map<string, TensorDef>();
  const nodes = graph.nodes.map((n) => {
    if (!isArranged(graph, n)) return n;
    const have = columns.get(n.tensors.x) ?? { name: `${n.name}.columns`, role: "weight", format: "columns", shape: [n.attrs.k as number] };
    columns.set(n.tensors.x, have);
    return { ...n, tensors: { ...n.tensors, columns: have.name } };
  });
  return { ...graph, nodes, tensors: [...graph.tensors, ...columns.values()] };
}

/** Rows of a matrix handled at a time. */
const ROWS = 64;

const CHOSEN = new WeakMap<Checkpoint, Map<string, Promise<Columns>>>();

function chosenOf(c: Checkpoint): Map<string, Promise<Columns>> {
  const chosen = CHOSEN.get(c) ?? new Map<string, Promise<Columns>>();
  CHOSEN.set(c, chosen);
  return chosen;
}

/** Columns of a tensor of columns: those that calibration chose, else those where the weights of all linears that share them are greatest. */
export function columnsNamed(c: Checkpoint, graph: Graph, name: string): Promise<Columns> {
  const chosen = chosenOf(c);
  const have = chosen.get(name) ?? choose(c, graph, name);
  chosen.set(name, have);
  return have;
}

/** Columns that calibration chose, before anything is arranged by them. */
export function setColumns(c: Checkpoint, name: string, columns: Columns): void {
  chosenOf(c).set(name, Promise.resolve(columns));
}

/** Columns of a matrix; undefined if its scheme wants none. */
export async function columnsOf(c: Checkpoint, graph: Graph, t: TensorDef): Promise<Columns | undefined> {
  const name = graph.nodes.find((n) => n.tensors.w === t.name)?.tensors.columns;
  return name === undefined ? undefined : columnsNamed(c, graph, name);
}

async function choose(c: Checkpoint, graph: Graph, name: string): Promise<Columns> {
  const weights = graph.nodes.filter((n) => n.tensors.columns === name).map((n) => n.tensors.w);
  const matrices = graph.tensors.filter((t) => weights.includes(t.name));
  const energy = new Float64Array(matrices[0].shape[1] as number);
  for (const t of matrices) {
    const { read } = findWeight(c, t);
    const n = t.shape[0] as number;
    for (let row = 0; row < n; row += ROWS) {
      const w = await read(row, Math.min(ROWS, n - row));
      for (let i = 0; i < w.length; i++) energy[i % energy.length] += w[i] ** 2;
    }
  }
  return greatestColumns(energy);
}

/** Reads rows in the order their scheme wants. Factors multiply activations, so weights are divided by them. */
export function arrangedRows(read: ReadRows, { salient, factors }: Columns, k: number): ReadRows {
  const order = { salient, factors: factors.map((f) => 1 / f) };
  return async (row, rows) => {
    const w = await read(row, rows);
    for (let r = 0; r < rows; r++) w.set(arrange(w.subarray(r * k, (r + 1) * k), order), r * k);
    return w;
  };
}

/** A stored weight whose rows are in that order. */
export const arranged = (stored: StoredWeight, columns: Columns, k: number): StoredWeight => ({
  ...stored,
  read: arrangedRows(stored.read, columns, k),
  readBlocks: undefined,
});
