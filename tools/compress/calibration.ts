// Calibration as a part of compression: which text, which tokens, and what the artefact says about them.
import { ACTS } from "../../runtime/act/catalogue.gen.ts";
import { SkintError } from "../../runtime/errors.ts";
import { isMatrix } from "../../runtime/graph/formats.ts";
import type { Graph } from "../../runtime/graph/types.ts";
import type { HasherFactory } from "../../runtime/io/hash.ts";
import { type Environment, parseTokenizer } from "../../runtime/session/model.ts";
import { documentsOf, splitOfCard } from "../eval/evaluate.ts";
import { calibrate } from "./calibrate/pass.ts";
import { type CalibrationText, countTokens, drawSequences, type Sequences, tokensFor } from "./calibrate/sequences.ts";
import { type CalibrationState, folderState, memoryState } from "./calibrate/state.ts";
import type { Need } from "./calibrate/statistics.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { fitPathOf, isPart, turnsOf } from "./fit.ts";
import { learnColumns, recallColumns } from "./learn.ts";
import { Linalg } from "./linalg/linalg.ts";
import { compressMatrix, methodOf, readPlain } from "./matrix.ts";
import { METHODS } from "./methods/catalogue.gen.ts";
import { needsOfRange, rangedOperands, rangesOf } from "./ranges.ts";
import { hasChoice, pathFor, type Recipe } from "./recipe.ts";

export interface CalibrationOptions {
  /** Instead of the checkpoint's own calibration.txt. */
  readonly text?: CalibrationText;
  /** Tokens for statistics; default: 4 for each channel of the widest input, at least 8192. */
  readonly tokens?: number;
  /** Chooses the sequences. Default 1. */
  readonly seed?: number;
  /** Inputs of a layer come from layers that are compressed already. Default true. */
  readonly compressedInputs?: boolean;
  /** Path of a folder for what is done so far; without one it is kept in memory. */
  readonly state?: string;
  /** Go on from what that folder holds. */
  readonly resume?: boolean;
}

/** What the artefact keeps about its calibration. */
export interface CalibrationRecord {
  readonly text: string;
  /** SHA-256 of the text in UTF-8. */
  readonly sha256: string;
  readonly seed: number;
  readonly tokens: number;
  /** Tokens that errors were measured on. */
  readonly heldTokens: number;
  readonly compressedInputs: boolean;
}

const DEFAULT_SEED = 1;
/** Bytes of weights that are read at a time for their hash. */
const PIECE = 2 ** 20;
/** Longest sequence: keys and values of one are in memory. */
const MOST_LENGTH = 1024;

/** What a matrix's method wants to know of its input, the path beside it, and the input's range. */
function needsOf(graph: Graph, recipe: Recipe, weight: string): readonly Need[] {
  const path = hasChoice(graph, weight) ? pathFor(recipe, weight) : undefined;
  const ofPath: readonly Need[] = path?.power && graph.nodes.some((n) => n.tensors.down && n.tensors.w === weight) ? ["gram"] : [];
  return [...(methodOf(graph, recipe, weight).needs ?? []), ...ofPath, ...needsOfRange(graph, weight)];
}

/** Does anything that the recipe names calibrate? */
export function mayCalibrate({ method, rules }: Recipe): boolean {
  if (rules.some((r) => r.power || r.ffn?.calibrate || ACTS[r.act ?? ""]?.rows)) return true;
  return [method, ...rules.flatMap((r) => r.method ?? [])].some((name) => METHODS[name].needs?.length);
}

