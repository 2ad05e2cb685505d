// Compresses a checkpoint into model.skint as a stream: one run of rows of one tensor in memory at a time.
import { SkintError, throwIfAborted } from "../../runtime/errors.ts";
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
import { isChannels, isNeuronRows, withNeuronRows } from "./byneurons.ts";
import { type CalibratedModel, type CalibrationRecord, calibrateModel, type ModelCalibration } from "./calibration.ts";
import { type Checkpoint, graphOf } from "./checkpoint.ts";
import { fitPathOf } from "./fit.ts";
import { compressImages } from "./images/compress.ts";
import { type FfnCalibration, type LeaveOut, leaveOut } from "./leaveout.ts";
import { Linalg } from "./linalg/linalg.ts";
import type { FittedPath } from "./lowrank.ts";
import { compressMatrix, methodOf, readVector } from "./matrix.ts";
import type { MatrixReport } from "./method.ts";
import { withAlikeNeurons } from "./neurons.ts";
import { pathsOf, withRanks } from "./paths.ts";
import { isRange } from "./ranges.ts";
import { hasPath, type Recipe, ruleFor } from "./recipe.ts";
import { rotates, rotationWarnings } from "./rotation.ts";
import { sweptRecipe } from "./sweep.ts";
import { findWeight } from "./weights.ts";

export interface CompressOptions extends ModelCalibration {
  /** Golden outputs: `auto` makes them when the packed weights take at most GOLDEN_BYTES, as they need the whole model in memory. */
  readonly golden?: "auto" | "always" | "never";
  readonly onProgress?: (done: number, total: number, tensor: string) => void;
}

export interface CompressReport {
  readonly recipe: string;
  readonly sourceBytes: number;
  readonly weightBytes: number;
  readonly parameters: number;
  readonly golden: boolean;
  readonly calibration?: CalibrationRecord;
  /** What feed-forward layers leave out, where that was calibrated. */
  readonly ffn?: FfnCalibration;
  readonly matrices: readonly MatrixReport[];
  /** What could not be done as the recipe says, and what was done instead. */
  readonly warnings: readonly string[];
}

const GOLDEN_BYTES = 64 * 2 ** 20;
const GOLDEN_RESERVE = 1024;
const GOLDEN_CONTEXT = 16;
/** Bytes of what stands in front of the report's lines, of a matrix's line, and of what it says of a path, but for names. */
const REPORT_HEAD = 384;
const REPORT_LINE = 256;
const REPORT_PATH = 288;

/**
 * Writes the pack to `sink` and commits it; on any error nothing of it remains. What a calibration has done by then does, if it was given a
 * folder for it.
 */
export async function compressModel(checkpoint: Checkpoint, sink: Sink, env: Environment, o: CompressOptions): Promise<CompressReport> {
  if (checkpoint.architecture.sees) return compressImages(checkpoint, sink, env, o);
  const trial = { ...o, golden: "never" as const, onProgress: undefined, calibration: { ...o.calibration, state: undefined, resume: undefined } };
  try {
    const recipe = await sweptRecipe(checkpoint, env, o, (tried, into) => compressText(checkpoint, into, env, { ...trial, recipe: tried }));
    const left = await leaveOut(checkpoint, env, { ...o, recipe }, (tried, into) => compressText(checkpoint, into, env, { ...trial, recipe: tried }));
    return await compressText(checkpoint, sink, env, { ...o, recipe }, left);
  } catch (e) {
    await sink.abort();
    throw e;
  }
}

/** A model over tokens, by a recipe that leaves nothing to try. */
async function compressText(checkpoint: Checkpoint, sink: Sink, env: Environment, o: CompressOptions, left?: LeaveOut): Promise<CompressReport> {
  try {
    const wanted = graphOf(checkpoint, o.recipe);
    checkMethods(wanted, o.recipe);
    checkNeuronRows(wanted, o.recipe);
    // What is chosen for this recipe is kept by this copy.
    const c = { ...(await withAlikeNeurons(checkpoint, wanted)) };
    const calibrated = await calibrateModel(c, wanted, env, o);
    const paths = await fitOtherPaths(c, wanted, o, calibrated);
    const ranked = withRanks(wanted, (down) => paths.get(down)?.rank ?? rankOf(calibrated, down));
    const graph = withNeuronRows(ranked, (down) => left?.rules.get(down) ?? ruleFor(o.recipe, down).ffn);
    const turned = new Set(graph.tensors.filter((t) => isNeuronRows(graph, t.name)).map((t) => t.name));
    const report = await writeModel({ c: { ...c, turned }, graph, weights: inMemoryOrder(graph, env), o, calibrated, paths, left }, sink, env);
    calibrated?.state.remove();
    return report;
  } catch (e) {
    await sink.abort();
    throw e;
  }
}

/** Rank of a path that calibration made; 0 if it made none. */
const rankOf = (calibrated: CalibratedModel | undefined, down: string) => calibrated?.state.reports().find((r) => r.path?.down === down)?.path?.rank ?? 0;

