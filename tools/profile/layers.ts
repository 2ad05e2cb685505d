// Feed-forward layers of a graph as a profile sees them, and an engine that copies out what their neurons make of every token.
import { SkintError } from "../../runtime/errors.ts";
import type { Graph, GraphNode } from "../../runtime/graph/types.ts";
import { ACTIVATIONS } from "../../runtime/ops/activate/op.ts";
import { SCHEMES } from "../../runtime/quant/catalogue.gen.ts";
import { Engine } from "../../runtime/session/engine.ts";
import type { Model } from "../../runtime/session/model.ts";

export interface FfnLayer {
  /** Of its last linear, as reports of the engine name it. */
  readonly name: string;
  readonly neurons: number;
  readonly width: number;
  /** Is the activation multiplied with a second product? */
  readonly gated: boolean;
  readonly activation: string;
  /** Tensor h f32 [T, neurons]: what the last linear reads. */
  readonly hidden: string;
  readonly last: GraphNode;
}

/** Layers whose last linear reads an activation of linears; a model without such (Mamba) has none. */
export function layersOf(graph: Graph): FfnLayer[] {
  const linear = (y: string) => graph.nodes.some((n) => n.op === "linear" && n.tensors.y === y);
  return graph.nodes.flatMap((last) => {
    if (last.op !== "linear" && last.op !== "rowsum") return [];
    const activate = graph.nodes.find((n) => n.op === "activate" && n.tensors.y === last.tensors.x);
    if (!activate || ![activate.tensors.g, activate.tensors.u].every((t) => t === undefined || linear(t))) return [];
    const { n, k } = last.attrs as Record<string, number>;
    const [neurons, width] = last.op === "rowsum" ? [n, k] : [k, n];
    const activation = ACTIVATIONS[activate.attrs.kind as number];
    return [{ name: last.name, neurons, width, gated: activate.tensors.u !== undefined, activation, hidden: last.tensors.x, last }];
  });
}

export const isRelu = ({ activation }: FfnLayer): boolean => activation.startsWith("relu");

const asF32 = (bytes: Uint8Array) => new Float32Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.length / 4));

/**
 * Rows of the last matrix as the kernels have them, f32 [neurons, width]: neuron i adds h_i times row i. Throws `usage` where columns are arranged,
 * transformed or have a path beside them.
 */
export function rowsOf({ graph, program }: Engine, { name, neurons, width, last }: FfnLayer): Float32Array {
  const { w, channels, down, columns } = last.tensors;
  const { format } = graph.tensors.find((t) => t.name === w) as { format: string };
  if (down !== undefined || columns !== undefined || last.variant === "had8")
    throw new SkintError("usage", `${name} is no plain matrix, so that its neurons cannot be told apart; profile the checkpoint with the recipe w4n, w4 or source`, { what: name });
  const bytes = program.view(w);
  if (channels !== undefined) {
    const scales = asF32(program.view(channels));
    return SCHEMES[format].decode(bytes, neurons, width).map((v, at) => v * scales[at % width]);
  }
  const turned = SCHEMES[format].decode(bytes, width, neurons);
  return Float32Array.from(turned, (_, at) => turned[(at % width) * neurons + Math.floor(at / width)]);
}

/** Norms ‖w_i‖ of rows f32 [n, width]. */
export function normsOfRows(rows: Float32Array, width: number): Float32Array {
  return Float32Array.from({ length: rows.length / width }, (_, i) => Math.sqrt(rows.subarray(i * width, (i + 1) * width).reduce((sum, v) => sum + v * v, 0)));
}

/** An engine that shows hidden values. */
export interface Observed {
  readonly engine: Engine;
  readonly layers: readonly FfnLayer[];
  /** h f32 [rows, neurons] of layer i in the last step, a view. */
  hidden(i: number, rows: number): Float32Array;
  close(): void;
}

/** Tokens of a step. */
export const BATCH = 64;

/**
 * The model's engine once more, with hidden values copied out and a plan that scores. Throws `usage` for a model without feed-forward layers.
 * @param context tokens of the longest window
 */
export function observe(model: Model, context: number): Observed {
  const { graph, device, options, weights, program } = model.engine;
  const layers = layersOf(graph);
  if (layers.length === 0)
    throw new SkintError("usage", `${model.name} (${graph.architecture}) has no feed-forward layers, so that there are no neurons to profile; give a transformer or an RWKV`, {
      what: model.name,
    });
  const points = Object.fromEntries(layers.map((l) => [`${l.name}.in`, l.hidden]));
  const engine = new Engine({ ...graph, points: { ...graph.points, ...points } }, device, {
    ...options,
    context,
    batch: Math.min(BATCH, context),
    score: true,
    taps: Object.keys(points),
  });
  for (const t of weights) engine.program.view(t.name).set(program.view(t.name));
  engine.ffn.reset();
  return {
    engine,
    layers,
    hidden: (i, rows) => engine.tap(`${layers[i].name}.in`).subarray(0, rows * layers[i].neurons),
    close: () => engine.program.close(),
  };
}
