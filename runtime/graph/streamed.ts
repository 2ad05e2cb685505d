// A graph over images as a stream runs it: convolutions that are named go by what changed (ops events and deltaconv2d) and keep their sums and outputs from
// step to step. The same bits as the graph itself, one image a step.
import { pairsOf } from "../image/events.ts";
import type { Graph, GraphNode, TensorDef } from "./types.ts";

/** A convolution of a stream. */
export interface StreamedLayer {
  readonly name: string;
  /** Name of its list of events in memory. */
  readonly list: string;
  readonly attrs: Readonly<Record<string, number>>;
  /** Events up to which a step goes by them. */
  readonly most: number;
}

export interface Streamed {
  readonly graph: Graph;
  readonly layers: readonly StreamedLayer[];
}

/** Names of the convolutions that can go by what changed. */
export const streamable = (graph: Graph): string[] => graph.nodes.filter((n) => n.op === "conv2d" && n.variant !== "f32").map((n) => n.name);

/**
 * The graph with the convolutions of `names` as a stream runs them.
 * @param breakEven share of the pairs of channels that may change before computing all is faster
 */
export function streamed(graph: Graph, names: readonly string[], breakEven: number): Streamed {
  const tensors = new Map(graph.tensors.map((t) => [t.name, t]));
  const renamed = new Map<string, string>();
  const layers: StreamedLayer[] = [];
  const nodes: GraphNode[] = [];
  const state = (name: string, format: string, shape: readonly number[]) => {
    tensors.set(name, { name, role: "state", format, shape: [1, ...shape] } as TensorDef);
    return name;
  };
  for (const node of graph.nodes) {
    const inputs = Object.fromEntries(Object.entries(node.tensors).map(([field, t]) => [field, renamed.get(t) ?? t]));
    if (!names.includes(node.name)) {
      nodes.push({ ...node, tensors: inputs });
      continue;
    }
    const a = node.attrs as Record<string, number>;
    const sides = [a.height, a.width, a.channels];
    const list = state(`${node.name}:events`, "events", sides);
    const before = state(`${node.name}:before`, "image", sides);
    const { height, width, channels } = a;
    nodes.push({ op: "events", name: `${node.name}.events`, variant: "image", rows: "T", tensors: { x: inputs.x, before, list }, attrs: { height, width, channels } });
    const y = state(`${node.tensors.y}:kept`, "image", [a.oh, a.ow, a.outputs]);
    renamed.set(node.tensors.y, y);
    const sums = state(`${node.name}:sums`, "sums", [a.oh, a.ow, a.outputs]);
    const most = Math.floor(breakEven * height * width * pairsOf(channels));
    nodes.push({ ...node, op: "deltaconv2d", tensors: { ...inputs, y, list, sums }, attrs: { ...a, most } });
    layers.push({ name: node.name, list, attrs: a, most });
  }
  return { graph: { ...graph, nodes, tensors: [...tensors.values()].filter((t) => !renamed.has(t.name)) }, layers };
}
