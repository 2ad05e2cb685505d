// The graph while it is being lowered: nodes and tensors that passes may replace.
import { SkintError } from "../errors.ts";
import type { Graph, GraphNode, TensorDef } from "../graph/types.ts";
import { OPS } from "../ops/catalogue.gen.ts";
import { linearVariant } from "../ops/linear/variant.ts";

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

/** Variant of a node's kernels: formats of weights are part of it. */
export function variantOf(ir: Ir, n: GraphNode): string {
  if (n.op === "linear") return linearVariant(tensor(ir, n.tensors.w).format, n.variant);
  if (n.op === "embed") return tensor(ir, n.tensors.table).format;
  return n.variant;
}

export function writes(node: GraphNode): string[] {
  return fieldsOf(node, (kind) => kind.startsWith("out") || kind.startsWith("inout"));
}

export function reads(node: GraphNode): string[] {
  return fieldsOf(node, (kind) => kind.startsWith("in"));
}

/** The node with other names for its tensors. */
export function renamed(node: GraphNode, name: (t: string) => string): GraphNode {
  return { ...node, tensors: Object.fromEntries(Object.entries(node.tensors).map(([field, t]) => [field, name(t)])) };
}

function fieldsOf(node: GraphNode, wanted: (kind: string) => boolean): string[] {
  return Object.entries(node.tensors)
    .filter(([field]) => wanted(OPS[node.op].fields[field]))
    .map(([, name]) => name);
}

/** Who reads and writes each piece of memory (a tensor's root), in order; true for the nodes of `ir` at the time of the call. */
export interface Uses {
  readers(name: string): readonly GraphNode[];
  writers(name: string): readonly GraphNode[];
}

export function usesOf(ir: Ir): Uses {
  const readers = new Map<string, GraphNode[]>();
  const writers = new Map<string, GraphNode[]>();
  const note = (map: Map<string, GraphNode[]>, node: GraphNode, names: string[]) => {
    for (const memory of new Set(names.map((n) => root(ir, n)))) {
      const have = map.get(memory);
      if (have) have.push(node);
      else map.set(memory, [node]);
    }
  };
  for (const n of ir.nodes) {
    note(readers, n, reads(n));
    note(writers, n, writes(n));
  }
  return { readers: (name) => readers.get(root(ir, name)) ?? [], writers: (name) => writers.get(root(ir, name)) ?? [] };
}

/** One sweep: nodes before others, behind others, instead of others (null: dropped). */
export class Rewrite {
  private readonly before = new Map<GraphNode, GraphNode[]>();
  private readonly after = new Map<GraphNode, GraphNode[]>();
  private readonly instead = new Map<GraphNode, GraphNode | null>();

  insertBefore(node: GraphNode, added: GraphNode): void {
    this.before.set(node, [...(this.before.get(node) ?? []), added]);
  }

  insertAfter(node: GraphNode, added: GraphNode): void {
    this.after.set(node, [...(this.after.get(node) ?? []), added]);
  }

  replace(node: GraphNode, by: GraphNode | null): void {
    this.instead.set(node, by);
  }

  apply(ir: Ir): void {
    ir.nodes = ir.nodes.flatMap((n) => {
      const by = this.instead.get(n);
      return [...(this.before.get(n) ?? []), ...(by === null ? [] : [by ?? n]), ...(this.after.get(n) ?? [])];
    });
  }
}
