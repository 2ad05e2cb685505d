// Compresses a network over images (models/cnn): its f32 graph as it is, or in whole numbers with the scheme that the recipe's rules give each weight.
import { SkintError } from "../../../runtime/errors.ts";
import { createPack } from "../../../runtime/formats/skint/writer.ts";
import { byteLength } from "../../../runtime/graph/formats.ts";
import { ImageGraphBuilder, type Numbers, type Sides } from "../../../runtime/graph/images.ts";
import type { Graph, GraphNode, TensorDef } from "../../../runtime/graph/types.ts";
import type { Sink } from "../../../runtime/io/source.ts";
import { ImageEngine } from "../../../runtime/session/images/engine.ts";
import { makeImageGolden } from "../../../runtime/session/images/golden.ts";
import type { Environment } from "../../../runtime/session/model.ts";
import type { Checkpoint } from "../checkpoint.ts";
import type { CompressReport } from "../compress.ts";
import type { MatrixReport } from "../method.ts";
import { type Recipe, ruleFor } from "../recipe.ts";
import { quantiseLayer, type Range, rangeOf } from "./quantise.ts";

const ANY = { T: 1, L: 1, C: 1 };
const GOLDEN_RESERVE = 256;
/** Pixels of 0…255 stand for 0…1. */
const PIXELS: Range = { step: 1 / 255, zero: 0 };

/** A graph with the bytes of its weights. */
interface Made {
  readonly graph: Graph;
  readonly weights: ReadonlyMap<string, Uint8Array>;
  readonly matrices: readonly MatrixReport[];
}

/** Weights of the recipe's scheme in the numbers that convolutions have: the first layer, which sees few channels, keeps 8 bits. */
function numbersOf(recipe: Recipe, node: GraphNode, first: boolean): Numbers {
  const { scheme } = ruleFor(recipe, node.tensors.w);
  if (scheme === "f32" || scheme === "source") return "f32";
  if (scheme.startsWith("q8") || (first && scheme.startsWith("q4"))) return "w8";
  if (scheme.startsWith("q4")) return "w4";
  throw new SkintError("recipe.invalid", `convolutions have no weights of ${scheme}, which recipe ${recipe.name} gives ${node.tensors.w}; take w8, w4 or source`, {
    what: recipe.name,
  });
}

/** Writes the pack to `sink` and commits it; on any error nothing of it remains. */
export async function compressImages(c: Checkpoint, sink: Sink, env: Environment, o: { readonly recipe: Recipe; readonly golden?: string }): Promise<CompressReport> {
  try {
    const source = c.architecture.build(c.config, { cache: o.recipe.cache });
    const convolutions = source.nodes.filter((n) => n.op === "conv2d");
    const numbers = new Map(convolutions.map((n, i) => [n.name, numbersOf(o.recipe, n, i === 0)]));
    const floats = [...numbers.values()].every((n) => n === "f32");
    const made = floats ? await asTheyAre(c, source) : await inBytes(c, source, numbers as Map<string, "w8" | "w4">);
    const engine = new ImageEngine(made.graph, env.device, { batch: 1 });
    try {
      return await write(made, { c, o, engine, env, sink, parameters: parametersOf(source) });
    } finally {
      engine.program.close();
    }
  } catch (e) {
    await sink.abort();
    throw e;
  }
}

const weightsOf = (graph: Graph): TensorDef[] => graph.tensors.filter((t) => t.role === "weight");
const parametersOf = (graph: Graph): number => weightsOf(graph).reduce((sum, t) => sum + t.shape.reduce<number>((p, d) => p * (d as number), 1), 0);

async function write(made: Made, j: { c: Checkpoint; o: { recipe: Recipe; golden?: string }; engine: ImageEngine; env: Environment; sink: Sink; parameters: number }) {
  const { c, o, engine, env } = j;
  const golden = o.golden !== "never";
  const text = (field: string) => (typeof c.card[field] === "string" ? (c.card[field] as string) : "unknown");
  const pack = await createPack(j.sink, env.sha256(), {
    metadata: { architecture: c.architecture.name, recipe: o.recipe.name, licence: text("licence"), provenance: `compressed from ${c.name} (${c.store.name})` },
    documents: {
      graph: JSON.stringify(made.graph),
      card: JSON.stringify(c.card),
      recipe: JSON.stringify(o.recipe),
      ...(golden ? { golden: { reserve: GOLDEN_RESERVE } } : {}),
    },
    tensors: engine.weights.map((t) => ({ name: t.name, dtype: t.format === "f32" ? "F32" : "U8", bytes: byteLength(t, ANY) })),
  });
  for (const t of engine.weights) {
    const bytes = made.weights.get(t.name) as Uint8Array;
    engine.program.view(t.name).set(bytes);
    await pack.write(t.name, bytes);
  }
  if (golden) await pack.document("golden", JSON.stringify(await makeImageGolden(engine, env.sha256)));
  await pack.finish();
  const weightBytes = engine.weights.reduce((sum, t) => sum + byteLength(t, ANY), 0);
  const { parameters } = j;
  return { recipe: o.recipe.name, sourceBytes: 4 * parameters, weightBytes, parameters, golden, matrices: made.matrices, warnings: [] } satisfies CompressReport;
}

