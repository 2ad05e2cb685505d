// Feed-forward layers whose matrices lie by neurons (q4n): their last one is stored the other way round, a row a neuron, with a scale for each of its
// channels beside those of its rows, so that sums over neurons stay whole numbers (runtime/ops/rowsum).
import type { Graph, GraphNode, TensorDef } from "../../runtime/graph/types.ts";
import { ACTIVATIONS } from "../../runtime/ops/activate/op.ts";
import { FFN_MODES, type FfnMode } from "../../runtime/ops/select/control.ts";
import { scheme } from "../../runtime/quant/q4n.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { Settings } from "./method.ts";
import { hiddenOf } from "./neurons.ts";
import { findWeight, type StoredWeight } from "./weights.ts";

/** What a layer leaves out (runtime/ops/select/control.ts). */
export interface FfnRule {
  readonly mode: FfnMode;
  readonly eps?: number;
  readonly topk?: number;
  /** Finds eps or topk instead, on the calibration text: settings of the mode's calibrator (methods/neurons/). */
  readonly calibrate?: Settings;
}

const channelsOf = (down: string) => `${down}.channels`;

/**
 * The graph with a `rowsum` for the last linear of each layer whose matrices are all q4n. Without a rule a layer leaves out what is 0 anyway,
 * if its activation is one of ReLU's.
 */
export function withNeuronRows(graph: Graph, ruleOf: (down: string) => FfnRule | undefined): Graph {
  const tensors = new Map(graph.tensors.map((t) => [t.name, t]));
  const by = new Map<GraphNode, GraphNode>();
  for (const { makers, reader } of hiddenOf(graph)) {
    const weights = [...makers, reader].map((n) => tensors.get(n.tensors.w) as TensorDef);
    const [k, n] = weights[weights.length - 1].shape as [number, number];
    if (!weights.every((w) => w.format === "q4n") || [...makers, reader].some((m) => m.variant !== "") || n === k) continue;
    const { x, w, y, bias } = reader.tensors;
    const activation = graph.nodes.find((m) => m.op === "activate" && m.tensors.y === x);
    const relu = ACTIVATIONS[activation?.attrs.kind as number].startsWith("relu");
    const { mode, eps = 0, topk = 0 } = ruleOf(w) ?? { mode: relu ? "exact" : "dense" };
    const channels: TensorDef = { name: channelsOf(w), role: "weight", format: "f32", shape: [k] };
    tensors.set(w, { ...(tensors.get(w) as TensorDef), shape: [n, k] });
    tensors.set(channels.name, channels);
    by.set(reader, {
      ...reader,
      op: "rowsum",
      tensors: { x, w, channels: channels.name, ...(bias ? { bias } : {}), y },
      attrs: { n, k, mode: FFN_MODES.indexOf(mode), eps, topk },
    });
  }
  return { ...graph, tensors: [...tensors.values()], nodes: graph.nodes.map((n) => by.get(n) ?? n) };
}

const summing = (graph: Graph, field: "w" | "channels", name: string) => graph.nodes.find((n) => n.op === "rowsum" && n.tensors[field] === name);

export const isNeuronRows = (graph: Graph, weight: string): boolean => summing(graph, "w", weight) !== undefined;
export const isChannels = (graph: Graph, weight: string): boolean => summing(graph, "channels", weight) !== undefined;

interface Scales {
  /** By which channels are divided before their rows are rounded: their norms, 1 in the middle. */
  readonly divisors: Float32Array;
  /** Those that then fit best, by least squares. */
  readonly channels: Float32Array;
}

const MADE = new WeakMap<Checkpoint, Map<string, Promise<Scales>>>();

/** Rows of the matrix as they are stored, a neuron each. */
export async function byNeurons(c: Checkpoint, graph: Graph, t: TensorDef): Promise<StoredWeight> {
  const stored = findWeight(c, t);
  if (!isNeuronRows(graph, t.name)) return stored;
  const { divisors } = await scalesOf(c, graph, t.name);
  const read = async (row: number, rows: number) => (await stored.read(row, rows)).map((v, i) => v / divisors[i % divisors.length]);
  return { ...stored, read, readBlocks: undefined };
}

/** The scales of channels that a graph names so. */
export async function channelsNamed(c: Checkpoint, graph: Graph, name: string): Promise<Float32Array> {
  return (await scalesOf(c, graph, summing(graph, "channels", name)?.tensors.w as string)).channels;
}

function scalesOf(c: Checkpoint, graph: Graph, weight: string): Promise<Scales> {
  const made = MADE.get(c) ?? new Map<string, Promise<Scales>>();
  MADE.set(c, made);
  const have = made.get(weight) ?? makeScales(c, graph.tensors.find((t) => t.name === weight) as TensorDef);
  made.set(weight, have);
  return have;
}

async function makeScales(c: Checkpoint, t: TensorDef): Promise<Scales> {
  const [n, k] = t.shape as [number, number];
  const w = await findWeight(c, t).read(0, n);
  const norms = new Float64Array(k);
  for (let i = 0; i < w.length; i++) norms[i % k] += w[i] ** 2;
  const middle = Math.exp(norms.reduce((sum, v) => sum + Math.log(v || 1), 0) / k / 2);
  const divisors = Float32Array.from(norms, (v) => (v > 0 ? Math.sqrt(v) / middle : 1));
  const packed = new Uint8Array(scheme.bytes(n, k));
  scheme.encode(
    w.map((v, i) => v / divisors[i % k]),
    n,
    k,
    packed,
  );
  const rounded = scheme.decode(packed, n, k);
  const [both, own] = [new Float64Array(k), new Float64Array(k)];
  for (let i = 0; i < w.length; i++) {
    both[i % k] += w[i] * rounded[i];
    own[i % k] += rounded[i] ** 2;
  }
  return { divisors, channels: divisors.map((d, i) => (own[i] > 0 ? both[i] / own[i] : d)) };
}
