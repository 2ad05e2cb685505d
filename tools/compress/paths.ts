// Paths of low rank beside weights in a graph, y = W x + up (down x): which linears share one, how wide it may be. Each linear has an `up` [n, r] and
// a `down` [r, k], or shares that with the other linears of its input; lowrank.ts makes their values.
import type { Graph, GraphNode, TensorDef } from "../../runtime/graph/types.ts";
import type { Part } from "./linalg/context.ts";
import type { Power } from "./linalg/svd.ts";

/** What a rule says about the path beside a weight. */
export interface SidePath {
  /** Below 1 a share of the matrix's columns. `auto`: as many as take away ENOUGH of the error, at most a quarter of the matrix's; absent: DEFAULT_RANK, at most an eighth. */
  readonly rank?: number | "auto";
  /** What the error is weighed with: see linalg/svd.ts. Any but 0 takes calibration. */
  readonly power: Power;
  /** Linears of one input have one `down` together. */
  readonly shared: boolean;
  /** So many times are path and matrices made, each for what the other leaves; 1: the matrices as if there were no path, then the path. */
  readonly turns: number;
  /** The path is a part of the weights, of which the matrix is the rest: see linalg/context.ts. */
  readonly split?: Part;
  /** Schemes of its parts. */
  readonly down: string;
  readonly up: string;
}

/** A path whose rank is `auto` ends where it has taken away this share of the error's energy. */
export const ENOUGH = 0.99;
const DEFAULT_RANK = 32;

/** Widest that a path may be beside matrices of n rows together. */
function widest({ rank }: SidePath, n: number, k: number): number {
  const least = Math.min(n, k);
  if (typeof rank === "number") return Math.min(rank < 1 ? Math.max(1, Math.round(rank * k)) : rank, least);
  return Math.max(1, rank === "auto" ? least >> 2 : Math.min(DEFAULT_RANK, least >> 3));
}

/** The graph with the paths that `pathOf` wants beside weights, as wide as they may be. */
export function withLowRank(graph: Graph, pathOf: (weight: string) => SidePath | undefined): Graph {
  const keyOf = (n: GraphNode) => {
    const path = n.op === "linear" ? pathOf(n.tensors.w) : undefined;
    return path && JSON.stringify([path.shared ? n.tensors.x : n.name, path]);
  };
  const shared = new Map<string, GraphNode[]>();
  for (const n of graph.nodes) {
    const key = keyOf(n);
    if (key !== undefined) shared.set(key, [...(shared.get(key) ?? []), n]);
  }
  const tensors: TensorDef[] = [];
  const nodes = graph.nodes.map((n): GraphNode => {
    const sharers = shared.get(keyOf(n) ?? "");
    if (!sharers) return n;
    const path = pathOf(n.tensors.w) as SidePath;
    const k = n.attrs.k as number;
    const rank = widest(
      path,
      sharers.reduce((sum, s) => sum + (s.attrs.n as number), 0),
      k,
    );
    const [down, up] = [`${sharers[0].name}.down`, `${n.name}.up`];
    if (n === sharers[0]) tensors.push({ name: down, role: "weight", format: path.down, shape: [rank, k] });
    tensors.push({ name: up, role: "weight", format: path.up, shape: [n.attrs.n as number, rank] });
    return { ...n, tensors: { ...n.tensors, down, up } };
  });
  return { ...graph, nodes, tensors: [...graph.tensors, ...tensors] };
}

/** The graph with paths as wide as `rankOf` says, by their `down`; without those of rank 0. */
export function withRanks(graph: Graph, rankOf: (down: string) => number): Graph {
  const rank = new Map<string, number>();
  const nodes = graph.nodes.map((n): GraphNode => {
    const { down, up, ...tensors } = n.tensors;
    if (!down) return n;
    const r = rankOf(down);
    rank.set(down, r).set(up, r);
    return r > 0 ? n : { ...n, tensors };
  });
  const isDown = new Set(graph.nodes.map((n) => n.tensors.down));
  const tensors = graph.tensors.flatMap((t) => {
    const r = rank.get(t.name);
    if (r === undefined) return [t];
    return r > 0 ? [{ ...t, shape: isDown.has(t.name) ? [r, t.shape[1]] : [t.shape[0], r] }] : [];
  });
  return { ...graph, nodes, tensors };
}

/** The graph without any path. */
export const withoutLowRank = (graph: Graph): Graph => withRanks(graph, () => 0);

/** The linears that share a path, by its `down`. */
export function pathsOf(graph: Graph): Map<string, GraphNode[]> {
  const paths = new Map<string, GraphNode[]>();
  for (const n of graph.nodes) if (n.tensors.down) paths.set(n.tensors.down, [...(paths.get(n.tensors.down) ?? []), n]);
  return paths;
}
