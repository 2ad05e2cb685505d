// Weights of linears whose activations are transformed (had8): their rows are transformed too, so that products are the same.
import { ACTS } from "../../runtime/act/catalogue.gen.ts";
import type { Graph, GraphNode, TensorDef } from "../../runtime/graph/types.ts";
import { hadamard, hadamardOf } from "../../runtime/num/hadamard.ts";
import type { StoredWeight } from "./weights.ts";

const isRotated = (n: GraphNode) => n.op === "linear" && ACTS[n.variant]?.rotated === true;

export const rotates = (graph: Graph, weight: string): boolean => graph.nodes.some((n) => n.tensors.w === weight && isRotated(n));

/** The activation format that a linear gets where its rule asks for `act`: rows that no Hadamard matrix fits are not transformed. */
export const fittingAct = (act: string, k: number): string => (ACTS[act]?.rotated && !hadamardOf(k) ? "i8static" : act);

/** What became of transforms that do not fit whole rows. @param actOf what the recipe asks for */
export function rotationWarnings(graph: Graph, actOf: (weight: string) => string | undefined): string[] {
  return graph.nodes.flatMap((n) => {
    const asked = n.op === "linear" && ACTS[actOf(n.tensors.w) ?? ""]?.rotated;
    if (!asked) return [];
    const k = n.attrs.k as number;
    const block = hadamardOf(k)?.block;
    if (block === k) return [];
    const instead = block === undefined ? "are not transformed" : `are transformed in ${k / block} blocks of ${block}`;
    return [`${n.name}: no Hadamard matrix of order ${k} (2^p, 12·2^p, 40·2^p) is known here; its inputs ${instead}`];
  });
}

/** Rows of a stored weight as they are multiplied. */
export function rotated(graph: Graph, t: TensorDef, stored: StoredWeight): StoredWeight {
  if (!rotates(graph, t.name)) return stored;
  const k = t.shape[1] as number;
  const read = async (row: number, rows: number) => {
    const w = await stored.read(row, rows);
    for (let r = 0; r < rows; r++) w.set(hadamard(w.subarray(r * k, (r + 1) * k)), r * k);
    return w;
  };
  return { ...stored, read, readBlocks: undefined };
}