/** A tensor of the checkpoint as f32. Throws `model.tensor`, `format.shape`. */
async function read(c: Checkpoint, name: string, shape: readonly number[]): Promise<Float32Array> {
  const stored = c.store.tensors.get(name);
  if (!stored) throw new SkintError("model.tensor", `${c.store.name} holds no tensor ${name}, which ${c.architecture.name} needs`, { what: name });
  if (stored.shape.join() !== shape.join())
    throw new SkintError("format.shape", `tensor ${name} has the shape [${stored.shape.join(", ")}], [${shape.join(", ")}] was expected`, { what: name });
  const out = new Float32Array(shape.reduce((p, d) => p * d, 1));
  await c.store.readF32(name, 0, shape[0], out);
  const at = out.findIndex((v) => !Number.isFinite(v));
  if (at >= 0) throw new SkintError("model.tensor", `element ${at} of tensor ${name} is ${out[at]}; the checkpoint is damaged`, { what: name });
  return out;
}

/** Weights of a convolution, stored [outputs, channels, size, size], as [outputs, taps, channels]. */
async function readWeights(c: Checkpoint, node: GraphNode): Promise<Float32Array> {
  const { outputs, channels, size } = node.attrs as Record<string, number>;
  const stored = await read(c, node.tensors.w, [outputs, channels, size, size]);
  const taps = size * size;
  return stored.map((_, i) => stored[Math.floor(i / (taps * channels)) * taps * channels + (i % channels) * taps + (Math.floor(i / channels) % taps)]);
}

async function asTheyAre(c: Checkpoint, graph: Graph): Promise<Made> {
  const weights = new Map<string, Uint8Array>();
  for (const n of graph.nodes.filter((node) => node.op === "conv2d")) {
    weights.set(n.tensors.w, new Uint8Array((await readWeights(c, n)).buffer));
    weights.set(n.tensors.bias, new Uint8Array((await read(c, n.tensors.bias, [n.attrs.outputs as number])).buffer));
  }
  return { graph, weights, matrices: [] };
}

/** The chain of a CNN in whole numbers. */
async function inBytes(c: Checkpoint, source: Graph, numbers: ReadonlyMap<string, "w8" | "w4">): Promise<Made> {
  const g = new ImageGraphBuilder();
  const weights = new Map<string, Uint8Array>();
  const matrices: MatrixReport[] = [];
  let x = g.input((source.tensors.find((t) => t.role === "input") as TensorDef).shape.slice(1) as unknown as Sides, "image");
  let from = PIXELS;
  for (const n of source.nodes) {
    if (n.op === "pool") {
      x = g.pool(n.name, x, "avg", "global");
      continue;
    }
    const { outputs, channels, size, stride, pad, relu } = n.attrs as Record<string, number>;
    const kind = numbers.get(n.name) as "w8" | "w4";
    const reach = relu ? [0, (await read(c, `${n.name}.range`, [1]))[0]] : await read(c, `${n.name}.range`, [2]);
    const to = rangeOf(reach[0], reach[1], `${n.name}.range`);
    const shape = [outputs, size * size, channels] as const;
    const layer = quantiseLayer({ name: n.name, weights: await readWeights(c, n), bias: await read(c, n.tensors.bias, [outputs]), shape, from, to }, kind);
    x = g.conv(n.name, x, outputs, { numbers: kind, size, stride, pad, relu: relu === 1, shift: layer.shift });
    weights.set(`${n.name}.weight`, layer.weight);
    weights.set(`${n.name}.fx16`, layer.fx16);
    matrices.push({ name: n.tensors.w, scheme: kind, n: outputs, k: size * size * channels, bytes: layer.weight.length, relativeSquaredError: layer.relativeSquaredError });
    from = to;
  }
  return { graph: g.finish(source.architecture, x, { zero: from.zero, factor: Math.fround(from.step) }), weights, matrices };
}
