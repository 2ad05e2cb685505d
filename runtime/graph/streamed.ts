// A graph over images as a stream runs it: convolutions that are named go by what changed (ops events, deltaconv2d and deltadwconv2d) and keep their outputs,
// and but for depthwise ones their sums, from step to step. The same bits as the graph itself, one image a step.
import { pairsOf } from "../image/events.ts";
import type { Graph, GraphNode, TensorDef } from "./types.ts";

/** A convolution of a stream. */
export interface StreamedLayer {
  readonly name: string;
  /** Names of its list of events and of the image before in memory. */
  readonly list: string;
  readonly before: string;
  /** Is each channel convolved by itself? */
  readonly depthwise: boolean;
  readonly attrs: Readonly<Record<string, number>>;
  /** Pairs of channels of its input: as many events as there can be. */
  readonly pairs: number;
}

export interface Streamed {
  readonly graph: Graph;
  readonly layers: readonly StreamedLayer[];
}

/** Convolutions → how a stream runs them. */
const OPS: Readonly<Record<string, string>> = { conv2d: "deltaconv2d", dwconv2d: "deltadwconv2d" };

/** Names of the convolutions that can go by what changed. */
export const streamable = (graph: Graph): string[] => graph.nodes.filter((n) => n.op in OPS && n.variant !== "f32").map((n) => n.name);

/** The graph with the convolutions of `names` as a stream runs them. */
export function streamed(graph: Graph, names: readonly string[]): Streamed {
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
    const { height, width, channels, oh, ow, outputs = channels } = node.attrs as Record<string, number>;
    const depthwise = node.op === "dwconv2d";
    const list = state(`${node.name}:events`, "events", [height, width, channels]);
    const before = state(`${node.name}:before`, "image", [height, width, channels]);
    nodes.push({ op: "events", name: `${node.name}.events`, variant: "image", rows: "T", tensors: { x: inputs.x, before, list }, attrs: { height, width, channels } });
    const y = state(`${node.tensors.y}:kept`, "image", [oh, ow, outputs]);
    renamed.set(node.tensors.y, y);
    const sums: Record<string, string> = depthwise ? {} : { sums: state(`${node.name}:sums`, "sums", [oh, ow, outputs]) };
    nodes.push({ ...node, op: OPS[node.op], tensors: { ...inputs, y, list, ...sums } });
    layers.push({ name: node.name, list, before, depthwise, attrs: node.attrs as Record<string, number>, pairs: height * width * pairsOf(channels) });
  }
  return { graph: { ...graph, nodes, tensors: [...tensors.values()].filter((t) => !renamed.has(t.name)) }, layers };
}
