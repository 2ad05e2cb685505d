// Compresses a checkpoint into model.skint as a stream: one run of rows of one tensor in memory at a time.
import { throwIfAborted } from "../../runtime/errors.ts";
import { createPack, type PackWriter } from "../../runtime/formats/skint/writer.ts";
import { byteLength, isMatrix } from "../../runtime/graph/formats.ts";
import type { Graph, TensorDef } from "../../runtime/graph/types.ts";
import type { Sink } from "../../runtime/io/source.ts";
import { lower } from "../../runtime/plan/lower.ts";
import { memoryMap } from "../../runtime/plan/memory.ts";
import { SCHEMES } from "../../runtime/quant/catalogue.gen.ts";
import { BLOCK_ROWS } from "../../runtime/quant/scheme.ts";
import { Engine } from "../../runtime/session/engine.ts";
import { makeGolden } from "../../runtime/session/golden.ts";
import type { Environment } from "../../runtime/session/model.ts";
import { type Checkpoint, graphOf } from "./checkpoint.ts";
import type { MatrixReport } from "./method.ts";
import { METHODS } from "./methods/catalogue.gen.ts";
import type { Recipe } from "./recipe.ts";
import { findWeight } from "./weights.ts";

export interface CompressOptions {
  readonly recipe: Recipe;
  /** Golden outputs: `auto` makes them when the packed weights take at most GOLDEN_BYTES, as they need the whole model in memory. */
  readonly golden?: "auto" | "always" | "never";
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number, tensor: string) => void;
}

export interface CompressReport {
  readonly recipe: string;
  readonly sourceBytes: number;
  readonly weightBytes: number;
  readonly parameters: number;
  readonly golden: boolean;
  readonly matrices: readonly MatrixReport[];
}

const GOLDEN_BYTES = 64 * 2 ** 20;
const GOLDEN_RESERVE = 1024;
const GOLDEN_CONTEXT = 16;

/** Writes the pack to `sink` and commits it; on any error nothing remains. */
export async function compressModel(c: Checkpoint, sink: Sink, env: Environment, o: CompressOptions): Promise<CompressReport> {
  const graph = graphOf(c, o.recipe);
  const weights = inMemoryOrder(graph, env);
  const bytes = weights.reduce((sum, t) => sum + byteLength(t, ANY), 0);
  const golden = o.golden === "always" || (o.golden !== "never" && bytes <= GOLDEN_BYTES);
  const engine = golden
    ? new Engine(graph, env.device, { context: Math.min(GOLDEN_CONTEXT, graph.context), batch: Math.min(GOLDEN_CONTEXT, graph.context), fuse: true, score: false, taps: [] })
    : undefined;
  let pack: PackWriter | undefined;
  try {
    pack = await startPack(c, sink, env, graph, weights, o.recipe, golden);
    const matrices = await writeWeights(c, weights, pack, engine, o);
    if (engine) await pack.document("golden", JSON.stringify(await makeGolden(engine, env.sha256)));
    throwIfAborted(o.signal, "compression");
    await pack.finish();
    const parameters = weights.reduce((sum, t) => sum + t.shape.reduce<number>((p, d) => p * (d as number), 1), 0);
    return { recipe: o.recipe.name, sourceBytes: sourceBytes(c, weights), weightBytes: bytes, parameters, golden, matrices };
  } catch (e) {
    await (pack ?? sink).abort();
    throw e;
  } finally {
    engine?.program.close();
  }
}

const ANY = { T: 1, L: 1, C: 1 };

/** Weights in the order they lie in memory, so that loading is one sequential read. */
function inMemoryOrder(graph: Graph, env: Environment): TensorDef[] {
  const plan = lower(graph, { name: "order", symbols: ANY, kernels: env.device.kernels, fuse: true, logits: "last", taps: [] });
  const map = memoryMap([plan]);
  const at = (t: TensorDef) => map.tensors.get(t.name)?.offset ?? 0;
  return graph.tensors.filter((t) => t.role === "weight").sort((a, b) => at(a) - at(b));
}

function sourceBytes(c: Checkpoint, weights: readonly TensorDef[]): number {
  return weights.reduce((sum, t) => sum + findWeight(c, t).bytes, 0);
}

function startPack(c: Checkpoint, sink: Sink, env: Environment, graph: Graph, weights: readonly TensorDef[], recipe: Recipe, golden: boolean): Promise<PackWriter> {
  const text = (field: string) => (typeof c.card[field] === "string" ? (c.card[field] as string) : "unknown");
  return createPack(sink, env.sha256(), {
    metadata: { architecture: c.architecture.name, recipe: recipe.name, licence: text("licence"), provenance: `compressed from ${c.name} (${c.store.name})` },
    documents: {
      graph: JSON.stringify(graph),
      card: JSON.stringify(c.card),
      recipe: JSON.stringify(recipe),
      tokenizer: c.tokenizer,
      ...(golden ? { golden: { reserve: GOLDEN_RESERVE } } : {}),
    },
    tensors: weights.map((t) => ({
      name: t.name,
      dtype: isMatrix(t) ? "U8" : "F32",
      bytes: byteLength(t, ANY),
      granularity: isMatrix(t) ? SCHEMES[t.format].bytes(BLOCK_ROWS, t.shape[1] as number) : 64,
    })),
  });
}

async function writeWeights(c: Checkpoint, weights: readonly TensorDef[], pack: PackWriter, engine: Engine | undefined, o: CompressOptions): Promise<MatrixReport[]> {
  const reports: MatrixReport[] = [];
  const total = sourceBytes(c, weights);
  let done = 0;
  for (const t of weights) {
    o.onProgress?.(done, total, t.name);
    const stored = findWeight(c, t);
    const read = (row: number, rows: number) => {
      throwIfAborted(o.signal, "compression");
      return stored.read(row, rows);
    };
    const place = engine?.program.view(t.name);
    let at = 0;
    const write = async (bytes: Uint8Array) => {
      place?.set(bytes, at);
      at += bytes.length;
      await pack.write(t.name, bytes);
    };
    const [n, k] = t.shape as [number, number];
    if (isMatrix(t)) reports.push(await METHODS[o.recipe.method].compress({ ...stored, name: t.name, n, k, scheme: SCHEMES[t.format], read, write }));
    else await write(new Uint8Array((await read(0, n)).buffer));
    done += stored.bytes;
  }
  o.onProgress?.(total, total, "");
  return reports;
}
