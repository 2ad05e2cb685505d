// Ranges of what is quantised with a scale that is known beforehand: a weight f32 [1] for each input that linears multiply in a static format
// (i8static, had8) or that int8 variants of conv1d and scan read, shared by who reads it in the same way; f32 [states] for int8 states.
// A range is the greatest magnitude that calibration meets; that of a scan's input x leaves the rarest out (Quamba, Chiang et al. 2024).
import { ACTS } from "../../runtime/act/catalogue.gen.ts";
import type { Graph, GraphNode, TensorDef } from "../../runtime/graph/types.ts";
import { OPS } from "../../runtime/ops/catalogue.gen.ts";
import type { InputStatistics, Magnitudes, Need } from "./calibrate/statistics.ts";
import type { ScanRecipe } from "./recurrent.ts";

/** One operand of a node that has a range. */
interface Ranged {
  readonly node: GraphNode;
  /** The operand, and the operand that holds its range. */
  readonly field: string;
  readonly range: string;
  readonly need: Need;
}

const isStatic = (n: GraphNode) => n.op === "linear" && ACTS[n.variant]?.rows !== undefined;

const rotates = (n: GraphNode) => ACTS[n.variant]?.rotated === true;

function rangedOf(node: GraphNode): Ranged[] {
  if (isStatic(node)) return [{ node, field: "x", range: "range", need: rotates(node) ? "rotated" : "channels" }];
  const { quantised, needs } = OPS[node.op];
  if (node.variant === "f32" || Object.keys(quantised).length === 0) return [];
  const inputs = Object.entries(quantised).map(([field, range]): Ranged => ({ node, field, range, need: node.op === "scan" && field === "x" ? "magnitudes" : "channels" }));
  const states = (needs[node.variant] ?? []).includes("rangehidden") ? [{ node, field: "hidden", range: "rangehidden", need: "channels" as const }] : [];
  return [...inputs, ...states];
}

/** Rows that are transformed have another range. */
const keyOf = ({ node, field, need }: Ranged) => `${node.tensors[field]}${need === "rotated" ? ":rotated" : ""}`;

/** The graph with a range for every operand that wants one, named after the first node that does. */
export function withRanges(graph: Graph): Graph {
  const ranges = new Map<string, TensorDef>();
  const nodes = graph.nodes.map((n) => {
    const tensors = { ...n.tensors };
    for (const r of rangedOf(n)) {
      const length = r.field === "hidden" ? (n.attrs.states as number) : 1;
      const have = ranges.get(keyOf(r)) ?? { name: `${n.name}.${r.range}`, role: "weight", format: "f32", shape: [length] };
      ranges.set(keyOf(r), have);
      tensors[r.range] = have.name;
    }
    return { ...n, tensors };
  });
  return { ...graph, nodes, tensors: [...graph.tensors, ...ranges.values()] };
}

/** Is the weight a range, which calibration makes? */
export function isRange(graph: Graph, weight: string): boolean {
  return graph.nodes.some((n) => Object.entries(n.tensors).some(([field, t]) => field.startsWith("range") && t === weight));
}

/** What a range needs to be known of the input of a matrix. */
export function needsOfRange(graph: Graph, weight: string): readonly Need[] {
  return graph.nodes.filter((n) => n.tensors.w === weight && isStatic(n)).flatMap((n) => rangedOf(n).map((r) => r.need));
}

/** An operand that is measured although no linear reads it. */
export interface Operand {
  readonly node: string;
  readonly field: string;
  readonly tensor: string;
  readonly need: Need;
}

/** Operands of conv1d and scan that have ranges. */
export function rangedOperands(graph: Graph): Operand[] {
  return graph.nodes.filter((n) => !isStatic(n)).flatMap((n) => rangedOf(n).map(({ field, need }) => ({ node: n.name, field, tensor: n.tensors[field], need })));
}

/** Bytes of the ranges of a tensor, by name. */
export function rangesOf(graph: Graph, tensor: string, statistics: InputStatistics, scan: ScanRecipe | undefined): ReadonlyMap<string, Uint8Array> {
  const all = graph.nodes.flatMap(rangedOf).filter(({ node, field }) => node.tensors[field] === tensor);
  const greatest = statistics.channels?.absmax ?? new Float32Array(1);
  const value = (r: Ranged): Float32Array => {
    if (r.field === "hidden") return greatest;
    if (r.need === "rotated") return Float32Array.of(statistics.rotated ?? 0);
    const most = greatest.reduce((a, b) => Math.max(a, b), 0);
    return Float32Array.of(statistics.magnitudes && scan ? clipOf(statistics.magnitudes, scan.clip, most) : most);
  };
  // A clip counts whoever else reads the tensor.
  const clipped = all.find((r) => r.need === "magnitudes");
  return new Map(all.map((r) => [r.node.tensors[r.range], new Uint8Array(value(r.need === "rotated" ? r : (clipped ?? r)).slice().buffer)]));
}

function clipOf(magnitudes: Magnitudes, clip: ScanRecipe["clip"], most: number): number {
  if (clip === "sweep") throw new Error("a clip is swept before ranges are made");
  return clip === 1 ? most : Math.min(most, magnitudes.percentile(clip));
}
