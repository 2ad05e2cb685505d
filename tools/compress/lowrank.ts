// Paths of low rank beside weights (a rule's `rank`): which linears share one, and factors that take away the most of what compression left,
// W − Ŵ, by its singular values. `down` [r, k] is shared by the linears of an input, whose residuals are stacked; each has an `up` [n, r].
import { unarrange } from "../../runtime/graph/columns.ts";
import type { Graph, GraphNode, TensorDef } from "../../runtime/graph/types.ts";
import { SCHEMES } from "../../runtime/quant/catalogue.gen.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { columnsNamed } from "./columns.ts";
import { Linalg } from "./linalg/linalg.ts";
import { whitenedSvd } from "./linalg/svd.ts";
import { findWeight } from "./weights.ts";

/** What a rule says about the path beside a weight. */
export interface SidePath {
  readonly rank: number;
  /** Schemes of its parts. */
  readonly down: string;
  readonly up: string;
}

/** The graph with the paths that `pathOf` wants beside weights; the linears of one input that want the same share `down`. */
export function withLowRank(graph: Graph, pathOf: (weight: string) => SidePath | undefined): Graph {
  const tensors = new Map<string, TensorDef>();
  const shared = new Map<string, string>();
  const nodes = graph.nodes.map((n): GraphNode => {
    const path = n.op === "linear" ? pathOf(n.tensors.w) : undefined;
    if (!path) return n;
    const k = n.attrs.k as number;
    const rank = Math.min(path.rank, k);
    const key = JSON.stringify([n.tensors.x, path]);
    const down = shared.get(key) ?? `${n.name}.down`;
    shared.set(key, down);
    tensors.set(down, { name: down, role: "weight", format: path.down, shape: [rank, k] });
    const up = `${n.name}.up`;
    tensors.set(up, { name: up, role: "weight", format: path.up, shape: [n.attrs.n as number, rank] });
    return { ...n, tensors: { ...n.tensors, down, up } };
  });
  return { ...graph, nodes, tensors: [...graph.tensors, ...tensors.values()] };
}

/** The graph without any such path. */
export function withoutLowRank(graph: Graph): Graph {
  const gone = new Set<string>();
  const nodes = graph.nodes.map((n): GraphNode => {
    const { down, up, ...tensors } = n.tensors;
    if (!down) return n;
    gone.add(down).add(up);
    return { ...n, tensors };
  });
  return { ...graph, nodes, tensors: graph.tensors.filter((t) => !gone.has(t.name)) };
}

/** Packed bytes of a compressed matrix. */
export type PackedOf = (t: TensorDef) => Promise<Uint8Array>;

/** Makes the factors of one path after the other, each when the first of its parts is asked for. */
export class LowRankFactors {
  private readonly made = new Map<string, Promise<Map<string, Float32Array>>>();
  private la: Promise<Linalg> | undefined;

  constructor(
    private readonly c: Checkpoint,
    private readonly graph: Graph,
    private readonly packed: PackedOf,
  ) {}

  /** Is the tensor a part of a path? */
  has(name: string): boolean {
    return this.graph.nodes.some((n) => n.tensors.down === name || n.tensors.up === name);
  }

  /** Packed bytes of a part. */
  async of(t: TensorDef): Promise<Uint8Array> {
    const node = this.graph.nodes.find((n) => n.tensors.down === t.name || n.tensors.up === t.name) as GraphNode;
    const { down } = node.tensors;
    const made = this.made.get(down) ?? this.make(down);
    this.made.set(down, made);
    const [rows, width] = t.shape as [number, number];
    const out = new Uint8Array(SCHEMES[t.format].bytes(rows, width));
    SCHEMES[t.format].encode((await made).get(t.name) as Float32Array, rows, width, out);
    return out;
  }

  async close(): Promise<void> {
    (await this.la)?.close();
  }

  private tensor(name: string): TensorDef {
    return this.graph.tensors.find((t) => t.name === name) as TensorDef;
  }

  private async make(down: string): Promise<Map<string, Float32Array>> {
    const nodes = this.graph.nodes.filter((n) => n.tensors.down === down);
    const [rank, k] = this.tensor(down).shape as [number, number];
    const rows = nodes.map((n) => n.attrs.n as number);
    const n = rows.reduce((sum, r) => sum + r, 0);
    const residual = new Float64Array(n * k);
    let at = 0;
    for (const node of nodes) {
      residual.set(await this.residual(node), at * k);
      at += node.attrs.n as number;
    }
    this.la ??= Linalg.open();
    const { left, right, rank: found } = whitenedSvd(await this.la, residual, new Float64Array(0), n, k, 0, rank);
    const parts = new Map([[down, wider(Float32Array.from(right), found * k, 1, rank * k)]]);
    let first = 0;
    nodes.forEach((node, i) => {
      parts.set(node.tensors.up, wider(Float32Array.from(left.subarray(first * found, (first + rows[i]) * found)), found, rows[i], rank));
      first += rows[i];
    });
    return parts;
  }

  /** W − Ŵ, f32 [n, k]. */
  private async residual(node: GraphNode): Promise<Float32Array> {
    const t = this.tensor(node.tensors.w);
    const [n, k] = t.shape as [number, number];
    const w = await findWeight(this.c, t).read(0, n);
    const back = SCHEMES[t.format].decode(await this.packed(t), n, k);
    const columns = node.tensors.columns === undefined ? undefined : await columnsNamed(this.c, this.graph, node.tensors.columns);
    for (let r = 0; r < n; r++) {
      const row = back.subarray(r * k, (r + 1) * k);
      const plain = columns ? unarrange(row, columns) : row;
      for (let i = 0; i < k; i++) w[r * k + i] -= plain[i];
    }
    return w;
  }
}

/** Rows of `width` as rows of `wanted`, zeros behind. */
function wider(values: Float32Array, width: number, rows: number, wanted: number): Float32Array {
  if (width === wanted) return values;
  const out = new Float32Array(rows * wanted);
  for (let r = 0; r < rows; r++) out.set(values.subarray(r * width, (r + 1) * width), r * wanted);
  return out;
}
