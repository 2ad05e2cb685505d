// Weights of the graph as rows of f32, wherever and however the checkpoint keeps them.
import type { Location } from "../../models/architecture.ts";
import { SkintError } from "../../runtime/errors.ts";
import type { StoredTensor } from "../../runtime/formats/store.ts";
import type { TensorDef } from "../../runtime/graph/types.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { Order } from "./neurons.ts";

/** Rows [row, row + rows) as f32; the caller may write to them. */
export type ReadRows = (row: number, rows: number) => Promise<Float32Array>;

export interface StoredWeight {
  /** Name in the checkpoint. */
  readonly name: string;
  /** Bytes it takes there. */
  readonly bytes: number;
  /** Element type, by the file format's own name. */
  readonly dtype: string;
  /** A vector has rows of one. Throws `model.tensor` at a number that is not finite. */
  readonly read: ReadRows;
  /** The bytes of those rows; absent for a transposed matrix. */
  readonly readBlocks?: (row: number, rows: number) => Promise<Uint8Array>;
}

/** Shape the stored tensor must have for a weight of shape [n] or [n, k]. */
function storedShape(t: TensorDef, at: Location): number[] {
  const [n, ...rest] = t.shape as number[];
  const all = [n * (at.part?.of ?? 1), ...(at.depthwise ? [1] : []), ...rest];
  return at.transposed ? all.reverse() : all;
}

/** Finds a weight of the graph in the checkpoint, in the order it is to be read in, and checks its shape. Throws `model.tensor`, `format.shape`. */
export function findWeight(c: Checkpoint, t: TensorDef): StoredWeight {
  const stored = findStored(c, t);
  const order = c.order?.(t.name);
  return order ? inOrder(stored, order, (t.shape[1] as number | undefined) ?? 1) : stored;
}

function inOrder(stored: StoredWeight, { rows: from, columns }: Order, k: number): StoredWeight {
  const read = async (row: number, rows: number) => {
    if (!from) return stored.read(row, rows);
    const w = new Float32Array(rows * k);
    for (let r = 0; r < rows; r++) w.set(await stored.read(from[row + r], 1), r * k);
    return w;
  };
  return {
    ...stored,
    readBlocks: undefined,
    async read(row, rows) {
      const w = await read(row, rows);
      return columns ? w.map((_, at) => w[at - (at % k) + columns[at % k]]) : w;
    },
  };
}

function findStored(c: Checkpoint, t: TensorDef): StoredWeight {
  const places = c.locate(t.name);
  const place = places.find((p) => c.store.tensors.has(p.name));
  if (!place)
    throw new SkintError(
      "model.tensor",
      `${c.store.name} holds no tensor ${places.map((p) => p.name).join(" or ")}, which ${c.architecture.name} needs for ${t.name}; the checkpoint is incomplete or of another architecture`,
      { what: places[0].name },
    );
  const at = c.turned?.has(t.name) ? { ...place, transposed: !place.transposed } : place;
  const stored = c.store.tensors.get(at.name) as StoredTensor;
  const [shape, want] = [stored.shape, storedShape(t, at)];
  if (at.flat || at.spread) return flatWeight(c, t, stored, at);
  if (shape.length !== want.length || shape.some((d, i) => d !== want[i]))
    throw new SkintError("format.shape", `tensor ${at.name} has the shape [${shape.join(", ")}], config.json implies [${want.join(", ")}]`, { what: at.name });
  const n = t.shape[0] as number;
  const k = (t.shape[1] as number | undefined) ?? 1;
  const first = (at.part?.index ?? 0) * n;
  let whole: Promise<Float32Array> | undefined;
  const readStored = async (row: number, rows: number) => {
    const w = new Float32Array(rows * k);
    if (!at.transposed || t.shape.length === 1) await c.store.readF32(at.name, first + row, rows, w);
    else {
      // A transposed matrix is read whole: its rows are columns of the stored one.
      whole ??= readWhole(c, at.name, want);
      turnRows(await whole, want[1], first + row, rows, k, w);
    }
    return w;
  };
  return {
    name: at.name,
    bytes: Math.ceil(stored.bytes / (at.part?.of ?? 1)),
    dtype: stored.dtype,
    ...(at.transposed || at.map ? {} : { readBlocks: (row: number, rows: number) => readBlocks(c, stored, first + row, rows) }),
    async read(row, rows) {
      const stored = await readStored(row, rows);
      const w = at.map ? stored.map(at.map) : stored;
      const bad = w.findIndex((v) => !Number.isFinite(v));
      return bad < 0 ? w : damaged(at.name, stored[bad], `[${first + row + Math.floor(bad / k)}, ${bad % k}]`);
    },
  };
}

function damaged(name: string, value: number, index: string): never {
  throw new SkintError("model.tensor", `tensor ${name} holds ${value} at index ${index}; the checkpoint is damaged: fetch it again`, { what: name });
}

/** A weight that is stored as n numbers of any shape, each of which stands for itself or for a row. */
function flatWeight(c: Checkpoint, t: TensorDef, { name, shape, bytes, dtype }: StoredTensor, { map, spread = (v) => [map ? map(v) : v] }: Location): StoredWeight {
  const n = t.shape[0] as number;
  if (shape.reduce((product, d) => product * d, 1) !== n)
    throw new SkintError("format.shape", `tensor ${name} has the shape [${shape.join(", ")}], config.json implies ${n} numbers`, { what: name });
  let whole: Promise<Float32Array> | undefined;
  return {
    ...{ name, bytes, dtype },
    async read(row, rows) {
      whole ??= readWhole(c, name, [shape[0], n / shape[0]]);
      return Float32Array.from(
        [...(await whole).subarray(row, row + rows)].flatMap((v, i) => {
          const made = spread(v);
          return made.every(Number.isFinite) ? made : damaged(name, v, `${row + i}`);
        }),
      );
    },
  };
}

async function readBlocks({ store }: Checkpoint, { name, bytes, shape }: StoredTensor, row: number, rows: number): Promise<Uint8Array> {
  const rowBytes = bytes / shape[0];
  const into = new Uint8Array(rows * rowBytes);
  await store.readBytes(name, row * rowBytes, into);
  return into;
}

async function readWhole(c: Checkpoint, name: string, shape: readonly number[]): Promise<Float32Array> {
  const all = new Float32Array(shape[0] * shape[1]);
  await c.store.readF32(name, 0, shape[0], all);
  return all;
}

/** Columns [row, row + rows) of stored f32 [k, width] as rows of k. */
function turnRows(stored: Float32Array, width: number, row: number, rows: number, k: number, out: Float32Array): void {
  for (let r = 0; r < rows; r++) for (let i = 0; i < k; i++) out[r * k + i] = stored[i * width + row + r];
}
