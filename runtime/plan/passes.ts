// Passes that do not change what is computed: rows of logits, taps, quantisers, fusion. Every pass keeps the bits of the result.
import { ACTS } from "../act/catalogue.gen.ts";
import { PANEL } from "../act/i8tok.ts";
import { SkintError } from "../errors.ts";
import { byteLength } from "../graph/formats.ts";
import type { Graph, GraphNode, TensorDef } from "../graph/types.ts";
import { parseLinearVariant } from "../ops/linear/variant.ts";
import { peaksOf } from "../ops/peaks/op.ts";
import { BLOCK_ROWS } from "../quant/scheme.ts";
import { type Ir, Rewrite, reads, renamed, root, tensor, type Uses, usesOf, variantOf, writes } from "./ir.ts";

/** Logits of every token: the copy of the last row falls away. */
export function keepAllRows(ir: Ir): void {
  for (const node of ir.nodes.filter((n) => n.op === "copy" && n.variant === "last")) {
    const { x, y } = node.tensors;
    ir.nodes = ir.nodes.filter((n) => n !== node).map((n) => renamed(n, (t) => (t === y ? x : t)));
  }
}

/** Copies the tensors at `points` out, each right behind its last writer; attention patterns are written by the attention step itself. */
export function insertTaps(ir: Ir, graph: Graph, points: readonly string[]): void {
  for (const point of points) {
    const out = `tap:${point}`;
    const attention = ir.nodes.find((n) => n.op === "attention" && `${n.name}.pattern` === point);
    if (attention) {
      const heads = attention.attrs.heads as number;
      // One row a token: [heads, C] weights. The symbol C stands for the capacity; the width is filled in by the planner.
      ir.tensors.set(out, { name: out, role: "output", format: "f32", shape: ["T", heads, "C"] });
      ir.nodes = ir.nodes.map((n) => (n === attention ? { ...n, tensors: { ...n.tensors, pattern: out } } : n));
      continue;
    }
    const x = graph.points[point];
    if (!x) throw new SkintError("graph.invalid", `there is no tap point ${point}; the model has ${Object.keys(graph.points).slice(0, 8).join(", ")} …`, { what: point });
    const t = tensor(ir, x);
    const rows = t.shape[0];
    const k = t.shape[1] as number;
    ir.tensors.set(out, { name: out, role: "output", format: "f32", shape: [rows, k] });
    const writers = usesOf(ir).writers(x);
    const at = ir.nodes.indexOf(writers[writers.length - 1]) + 1;
    ir.nodes.splice(at, 0, { op: "copy", name: out, variant: "rows", rows, tensors: { x, y: out }, attrs: { k } });
  }
}

/** Output of the plans that give the logits of the last token. */
export const PEAKS = "peaks";

/** Beside the logits of a step's last token, what a sampler looks at first. */
export function addPeaks(ir: Ir, graph: Graph): void {
  const x = graph.points.logits;
  const { shape } = tensor(ir, x);
  const [rows, k] = [shape[0], shape[1] as number];
  const blocks = peaksOf(k);
  ir.tensors.set(PEAKS, { name: PEAKS, role: "output", format: "f32", shape: [rows, blocks] });
  ir.nodes.push({ op: "peaks", name: PEAKS, variant: "f32", rows, tensors: { x, y: PEAKS }, attrs: { k, blocks } });
}

const QUANTISING = ["rmsnorm", "layernorm", "activate"];

const actOf = (ir: Ir, linear: GraphNode) => parseLinearVariant(variantOf(ir, linear)).act;

/** Who quantises the rows: the format that the linear multiplies with, unless they are transformed before. */
const quantiserOf = (ir: Ir, linear: GraphNode) => (ACTS[linear.variant]?.rotated ? linear.variant : actOf(ir, linear));

