// A graph cut into segments at the ends of its layers, so that only one segment's weights are in memory at a time. A segment is a graph
// of its own whose inputs are what earlier segments made.
import type { Graph, GraphNode, TensorDef } from "../../../runtime/graph/types.ts";
import { reads, root, toIr, writes } from "../../../runtime/plan/ir.ts";

export interface Segment {
  /** Of its first node, for messages. */
  readonly name: string;
  readonly graph: Graph;
  /** Values it reads that earlier segments wrote, and values it writes that later ones read: f32 [T, width]. */
  readonly reads: readonly string[];
  readonly writes: readonly string[];
}

const LAYER_END = /^layers\.\d+\.(in|out)$/;

/** Segments in order; a graph without layers is one segment. */
export function segmentsOf(graph: Graph): Segment[] {
  const ir = toIr(graph);
  const lastWrite = new Map<string, number>();
  const lastRead = new Map<string, number>();
  graph.nodes.forEach((n, i) => {
    for (const t of writes(n)) lastWrite.set(root(ir, t), i);
    for (const t of reads(n)) lastRead.set(root(ir, t), i);
  });
  const ends = Object.entries(graph.points).flatMap(([point, t]) => (LAYER_END.test(point) ? [(lastWrite.get(root(ir, t)) as number) + 1] : []));
  const cuts = [...new Set([0, ...ends, graph.nodes.length])].sort((a, b) => a - b);
  const isValue = (name: string) => ir.tensors.get(name)?.role === "value";
  return cuts.slice(1).map((to, i) => {
    const from = cuts[i];
    const nodes = graph.nodes.slice(from, to);
    const roots = (of: (n: GraphNode) => string[]) => [...new Set(nodes.flatMap((n) => of(n).map((t) => root(ir, t))))].filter(isValue);
    const before = roots(reads).filter((t) => !roots(writes).includes(t));
    const after = roots(writes).filter((t) => (lastRead.get(t) ?? -1) >= to);
    return { name: nodes[0].name, graph: subgraph(graph, nodes, before, after), reads: before, writes: after };
  });
}

function subgraph(graph: Graph, nodes: readonly GraphNode[], inputs: readonly string[], outputs: readonly string[]): Graph {
  const ir = toIr(graph);
  const named = new Set(nodes.flatMap((n) => Object.values(n.tensors)));
  for (const name of [...named]) named.add(root(ir, name));
  const role = (t: TensorDef): TensorDef["role"] => (inputs.includes(t.name) ? "input" : outputs.includes(t.name) ? "output" : t.role);
  const tensors = graph.tensors.filter((t) => named.has(t.name)).map((t) => ({ ...t, role: role(t) }));
  const points = Object.fromEntries(Object.entries(graph.points).filter(([, t]) => named.has(t)));
  return { ...graph, nodes, tensors, points };
}