/** Paths that calibration did not come by, by their `down`. */
async function fitOtherPaths(c: Checkpoint, graph: Graph, o: CompressOptions, calibrated: CalibratedModel | undefined): Promise<Map<string, FittedPath>> {
  const paths = new Map<string, FittedPath>();
  const others = [...pathsOf(graph)].filter(([, [first]]) => !calibrated?.passed.has(first.name));
  if (others.length === 0) return paths;
  const la = await Linalg.open();
  try {
    for (const [down] of others) paths.set(down, await fitPathOf({ c, graph, recipe: o.recipe, la, packedOf: (t) => packedOf({ c, graph, o, calibrated }, t) }, down));
  } finally {
    la.close();
  }
  return paths;
}

/** Throws `recipe.invalid` where a method cannot bring a matrix into its scheme. */
function checkMethods(graph: Graph, recipe: Recipe): void {
  for (const t of graph.tensors.filter(isMatrix)) {
    const method = methodOf(graph, recipe, t.name);
    const why = method.refuses?.(SCHEMES[t.format]);
    if (why)
      throw new SkintError("recipe.invalid", `${t.name} cannot be brought into ${t.format} by ${method.name}: ${why}; give it another scheme, or a rule with "method": "rtn"`, {
        what: t.name,
      });
    if (rotates(graph, t.name) && (method.needs?.length || hasPath(ruleFor(recipe, t.name))))
      throw new SkintError(
        "recipe.invalid",
        `${t.name} is multiplied with had8, whose inputs ${method.needs?.length ? `${method.name} would not see as they are` : "a path of low rank does not read"}; give it a rule with "method": "rtn", no rank, or another "act"`,
        { what: t.name },
      );
  }
}

/** Throws `recipe.invalid` where a method that calibrates is to bring a matrix into rows by neurons: its errors are those of another order and scale. */
function checkNeuronRows(graph: Graph, recipe: Recipe): void {
  const turned = withNeuronRows(graph, (down) => ruleFor(recipe, down).ffn);
  for (const t of turned.tensors.filter((m) => isMatrix(m) && isNeuronRows(turned, m.name))) {
    const method = methodOf(graph, recipe, t.name);
    if (method.needs?.length)
      throw new SkintError("recipe.invalid", `${t.name} lies by neurons, with a scale for each channel, which ${method.name} does not see; give it a rule with "method": "rtn"`, {
        what: t.name,
      });
  }
}

/** What is written, and of what. */
interface Job {
  readonly c: Checkpoint;
  readonly graph: Graph;
  readonly weights: readonly TensorDef[];
  readonly o: CompressOptions;
  readonly calibrated: CalibratedModel | undefined;
  /** Those that calibration did not make. */
  readonly paths: ReadonlyMap<string, FittedPath>;
  readonly left: LeaveOut | undefined;
}

async function writeModel(job: Job, sink: Sink, env: Environment): Promise<CompressReport> {
  const { graph, weights, o, calibrated } = job;
  const bytes = weights.reduce((sum, t) => sum + byteLength(t, ANY), 0);
  const golden = o.golden === "always" || (o.golden !== "never" && bytes <= GOLDEN_BYTES);
  const engine = golden
    ? new Engine(graph, env.device, { context: Math.min(GOLDEN_CONTEXT, graph.context), batch: Math.min(GOLDEN_CONTEXT, graph.context), fuse: true, score: false, taps: [] })
    : undefined;
  let pack: PackWriter | undefined;
  try {
    pack = await startPack(job, sink, env, golden);
    const matrices = await writeWeights(job, pack, engine);
    engine?.ffn.reset();
    const calibration = calibrated?.record;
    const ffn = job.left?.record;
    if (calibration || ffn) await pack.document("report", JSON.stringify({ calibration, ffn, matrices }));
    if (engine) await pack.document("golden", JSON.stringify(await makeGolden(engine, env.sha256)));
    if (job.left?.cores) await pack.document("cores", job.left.cores);
    throwIfAborted(o.signal, "compression");
    await pack.finish();
    const parameters = storedOf(graph, weights).reduce((sum, t) => sum + t.shape.reduce<number>((p, d) => p * (d as number), 1), 0);
    return {
      recipe: o.recipe.name,
      sourceBytes: sourceBytes(job),
      weightBytes: bytes,
      parameters,
      golden,
      ...(calibration ? { calibration } : {}),
      ...(ffn ? { ffn } : {}),
      matrices,
      warnings: rotationWarnings(graph, (weight) => ruleFor(o.recipe, weight).act),
    };
  } catch (e) {
    await (pack ?? sink).abort();
    throw e;
  } finally {
    engine?.program.close();
  }
}

const ANY = { T: 1, L: 1, C: 1 };

