// Ranges of inputs whose activation format is static (i8static): a weight f32 [1] for each, shared by the linears that read it, which holds the
// greatest magnitude that calibration meets.
import { ACTS } from "../../runtime/act/catalogue.gen.ts";
import type { Graph, GraphNode, TensorDef } from "../../runtime/graph/types.ts";
import type { InputStatistics, Need } from "./calibrate/statistics.ts";

const isStatic = (n: GraphNode) => n.op === "linear" && ACTS[n.variant]?.rows !== undefined;

/** The graph with a range for every input that a linear wants one of, named after the first such linear. */
export function withRanges(graph: Graph): Graph {
  const ranges = new Map<string, TensorDef>();
  const nodes = graph.nodes.map((n) => {
    if (!isStatic(n)) return n;
    const have = ranges.get(n.tensors.x) ?? { name: `${n.name}.range`, role: "weight", format: "f32", shape: [1] };
    ranges.set(n.tensors.x, have);
    return { ...n, tensors: { ...n.tensors, range: have.name } };
  });
  return { ...graph, nodes, tensors: [...graph.tensors, ...ranges.values()] };
}

/** What a range needs to be known of the input of a matrix. */
export function needsOfRange(graph: Graph, weight: string): readonly Need[] {
  return graph.nodes.some((n) => n.tensors.w === weight && isStatic(n)) ? ["channels"] : [];
}

/** The bytes of the range of input x, if it has one. */
export function rangeOf(graph: Graph, x: string, statistics: InputStatistics): ReadonlyMap<string, Uint8Array> {
  const name = graph.nodes.find((n) => n.tensors.x === x && isStatic(n))?.tensors.range;
  if (name === undefined) return new Map();
  const greatest = statistics.channels?.absmax.reduce((most, v) => Math.max(most, v), 0) ?? 0;
  return new Map([[name, new Uint8Array(Float32Array.of(greatest).buffer)]]);
}
