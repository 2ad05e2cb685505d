// Hidden neurons of feed-forward layers, and channels of attention's values, in another order. Which comes first changes nothing that a model computes:
// rows of `gate` and `up` trade places, and columns of `down` with them; rows of `v` within a head, and columns of `o` with them. (Rows of q and k
// stay: a rotary position belongs to each.) Schemes whose 8 neighbouring rows keep the same weights lose less when those rows are alike.
import type { Graph, GraphNode, TensorDef } from "../../runtime/graph/types.ts";
import { SCHEMES } from "../../runtime/quant/catalogue.gen.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { Linalg } from "./linalg/linalg.ts";
import { timesTransposed } from "./linalg/product.ts";
import { shareOf } from "./prune.ts";
import { findWeight } from "./weights.ts";

/** Where each row, or column, comes from. */
export interface Order {
  readonly rows?: Uint32Array;
  readonly columns?: Uint32Array;
}

/** Values between linears: those that make them, and the one that reads them. */
interface Hidden {
  readonly makers: readonly GraphNode[];
  readonly reader: GraphNode;
  /** Values of heads keep to their head, of so many; so many heads of the reader share one of them. */
  readonly heads?: { readonly size: number; readonly sharing: number };
}

/** Feed-forward layers whose neurons may trade places: an activation made of linears that nothing else reads, read by one linear. */
export function hiddenOf(graph: Graph): Hidden[] {
  const readers = (tensor: string) => graph.nodes.filter((n) => Object.entries(n.tensors).some(([port, t]) => t === tensor && port !== "y"));
  return graph.nodes.flatMap((n) => {
    if (n.op !== "activate") return [];
    const inputs = [n.tensors.g, n.tensors.u].filter((t) => t !== undefined);
    const makers = inputs.flatMap((t) => graph.nodes.filter((m) => m.op === "linear" && m.tensors.y === t));
    const [reader, ...others] = readers(n.tensors.y);
    const alone = [...inputs.map((t) => readers(t)), ...[...makers, reader].map((m) => readers(m?.tensors.w ?? ""))].every((r) => r.length === 1);
    return makers.length === inputs.length && alone && others.length === 0 && reader?.op === "linear" ? [{ makers, reader }] : [];
  });
}

/** Attention whose values may trade places within a head: a linear makes them for one cache, one linear reads what is mixed of them. */
function valuesOf(graph: Graph): Hidden[] {
  const touching = (tensor: string) => graph.nodes.filter((n) => Object.values(n.tensors).includes(tensor));
  return graph.nodes.flatMap((n) => {
    if (n.op !== "attention") return [];
    const appends = touching(n.tensors.vcache).filter((m) => m !== n);
    const mixed = touching(n.tensors.y).filter((m) => m !== n);
    const made = touching(appends[0]?.tensors.v ?? "").filter((m) => m !== appends[0]);
    const [maker, reader] = [made[0], mixed[0]];
    const alone = [appends, made, mixed, touching(maker?.tensors.w ?? ""), touching(reader?.tensors.w ?? "")].every((all) => all.length === 1);
    const { dh, heads, kvheads } = n.attrs as Record<string, number>;
    const linears = maker?.op === "linear" && reader?.op === "linear" && maker.attrs.n === kvheads * dh && reader.attrs.k === heads * dh;
    return alone && linears ? [{ makers: [maker], reader, heads: { size: dh, sharing: heads / kvheads } }] : [];
  });
}

/** Columns of what reads rows that trade places: heads that share a head's values follow it. */
function columnsOf(rows: Uint32Array, { heads, reader }: Hidden): Uint32Array {
  if (!heads) return rows;
  const { size, sharing } = heads;
  return Uint32Array.from({ length: reader.attrs.k as number }, (_, i) => {
    const head = Math.floor(i / size);
    const from = Math.floor(head / sharing) * size;
    return head * size + rows[from + (i % size)] - from;
  });
}

/** Neurons that trade places with each other: what all pairs have in common takes 8 bytes a pair. A whole number of runs. */
const SLICE = 4096;

/**
 * The checkpoint with neurons in an order in which rows that will share a mask are alike; as it is where no rows will.
 * @param slice so many neighbouring neurons trade places with each other
 */
export async function withAlikeNeurons(c: Checkpoint, graph: Graph, slice = SLICE): Promise<Checkpoint> {
  const tensor = (name: string) => graph.tensors.find((t) => t.name === name) as TensorDef;
  const share = ({ makers }: Hidden) => Math.max(...makers.map((m) => shareOf(SCHEMES[tensor(m.tensors.w).format])));
  const layers = [...hiddenOf(graph), ...valuesOf(graph)].filter((h) => share(h) > 1);
  if (layers.length === 0) return c;
  const orders = new Map<string, Order>();
  const la = await Linalg.open();
  try {
    for (const layer of layers) {
      const energies = [];
      for (const m of layer.makers) energies.push(await energiesOf(c, tensor(m.tensors.w)));
      const rows = inSlices(la, energies, layer.makers[0].attrs.n as number, share(layer), layer.heads?.size ?? slice);
      for (const { tensors } of layer.makers) for (const name of [tensors.w, tensors.bias]) if (name !== undefined) orders.set(name, { rows });
      orders.set(layer.reader.tensors.w, { columns: columnsOf(rows, layer) });
    }
  } finally {
    la.close();
  }
  return { ...c, order: (weight) => orders.get(weight) };
}

/** Which weights of a row matter: squares of weights [rows, k], less their mean over the 4 neighbours of which two stay. */
interface Energies {
  readonly above: Float64Array;
  readonly k: number;
}

async function energiesOf(c: Checkpoint, t: TensorDef): Promise<Energies> {
  const [n, k] = t.shape as [number, number];
  const w = await findWeight(c, t).read(0, n);
  const above = Float64Array.from(w, (v) => v * v);
  for (let r = 0; r < n; r++)
    for (let i = 0; i < k; i += 4) {
      const group = above.subarray(r * k + i, r * k + Math.min(i + 4, k));
      const mean = group.reduce((sum, v) => sum + v, 0) / group.length;
      group.forEach((v, at) => {
        group[at] = v - mean;
      });
    }
  return { above, k };
}

/** Each slice in an order of its own. */
function inSlices(la: Linalg, energies: readonly Energies[], n: number, share: number, slice: number): Uint32Array {
  const order = new Uint32Array(n);
  for (let from = 0; from < n; from += slice) {
    const count = Math.min(slice, n - from);
    const part = energies.map(({ above, k }) => ({ above: above.subarray(from * k, (from + count) * k), k }));
    order.set(
      inRuns(la, part, count, share).map((row) => from + row),
      from,
    );
  }
  return order;
}

/** Rows in runs of `share`: each begins with the first that is left and takes, one by one, the row whose great weights stand most where its rows' do. */
function inRuns(la: Linalg, energies: readonly Energies[], n: number, share: number): Uint32Array {
  const common = new Float64Array(n * n);
  for (const { above, k } of energies)
    la.scope(() => {
      const m = la.from(above, n, k);
      const products = la.view(timesTransposed(la, m, m));
      for (let i = 0; i < common.length; i++) common[i] += products[i];
    });
  const left = new Set(Array.from({ length: n }, (_, i) => i));
  const order: number[] = [];
  const sums = new Float64Array(n);
  while (left.size > 0) {
    if (order.length % share === 0) sums.fill(0);
    let best = -1;
    for (const row of left) if (best < 0 || sums[row] > sums[best]) best = row;
    left.delete(best);
    order.push(best);
    for (let row = 0; row < n; row++) sums[row] += common[best * n + row];
  }
  return Uint32Array.from(order);
}
