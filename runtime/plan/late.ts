// Logits are wanted of the last token only, so behind the last step that mixes tokens (attention, a recurrence) one row is enough: the copy of
// the last row moves up to there. Every row of what it passes is computed by itself, so the bits are the same.
import type { GraphNode, TensorDef } from "../graph/types.ts";
import { OPS } from "../ops/catalogue.gen.ts";
import { type Ir, Rewrite, reads, renamed, root, tensor, type Uses, usesOf, writes } from "./ir.ts";

const isLast = (n: GraphNode) => n.op === "copy" && n.variant === "last";
const ofTokens = (t: TensorDef) => t.shape[0] === "T";

/** For plans of several tokens; one of a single token would only copy more. */
export function keepLateRows(ir: Ir): void {
  const uses = usesOf(ir);
  const late = lateNodes(ir, uses);
  const computed = new Set([...late].flatMap(writes).map((t) => root(ir, t)));
  const copied = copyInputs(ir, uses, late, computed);
  const kept = new Map(ir.nodes.filter((n) => isLast(n) && computed.has(root(ir, n.tensors.x))).map((n) => [n.tensors.y, n.tensors.x]));
  for (const [name, t] of ir.tensors) if (computed.has(root(ir, name))) ir.tensors.set(name, { ...t, shape: ["L", ...t.shape.slice(1)] });
  ir.nodes = ir.nodes
    .filter((n) => !kept.has(n.tensors.y))
    .map((n) => renamed(late.has(n) ? { ...n, rows: "L" } : n, (t) => kept.get(t) ?? (late.has(n) ? copied.get(t) : undefined) ?? t));
}

/** Steps that compute rows by themselves, whose results nobody reads but such steps and copies of the last row. */
function lateNodes(ir: Ir, uses: Uses): Set<GraphNode> {
  const late = new Set(ir.nodes.filter((n) => OPS[n.op].perRow && n.rows === "T").reverse());
  const plain = (t: string) => !ofTokens(tensor(ir, t)) || tensor(ir, t).format === "f32";
  const wanted = (t: string) => {
    const readers = uses.readers(t);
    return tensor(ir, t).role === "value" && readers.length > 0 && readers.every((r) => late.has(r) || isLast(r)) && uses.writers(t).every((w) => late.has(w));
  };
  for (let before = -1; before !== late.size; ) {
    before = late.size;
    for (const n of late) if (!writes(n).every(wanted) || !reads(n).every(plain)) late.delete(n);
  }
  return late;
}

/** Inserts copies of the last rows of what late steps read from others, each right behind its last writer; name → name of its copy. */
function copyInputs(ir: Ir, uses: Uses, late: ReadonlySet<GraphNode>, computed: ReadonlySet<string>): Map<string, string> {
  const copied = new Map<string, string>();
  const rewrite = new Rewrite();
  for (const n of ir.nodes.filter((node) => late.has(node))) {
    for (const x of new Set(reads(n))) {
      const t = tensor(ir, x);
      if (!ofTokens(t) || computed.has(root(ir, x)) || copied.has(x)) continue;
      const y = `${x}:last`;
      const k = t.shape[1] as number;
      ir.tensors.set(y, { name: y, role: "value", format: "f32", shape: ["L", k] });
      rewrite.insertAfter(uses.writers(x).at(-1) as GraphNode, { op: "copy", name: y, variant: "last", rows: "T", tensors: { x, y }, attrs: { k } });
      copied.set(x, y);
    }
  }
  rewrite.apply(ir);
  return copied;
}