/** Weights that the checkpoint holds; columns, ranges and paths of low rank are made here. */
function storedOf(graph: Graph, weights: readonly TensorDef[]): readonly TensorDef[] {
  const made = new Set(graph.nodes.flatMap((n) => [n.tensors.columns, n.tensors.down, n.tensors.up]));
  return weights.filter((t) => !made.has(t.name) && !isRange(graph, t.name) && !isChannels(graph, t.name));
}

/** Weights in the order they lie in memory, so that loading is one sequential read. */
function inMemoryOrder(graph: Graph, env: Environment): TensorDef[] {
  const plan = lower(graph, { name: "order", symbols: ANY, kernels: env.device.kernels, fuse: true, logits: "last", taps: [] });
  const map = memoryMap([plan]);
  const at = (t: TensorDef) => map.tensors.get(t.name)?.offset ?? 0;
  return graph.tensors.filter((t) => t.role === "weight").sort((a, b) => at(a) - at(b));
}

function sourceBytes({ c, graph, weights }: Job): number {
  return storedOf(graph, weights).reduce((sum, t) => sum + findWeight(c, t).bytes, 0);
}

/** Most bytes that the report can take. */
function reportBytes(graph: Graph, weights: readonly TensorDef[]): number {
  const paths = new Map(graph.nodes.map((n) => [n.tensors.w, n.tensors.down]));
  const line = (name: string, down: string | undefined) => REPORT_LINE + name.length + (down === undefined ? 0 : REPORT_PATH + down.length);
  return storedOf(graph, weights).reduce((sum, t) => sum + (isMatrix(t) ? line(t.name, paths.get(t.name)) : 0), REPORT_HEAD);
}

function startPack({ c, graph, weights, o: { recipe }, calibrated, left }: Job, sink: Sink, env: Environment, golden: boolean): Promise<PackWriter> {
  const text = (field: string) => (typeof c.card[field] === "string" ? (c.card[field] as string) : "unknown");
  return createPack(sink, env.sha256(), {
    metadata: { architecture: c.architecture.name, recipe: recipe.name, licence: text("licence"), provenance: `compressed from ${c.name} (${c.store.name})` },
    documents: {
      graph: JSON.stringify(graph),
      card: JSON.stringify(c.card),
      recipe: JSON.stringify(recipe),
      tokenizer: c.tokenizer,
      ...(calibrated || left ? { report: { reserve: reportBytes(graph, weights) + JSON.stringify(left?.record ?? "").length } } : {}),
      ...(golden ? { golden: { reserve: GOLDEN_RESERVE } } : {}),
      ...(left?.cores ? { cores: { reserve: left.cores.length } } : {}),
    },
    tensors: weights.map((t) => ({
      name: t.name,
      dtype: t.format === "f32" && !isMatrix(t) ? "F32" : "U8",
      bytes: byteLength(t, ANY),
      granularity: isMatrix(t) ? SCHEMES[t.format].bytes(BLOCK_ROWS, t.shape[1] as number) : 64,
    })),
  });
}

/** Bytes of a matrix that calibration has compressed or that needs none. */
async function packedOf({ c, graph, o, calibrated }: Omit<Job, "weights" | "paths" | "left">, t: TensorDef): Promise<Uint8Array> {
  const ready = calibrated?.state.packed(t.name);
  if (ready) return ready;
  const out = new Uint8Array(byteLength(t, ANY));
  let at = 0;
  await compressMatrix(c, graph, t, o, (bytes) => {
    out.set(bytes, at);
    at += bytes.length;
  });
  return out;
}

async function writeWeights(job: Job, pack: PackWriter, engine: Engine | undefined): Promise<MatrixReport[]> {
  const { c, graph, weights, o, calibrated } = job;
  const reports: MatrixReport[] = [];
  const total = sourceBytes(job);
  const stored = new Set(storedOf(graph, weights));
  const fitted = [...job.paths.values()];
  let done = 0;
  for (const t of weights) {
    o.onProgress?.(done, total, t.name);
    const place = engine?.program.view(t.name);
    let at = 0;
    const write = async (bytes: Uint8Array) => {
      place?.set(bytes, at);
      at += bytes.length;
      await pack.write(t.name, bytes);
    };
    // What calibration made of a matrix that lies by neurons now lies by channels.
    const turned = isNeuronRows(graph, t.name);
    const known = turned ? undefined : calibrated?.state.reports().find((r) => r.name === t.name);
    const ready = (turned ? undefined : calibrated?.state.packed(t.name)) ?? fitted.find((p) => p.packed.has(t.name))?.packed.get(t.name);
    if (known) reports.push(known);
    if (ready) await write(ready);
    else if (isMatrix(t)) {
      const path = fitted.find((p) => p.reports.has(t.name))?.reports.get(t.name);
      reports.push({ ...(await compressMatrix(c, graph, t, o, write)), ...(path ? { path } : {}) });
    } else await readVector(c, graph, t, write);
    if (stored.has(t)) done += findWeight(c, t).bytes;
  }
  o.onProgress?.(total, total, "");
  return reports;
}
