// One weight of a checkpoint on its way into the artefact: by the method its rule says, or as it is.
import { throwIfAborted } from "../../runtime/errors.ts";
import { packColumns } from "../../runtime/graph/columns.ts";
import { isMatrix } from "../../runtime/graph/formats.ts";
import type { Graph, TensorDef } from "../../runtime/graph/types.ts";
import { SCHEMES } from "../../runtime/quant/catalogue.gen.ts";
import { BLOCK_ROWS } from "../../runtime/quant/scheme.ts";
import { byNeurons, channelsNamed, isChannels } from "./byneurons.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { arranged, arrangedRows, columnsNamed, columnsOf } from "./columns.ts";
import type { Calibrated, MatrixReport, Method } from "./method.ts";
import { METHODS } from "./methods/catalogue.gen.ts";
import { isRange } from "./ranges.ts";
import { hasChoice, type Recipe, ruleFor } from "./recipe.ts";
import { rotated } from "./rotation.ts";
import { findWeight } from "./weights.ts";

/** Takes bytes in order. */
export type Write = (bytes: Uint8Array) => void | Promise<void>;

export interface MatrixOptions {
  readonly recipe: Recipe;
  readonly signal?: AbortSignal;
}

/** Rows of f32 weights handled at a time: whole blocks. */
const PLAIN_ROWS = 16 * BLOCK_ROWS;

/** The method that brings a matrix of the graph into its scheme. */
export function methodOf(graph: Graph, recipe: Recipe, weight: string): Method {
  return hasChoice(graph, weight) ? METHODS[ruleFor(recipe, weight).method ?? recipe.method] : METHODS.rtn;
}

/** Brings one matrix into its scheme, less what a path makes beside it: `beside` f32 [n, k], columns as the input has them. */
export async function compressMatrix(
  c: Checkpoint,
  graph: Graph,
  t: TensorDef,
  o: MatrixOptions,
  write: Write,
  calibrated?: Calibrated,
  beside?: Float32Array,
): Promise<MatrixReport> {
  const columns = await columnsOf(c, graph, t);
  const found = await byNeurons(c, graph, t);
  const stored = rotated(graph, t, columns ? arranged(found, columns, t.shape[1] as number) : found);
  const method = methodOf(graph, o.recipe, t.name);
  const [n, k] = t.shape as [number, number];
  const made = beside && (async (row: number, rows: number) => beside.slice(row * k, (row + rows) * k));
  return method.compress({
    ...stored,
    // Bytes of the checkpoint are not the rest that a path leaves.
    readBlocks: beside ? undefined : stored.readBlocks,
    name: t.name,
    n,
    k,
    scheme: SCHEMES[t.format],
    settings: { ...method.settings, ...o.recipe.settings },
    calibrated,
    columns,
    beside: made && columns ? arrangedRows(made, columns, k) : made,
    read(row, rows) {
      throwIfAborted(o.signal, "compression");
      return stored.read(row, rows);
    },
    async write(bytes) {
      await write(bytes);
    },
  });
}

/** A vector of weights, as it is; columns as they are chosen; ranges, which are not known before calibration has met the input, as 0. */
export async function readVector(c: Checkpoint, graph: Graph, t: TensorDef, write: Write): Promise<void> {
  if (isRange(graph, t.name)) return write(new Uint8Array(4 * (t.shape[0] as number)));
  if (isChannels(graph, t.name)) return write(new Uint8Array((await channelsNamed(c, graph, t.name)).slice().buffer));
  if (t.format === "columns") await write(packColumns(await columnsNamed(c, graph, t.name)));
  else await write(new Uint8Array((await findWeight(c, t).read(0, t.shape[0] as number)).buffer));
}

/** A weight as it is in the checkpoint, matrices packed as f32. */
export async function readPlain(c: Checkpoint, graph: Graph, t: TensorDef, write: Write): Promise<void> {
  if (!isMatrix(t)) return readVector(c, graph, t, write);
  const { read } = findWeight(c, t);
  const [n, k] = t.shape as [number, number];
  for (let row = 0; row < n; row += PLAIN_ROWS) {
    const rows = Math.min(PLAIN_ROWS, n - row);
    const packed = new Uint8Array(SCHEMES.f32.bytes(rows, k));
    SCHEMES.f32.encode(await read(row, rows), rows, k, packed);
    await write(packed);
  }
}
