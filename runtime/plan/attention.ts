// Room for attention: scratch memory for its units, and, where one row looks at a long context, parts instead of a result, so that few heads
// give work to many lanes. The bits do not depend on it: a block of positions is the same block, and blocks are folded in the same order.
import type { Symbols } from "../graph/formats.ts";
import { resolve } from "../graph/formats.ts";
import type { GraphNode } from "../graph/types.ts";
import { BLOCK, blocksOf, partWords, scratchWords } from "../ops/attention/parts.ts";
import { MAX_UNITS } from "./choose.ts";
import { type Ir, Rewrite } from "./ir.ts";

type Attrs = Readonly<Record<string, number>>;

export function placeAttention(ir: Ir, symbols: Symbols): void {
  const rewrite = new Rewrite();
  for (const n of ir.nodes.filter((n) => n.op === "attention")) {
    const { heads, kvheads, dh } = n.attrs as Attrs;
    const rows = resolve(n.rows, symbols);
    const scores = `${n.name}:scratch`;
    ir.tensors.set(scores, { name: scores, role: "value", format: "f32", shape: [MAX_UNITS, scratchWords(heads, kvheads, dh, rows)] });
    if (rows > 1 || symbols.C <= BLOCK || n.tensors.pattern) {
      rewrite.replace(n, { ...n, tensors: { ...n.tensors, scores } });
      continue;
    }
    const { y, ...inputs } = n.tensors;
    const parts = `${n.name}:parts`;
    ir.tensors.set(parts, { name: parts, role: "value", format: "f32", shape: [1, heads * blocksOf(symbols.C) * partWords(dh)] });
    rewrite.replace(n, { ...n, tensors: { ...inputs, scores, parts } });
    const { pos, capacity, window } = n.attrs;
    rewrite.insertAfter(n, { op: "attentionmerge", name: `${n.name}:merge`, variant: "f32", rows: n.rows, tensors: { parts, y }, attrs: { pos, heads, dh, capacity, window } });
  }
  rewrite.apply(ir);
}

/** Independent pieces of an attention step: blocks if they are left apart, else rows of groups of heads. */
export function attentionPieces(n: GraphNode, attrs: Attrs, rows: number): number {
  return rows * attrs.kvheads * (n.tensors.parts ? blocksOf(attrs.capacity) : 1);
}
