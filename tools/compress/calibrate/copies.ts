// Operands that calibration looks at where they are no points of the graph: a copy of each right before the node that reads it, as some nodes
// overwrite what they read. States are looked at where they are.
import type { Graph, TensorDef } from "../../../runtime/graph/types.ts";

export interface Observed {
  /** What it is called: `<node>.<field>`. */
  readonly point: string;
  readonly tensor: string;
  /** The node that reads it. */
  readonly before: string;
}

/** The graph with an output `tap:<point>` for each, as lowering makes them of points. */
export function withCopies(graph: Graph, observed: readonly Observed[]): Graph {
  const tensorOf = (name: string) => graph.tensors.find((t) => t.name === name) as TensorDef;
  const values = observed.filter((o) => tensorOf(o.tensor).role !== "state");
  const copies = (before: string) =>
    values
      .filter((o) => o.before === before)
      .map(({ point, tensor }) => {
        const { shape } = tensorOf(tensor);
        return { op: "copy", name: `tap:${point}`, variant: "rows", rows: shape[0], tensors: { x: tensor, y: `tap:${point}` }, attrs: { k: shape[1] as number } };
      });
  return {
    ...graph,
    nodes: graph.nodes.flatMap((n) => [...copies(n.name), n]),
    tensors: [...graph.tensors, ...values.map(({ point, tensor }): TensorDef => ({ name: `tap:${point}`, role: "output", format: "f32", shape: tensorOf(tensor).shape }))],
    points: { ...graph.points, ...Object.fromEntries(observed.map(({ point, tensor }) => [point, tensor])) },
  };
}
