// Ops with a recurrent state in int8: the variants of conv1d and scan that a recipe asks for, and back to f32 for calibration.
import type { Graph, GraphNode, TensorDef } from "../../runtime/graph/types.ts";
import { OPS } from "../../runtime/ops/catalogue.gen.ts";

/** How a recipe wants the scan and the convolution before it: inputs in int8 with static ranges. */
export interface ScanRecipe {
  /** How states are kept. */
  readonly states: "f32" | "i8";
  /** Share of the magnitudes of the scan's input that its range holds, 1 = all; `sweep` tries some on the calibration text (sweep.ts). */
  readonly clip: number | "sweep";
}

/** Variant of an op under the recipe; undefined for ops that have none. */
const variantOf = (n: GraphNode, { states }: ScanRecipe) => ({ conv1d: "i8", scan: states === "i8" ? "i8i8" : "i8f32" })[n.op];

const isRecurrent = (n: GraphNode) => Object.keys(OPS[n.op].quantised).length > 0;

/** Formats of a node's states are those of its variant. */
function statesOf(n: GraphNode, variant: string): [string, string][] {
  return Object.entries(OPS[n.op].states).flatMap(([field, stem]): [string, string][] => (n.tensors[field] ? [[n.tensors[field], `${stem}_${variant}`]] : []));
}

/** The graph with every scan and convolution in int8; `withRanges` adds their ranges. */
export function withInt8(graph: Graph, recipe: ScanRecipe): Graph {
  // Convolutions of models without a scan (RWKV's mix of two tokens) are none of Mamba's.
  if (!graph.nodes.some((n) => n.op === "scan" || n.op === "ssd")) return graph;
  const counters: TensorDef[] = [];
  const nodes = graph.nodes.map((n) => {
    const variant = variantOf(n, recipe);
    if (variant === undefined) return n;
    if (!OPS[n.op].needs[variant].includes("saturations")) return { ...n, variant };
    const saturations = `${n.name}.saturations`;
    counters.push({ name: saturations, role: "state", format: `saturations_${variant}`, shape: [2, n.attrs.channels as number] });
    return { ...n, variant, tensors: { ...n.tensors, saturations } };
  });
  return withFormats({ ...graph, nodes, tensors: [...graph.tensors, ...counters] });
}

/** The graph as it was before `withInt8` and `withRanges`. */
export function withoutInt8(graph: Graph): Graph {
  const nodes = graph.nodes.map((n) => {
    if (!isRecurrent(n)) return n;
    const tensors = Object.fromEntries(Object.entries(n.tensors).filter(([field]) => !field.startsWith("range") && field !== "saturations"));
    return { ...n, variant: "f32", tensors };
  });
  const used = new Set(nodes.flatMap((n) => Object.values(n.tensors)));
  return withFormats({ ...graph, nodes, tensors: graph.tensors.filter((t) => !t.format.startsWith("saturations") || used.has(t.name)) });
}

function withFormats(graph: Graph): Graph {
  const formats = new Map(graph.nodes.filter(isRecurrent).flatMap((n) => statesOf(n, n.variant)));
  return { ...graph, tensors: graph.tensors.map((t) => (formats.has(t.name) ? { ...t, format: formats.get(t.name) as string } : t)) };
}
