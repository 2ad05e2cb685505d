// Linears with a path of low rank beside their weights, y = (W x + bias) + up (down x), become steps of their own. A product with `up` adds what
// the product with W left, so that the fold of additions into linears makes the sum free. Linears of one input stand together before and
// after that, so that their products become one step.
import { ACTS } from "../act/catalogue.gen.ts";
import type { GraphNode, TensorDef } from "../graph/types.ts";
import { SCHEMES } from "../quant/catalogue.gen.ts";
import { type Ir, tensor } from "./ir.ts";

export function expandLowRank(ir: Ir): void {
  const out: GraphNode[] = [];
  for (let i = 0; i < ir.nodes.length; ) {
    const run = runAt(ir.nodes, i);
    out.push(...(run.length ? expand(ir, run) : [ir.nodes[i]]));
    i += run.length || 1;
  }
  ir.nodes = out;
}

/** Neighbours from `start` on that share x and have such a path; none if the node there has none. */
function runAt(nodes: readonly GraphNode[], start: number): GraphNode[] {
  const first = nodes[start].tensors;
  if (!first.down) return [];
  const end = nodes.findIndex((n, i) => i >= start && (!n.tensors.down || n.tensors.x !== first.x));
  return nodes.slice(start, end < 0 ? nodes.length : end);
}

function expand(ir: Ir, run: readonly GraphNode[]): GraphNode[] {
  const base = run.map((n) => {
    const { down: _, up: __, ...rest } = n.tensors;
    return { ...n, tensors: { ...rest, y: besides(ir, tensor(ir, n.tensors.y)) } };
  });
  const first = new Map<string, GraphNode>();
  for (const n of run) if (!first.has(n.tensors.down)) first.set(n.tensors.down, n);
  const owners = [...first.values()];
  const rank = (n: GraphNode) => tensor(ir, n.tensors.down).shape[0] as number;
  const whole = define(ir, { name: `${run[0].name}:downs`, role: "value", format: "f32", shape: [run[0].rows, owners.reduce((sum, n) => sum + rank(n), 0)] });
  let offset = 0;
  const products = owners.map((n) => {
    offset += rank(n);
    return product(ir, n, { of: whole, offset: offset - rank(n) });
  });
  const sums = run.flatMap((n, i) => {
    const t = products.find((p) => p.tensors.w === n.tensors.down) as GraphNode;
    const z = define(ir, { name: `${n.name}:up`, role: "value", format: "f32", shape: [n.rows, n.attrs.n as number] });
    const up = { op: "linear", name: `${n.name}:up`, variant: "", rows: n.rows, tensors: { x: t.tensors.y, w: n.tensors.up, y: z }, attrs: { n: n.attrs.n, k: t.attrs.n } };
    return [up, { op: "add", name: `${n.name}:sum`, variant: "f32", rows: n.rows, tensors: { a: base[i].tensors.y, b: z, y: n.tensors.y }, attrs: { k: n.attrs.n } }];
  });
  return [...base, ...products, ...sums];
}

/** The product with `down` of a linear, and of those that share it: columns of a value that all such products of an input make. */
function product(ir: Ir, { name, rows, tensors, variant, attrs }: GraphNode, view: NonNullable<TensorDef["view"]>): GraphNode {
  const down = tensor(ir, tensors.down);
  const rank = down.shape[0] as number;
  const y = define(ir, { name: `${name}:down`, role: "value", format: "f32", shape: [rows, rank], view });
  // The input is shared with W in the format that W wants, if `down` can be multiplied with it.
  const same = variant && ACTS[variant].fits(SCHEMES[down.format]) ? variant : "";
  return {
    op: "linear",
    name: `${name}:down`,
    variant: same,
    rows,
    tensors: { x: tensors.x, w: down.name, y, ...(same && tensors.range ? { range: tensors.range } : {}) },
    attrs: { n: rank, k: attrs.k },
  };
}

function define(ir: Ir, t: TensorDef): string {
  ir.tensors.set(t.name, t);
  return t.name;
}

/** A value of y's shape for the product with W alone; neighbours stay neighbours. */
function besides(ir: Ir, y: TensorDef): string {
  const name = `${y.name}:base`;
  if (!y.view) return define(ir, { ...y, name, role: "value" });
  return define(ir, { ...y, name, view: { ...y.view, of: besides(ir, tensor(ir, y.view.of)) } });
}
