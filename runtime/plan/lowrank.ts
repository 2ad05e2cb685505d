// Linears with a path of low rank beside their weights, y = (W x + bias) + up (down x), become steps of their own. A product with `up` adds what
// the product with W left, so that the fold of additions into linears makes the sum free. The linears of one input share two more steps, three if
// `up` wants its input quantised.
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

/** Neighbours from `start` on that share x and `down`; none if the node there has no such path. */
function runAt(nodes: readonly GraphNode[], start: number): GraphNode[] {
  const first = nodes[start].tensors;
  if (!first.down) return [];
  const end = nodes.findIndex((n, i) => i >= start && (n.tensors.down !== first.down || n.tensors.x !== first.x));
  return nodes.slice(start, end < 0 ? nodes.length : end);
}

function expand(ir: Ir, run: readonly GraphNode[]): GraphNode[] {
  const [{ name, rows, tensors, variant }] = run;
  const down = tensor(ir, tensors.down);
  const rank = down.shape[0] as number;
  const t = define(ir, { name: `${name}:down`, role: "value", format: "f32", shape: [rows, rank] });
  // The input is shared with W in the format that W wants, if `down` can be multiplied with it.
  const same = variant && ACTS[variant].fits(SCHEMES[down.format]) ? variant : "";
  const base = run.map((n) => {
    const { down: _, up: __, ...rest } = n.tensors;
    return { ...n, tensors: { ...rest, y: besides(ir, tensor(ir, n.tensors.y)) } };
  });
  const product = {
    op: "linear",
    name: `${name}:down`,
    variant: same,
    rows,
    tensors: { x: tensors.x, w: down.name, y: t, ...(same && tensors.range ? { range: tensors.range } : {}) },
    attrs: { n: rank, k: run[0].attrs.k },
  };
  const sums = run.flatMap((n, i) => {
    const z = define(ir, { name: `${n.name}:up`, role: "value", format: "f32", shape: [rows, n.attrs.n as number] });
    const up = { op: "linear", name: `${n.name}:up`, variant: "", rows, tensors: { x: t, w: n.tensors.up, y: z }, attrs: { n: n.attrs.n, k: rank } };
    return [up, { op: "add", name: `${n.name}:sum`, variant: "f32", rows, tensors: { a: base[i].tensors.y, b: z, y: n.tensors.y }, attrs: { k: n.attrs.n } }];
  });
  return [...base, product, ...sums];
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