/** Draws the tokens. Throws `calibration.text` if there is no text, or too little. */
export async function prepareCalibration(c: Checkpoint, graph: Graph, o: CalibrationOptions, sha256: HasherFactory): Promise<{ sequences: Sequences; record: CalibrationRecord }> {
  const text = o.text ?? (await c.calibration?.());
  if (!text)
    throw new SkintError("calibration.text", `${c.name} has no calibration.txt, and this recipe calibrates; give a text like those the model will read with --calibration`, {
      what: "--calibration",
    });
  const { tokenizer, bos } = parseTokenizer(c.tokenizer, c.name);
  const documents = documentsOf({ name: c.name, tokenizer, bos }, text.text, splitOfCard(c.card));
  const widest = Math.max(...graph.tensors.filter(isMatrix).map((t) => t.shape[1] as number));
  const seed = o.seed ?? DEFAULT_SEED;
  const sequences = drawSequences(documents, { name: text.name, length: Math.min(graph.context, MOST_LENGTH), tokens: o.tokens ?? tokensFor(widest), seed });
  const hash = sha256();
  hash.update(new TextEncoder().encode(text.text));
  const record = {
    text: text.name,
    sha256: hash.digest(),
    seed,
    tokens: countTokens(sequences.fit),
    heldTokens: countTokens(sequences.held),
    compressedInputs: o.compressedInputs ?? true,
  };
  return { sequences, record };
}

export interface ModelCalibration {
  readonly recipe: Recipe;
  readonly calibration?: CalibrationOptions;
  readonly signal?: AbortSignal;
  /** Tokens × segments of the model. */
  readonly onCalibration?: (done: number, total: number) => void;
}

export interface CalibratedModel {
  /** Holds the matrices that were compressed. */
  readonly state: CalibrationState;
  readonly record: CalibrationRecord;
  /** Names of the graph's nodes that calibration ran through: the paths beside them are made. */
  readonly passed: ReadonlySet<string>;
}

/** All that decides what a calibration computes: the weights themselves, the recipe, text and tokens. */
async function keyOf(c: Checkpoint, recipe: Recipe, calibration: CalibrationRecord, sha256: HasherFactory): Promise<string> {
  const hash = sha256();
  const piece = new Uint8Array(PIECE);
  for (const { name, bytes } of c.store.tensors.values())
    for (let at = 0; at < bytes; at += PIECE) {
      const part = piece.subarray(0, Math.min(PIECE, bytes - at));
      await c.store.readBytes(name, at, part);
      hash.update(part);
    }
  const shapes = [...c.store.tensors.values()].map(({ name, dtype, shape }) => [name, dtype, shape]);
  return JSON.stringify({ weights: hash.digest(), shapes, recipe, calibration });
}

/** Compresses what needs calibration; undefined if nothing does. */
export async function calibrateModel(c: Checkpoint, graph: Graph, env: Environment, o: ModelCalibration): Promise<CalibratedModel | undefined> {
  if (!graph.tensors.some((t) => isMatrix(t) && needsOf(graph, o.recipe, t.name).length > 0)) return undefined;
  const options = o.calibration ?? {};
  const { sequences, record } = await prepareCalibration(c, graph, options, env.sha256);
  const state = options.state === undefined ? memoryState() : await folderState(options.state, await keyOf(c, o.recipe, record, env.sha256), options.resume ?? false);
  recallColumns(c, graph, state);
  const la = await Linalg.open();
  try {
    const passed = await calibrate({
      graph,
      device: env.device,
      la,
      sequences,
      state,
      compressedInputs: record.compressedInputs,
      needsOf: (t) => needsOf(graph, o.recipe, t.name),
      derive: async (x, inputs) => new Map([...rangesOf(graph, x, inputs, o.recipe.scan), ...(await learnColumns({ c, graph, recipe: o.recipe, la }, x, inputs))]),
      operands: rangedOperands,
      readPlain: (t, write) => readPlain(c, graph, t, write),
      compress: (t, write, calibrated, beside) => compressMatrix(c, graph, t, o, write, calibrated, beside),
      turnsOf: (down) => turnsOf(graph, o.recipe, down),
      isPart: (down) => isPart(graph, o.recipe, down),
      fit: (down, packedOf, inputs, near) => fitPathOf({ c, graph, recipe: o.recipe, la, packedOf }, down, inputs, near),
      signal: o.signal,
      onProgress: o.onCalibration,
    });
    return { state, record, passed };
  } finally {
    la.close();
  }
}