/** Name of each kind of quantised rows → the linears that read them. Who wants no panel reads rows that have one for others. */
function rowsWanted(ir: Ir, panelOf: (linear: GraphNode) => number): Map<string, GraphNode[]> {
  const wanted = new Map<string, GraphNode[]>();
  const linears = ir.nodes.filter((n) => n.op === "linear" && actOf(ir, n) !== "f32");
  const key = (n: GraphNode) => `${n.tensors.x}:${quantiserOf(ir, n)}${n.tensors.columns ?? ""}${n.tensors.range ?? ""}`;
  const panels = new Map<string, number>();
  for (const n of linears) if (panelOf(n) !== PANEL.none && !panels.has(key(n))) panels.set(key(n), panelOf(n));
  for (const n of linears) {
    const name = `${key(n)}${panelOf(n) || (panels.get(key(n)) ?? PANEL.none)}`;
    wanted.set(name, [...(wanted.get(name) ?? []), n]);
  }
  return wanted;
}

/**
 * Gives every linear its input in the format its scheme multiplies with: in the producer if it can, else by a quantise step.
 * Linears whose kernels want different panels (`panelOf` tells), or that have columns of their own, get rows of their own.
 */
export function quantiseInputs(ir: Ir, fuse: boolean, panelOf: (linear: GraphNode) => number): void {
  const wanted = rowsWanted(ir, panelOf);
  const uses = usesOf(ir);
  const rewrite = new Rewrite();
  for (const [name, linears] of wanted) {
    const { x, columns, range } = linears[0].tensors;
    const t = tensor(ir, x);
    const act = actOf(ir, linears[0]);
    ir.tensors.set(name, { name, role: "value", format: act, shape: t.shape });
    const panel = Math.max(...linears.map(panelOf));
    const [producer, ...others] = uses.writers(x);
    const variant = quantiserOf(ir, linears[0]);
    const fits =
      fuse && ACTS[variant].fused && others.length === 0 && QUANTISING.includes(producer.op) && uses.readers(x).length === linears.length && !t.view && t.role === "value";
    if (fits) rewrite.replace(producer, { ...producer, variant: act, tensors: { ...producer.tensors, y: name, ...(range ? { range } : {}) }, attrs: { ...producer.attrs, panel } });
    else {
      const attrs = { k: t.shape[1] as number, panel };
      rewrite.insertBefore(linears[0], {
        op: "quantise",
        name: `${linears[0].name}.quantise`,
        variant,
        rows: t.shape[0],
        tensors: { x, y: name, ...(columns ? { columns } : {}), ...(range ? { range } : {}) },
        attrs,
      });
    }
    for (const n of linears) {
      const { columns: _, range: __, ...tensors } = n.tensors;
      rewrite.replace(n, { ...n, tensors: { ...tensors, x: name } });
    }
  }
  rewrite.apply(ir);
}

/** add(a, linear(x)) → linear(x) + residual a, when nothing else reads the linear's output and a is there before it. */
export function foldResiduals(ir: Ir): void {
  const uses = usesOf(ir);
  const rewrite = new Rewrite();
  const at = new Map(ir.nodes.map((n, i) => [n, i]));
  for (const add of ir.nodes.filter((n) => n.op === "add")) {
    const { a, b, y } = add.tensors;
    const linear = uses.writers(b).find((n) => n.op === "linear" && n.tensors.y === b && n.rows === add.rows);
    if (!linear || tensor(ir, b).view || uses.readers(b).length > 1) continue;
    // The linear reads a and writes y where it stands, which is before the addition: a must be whole by then, and nothing between may touch y.
    const [from, to] = [at.get(linear) as number, at.get(add) as number];
    const ready = uses.writers(a).every((n) => (at.get(n) as number) < from);
    const touched = ir.nodes.slice(from + 1, to).some((n) => [...reads(n), ...writes(n)].some((t) => overlap(ir, t, y)));
    if (!ready || touched) continue;
    rewrite.replace(add, null);
    rewrite.replace(linear, { ...linear, tensors: { ...linear.tensors, residual: a, y } });
  }
  rewrite.apply(ir);
}

