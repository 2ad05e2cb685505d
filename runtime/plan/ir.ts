// The graph while it is being lowered: nodes and tensors that passes may replace.
import { SkintError } from "../errors.ts";
import type { Graph, GraphNode, TensorDef } from "../graph/types.ts";
import { OPS } from "../ops/catalogue.gen.ts";

export interface Ir {
  nodes: GraphNode[];
  readonly tensors: Map<string, TensorDef>;
}

export function toIr(graph: Graph): Ir {
  return { nodes: [...graph.nodes], tensors: new Map(graph.tensors.map((t) => [t.name, t])) };
}

export function tensor(ir: Ir, name: string): TensorDef {
  const t = ir.tensors.get(name);
  if (!t) throw new SkintError("graph.invalid", `the graph names tensor ${name}, which it does not define`, { what: name });
  return t;
}

/** The tensor whose memory `name` lives in. */
export function root(ir: Ir, name: string): string {
  const t = tensor(ir, name);
  return t.view ? t.view.of : name;
}

export function writes(node: GraphNode): string[] {
  return fieldsOf(node, (kind) => kind.startsWith("out") || kind === "inout");
}

export function reads(node: GraphNode): string[] {
  return fieldsOf(node, (kind) => kind.startsWith("in"));
}

function fieldsOf(node: GraphNode, wanted: (kind: string) => boolean): string[] {
  return Object.entries(node.tensors)
    .filter(([field]) => wanted(OPS[node.op].fields[field]))
    .map(([, name]) => name);
}

/** Nodes that read the memory of tensor `name` (itself, its root or its views). */
export function readers(ir: Ir, name: string): GraphNode[] {
  const memory = root(ir, name);
  return ir.nodes.filter((n) => reads(n).some((r) => root(ir, r) === memory));
}

export function writersOf(ir: Ir, name: string): GraphNode[] {
  const memory = root(ir, name);
  return ir.nodes.filter((n) => writes(n).some((w) => root(ir, w) === memory));
}
