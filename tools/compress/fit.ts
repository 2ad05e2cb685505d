// Makes one path of low rank of a graph: reads the weights beside which it stands, and what they became.
import { unarrange } from "../../runtime/graph/columns.ts";
import type { Graph, GraphNode, TensorDef } from "../../runtime/graph/types.ts";
import { SCHEMES } from "../../runtime/quant/catalogue.gen.ts";
import type { InputStatistics } from "./calibrate/statistics.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { columnsNamed } from "./columns.ts";
import type { Linalg } from "./linalg/linalg.ts";
import { type FittedPath, fitPath, type PathLinear } from "./lowrank.ts";
import { refitPart, takePart } from "./part.ts";
import { pathsOf, type SidePath } from "./paths.ts";
import { pathFor, type Recipe } from "./recipe.ts";
import { findWeight } from "./weights.ts";

export interface FitContext {
  readonly c: Checkpoint;
  readonly graph: Graph;
  readonly recipe: Recipe;
  readonly la: Linalg;
  /** Packed bytes of a compressed matrix. */
  packedOf(matrix: TensorDef): Promise<Uint8Array>;
}

const tensor = (graph: Graph, name: string) => graph.tensors.find((t) => t.name === name) as TensorDef;

const pathNamed = (graph: Graph, recipe: Recipe, down: string): SidePath => {
  const [first] = pathsOf(graph).get(down) as GraphNode[];
  return pathFor(recipe, first.tensors.w) as SidePath;
};

/** How often the path named `down` and the matrices beside it are made. */
export const turnsOf = (graph: Graph, recipe: Recipe, down: string): number => pathNamed(graph, recipe, down).turns;

/** Is the path named `down` a part of the weights? */
export const isPart = (graph: Graph, recipe: Recipe, down: string): boolean => pathNamed(graph, recipe, down).split !== undefined;

/**
 * The path named `down`, fitted to the packed weights beside it; one that is a part of the weights is taken out of them first, before there are any.
 * @param inputs what calibration learnt of their input @param near an earlier turn's, or the part that was taken
 */
export async function fitPathOf(o: FitContext, down: string, inputs?: InputStatistics, near?: FittedPath): Promise<FittedPath> {
  const nodes = pathsOf(o.graph).get(down) as GraphNode[];
  const { power, rank, split } = pathNamed(o.graph, o.recipe, down);
  const taking = split !== undefined && !near;
  const linears: PathLinear[] = [];
  for (const node of nodes) linears.push(await linearOf(o, node, taking));
  const job = { down: tensor(o.graph, down), linears, power, auto: rank === "auto", inputs, near };
  if (split === undefined) return fitPath(o.la, job);
  return near ? refitPart(o.la, job, near) : takePart(o.la, job, split);
}

/** @param alone nothing stands beside the path yet */
async function linearOf({ c, graph, packedOf }: FitContext, node: GraphNode, alone: boolean): Promise<PathLinear> {
  const t = tensor(graph, node.tensors.w);
  const [n, k] = t.shape as [number, number];
  const w = await findWeight(c, t).read(0, n);
  const linear = { weight: t.name, n, w, up: tensor(graph, node.tensors.up) };
  if (alone) return { ...linear, back: new Float32Array(n * k) };
  const back = SCHEMES[t.format].decode(await packedOf(t), n, k);
  if (node.tensors.columns !== undefined) {
    const columns = await columnsNamed(c, graph, node.tensors.columns);
    for (let r = 0; r < n; r++) back.set(unarrange(back.subarray(r * k, (r + 1) * k), columns), r * k);
  }
  return { ...linear, back };
}