/** Do two tensors share memory? Views of one value may be other columns of it. */
function overlap(ir: Ir, one: string, other: string): boolean {
  if (root(ir, one) !== root(ir, other)) return false;
  const [a, b] = [tensor(ir, one), tensor(ir, other)];
  return !a.view || !b.view || (a.view.offset < b.view.offset + (b.shape[1] as number) && b.view.offset < a.view.offset + (a.shape[1] as number));
}

/** Neighbouring linears of one input whose outputs are neighbouring columns become one step; returns the weights that must be adjacent. */
export function mergeLinears(ir: Ir): string[][] {
  const adjacent: string[][] = [];
  const out: GraphNode[] = [];
  const uses = usesOf(ir);
  for (let i = 0; i < ir.nodes.length; ) {
    const run = runAt(ir, uses, i);
    i += run.length;
    if (run.length === 1) {
      out.push(run[0]);
      continue;
    }
    const n = run.reduce((sum, r) => sum + (r.attrs.n as number), 0);
    const name = `${run.map((r) => r.name).join("+")}`;
    const joined = (field: "y" | "residual") => {
      const first = tensor(ir, run[0].tensors[field]);
      const whole = field === "y" ? name : `${name}:${field}`;
      ir.tensors.set(whole, { ...first, name: whole, shape: [first.shape[0], n], view: { of: root(ir, first.name), offset: first.view?.offset ?? 0 } });
      return whole;
    };
    out.push({
      ...run[0],
      name: run.map((r, j) => (j ? r.name.slice(r.name.lastIndexOf(".") + 1) : r.name)).join("+"),
      tensors: { ...run[0].tensors, y: joined("y"), ...(run[0].tensors.residual ? { residual: joined("residual") } : {}) },
      attrs: { ...run[0].attrs, n },
    });
    adjacent.push(run.map((r) => r.tensors.w));
    if (run[0].tensors.bias) adjacent.push(run.map((r) => r.tensors.bias));
  }
  ir.nodes = out;
  return adjacent;
}

function runAt(ir: Ir, uses: Uses, start: number): GraphNode[] {
  const run = [ir.nodes[start]];
  for (let i = start + 1; i < ir.nodes.length && canJoin(ir, uses, run[run.length - 1], ir.nodes[i]); i++) run.push(ir.nodes[i]);
  return run;
}

/** Are b's columns the next ones after a's in the same value? */
function follows(a: TensorDef, b: TensorDef): boolean {
  return !!a.view && !!b.view && b.view.of === a.view.of && b.view.offset === a.view.offset + (a.shape[1] as number);
}

/** Can `b` follow `a` in one step? Its weights must be able to lie right behind a's: whole blocks, 64-byte multiples, used only here. */
function canJoin(ir: Ir, uses: Uses, a: GraphNode, b: GraphNode): boolean {
  if (a.op !== "linear" || b.op !== "linear" || a.tensors.x !== b.tensors.x || a.tensors.only || b.tensors.only) return false;
  if (!a.tensors.bias !== !b.tensors.bias || !a.tensors.residual !== !b.tensors.residual) return false;
  if (a.tensors.residual && !follows(tensor(ir, a.tensors.residual), tensor(ir, b.tensors.residual))) return false;
  const [wa, wb] = [tensor(ir, a.tensors.w), tensor(ir, b.tensors.w)];
  if (wa.format !== wb.format || a.variant !== b.variant || !follows(tensor(ir, a.tensors.y), tensor(ir, b.tensors.y))) return false;
  const whole = (wa.shape[0] as number) % BLOCK_ROWS === 0 && byteLength(wa, { T: 1, L: 1, C: 1 }) % 64 === 0;
  return whole && uses.readers(wa.name).length === 1 && uses.readers(wb.name).length === 1;
}
