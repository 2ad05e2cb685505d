// Lowering: graph → plan. Passes first, then kernels, panels, units and costs, then the arena.
import { SkintError } from "../errors.ts";
import { byteLength, dims, resolve, type Symbols } from "../graph/formats.ts";
import { type Graph, type GraphNode, SLOTS, type Slot } from "../graph/types.ts";
import { OPS } from "../ops/catalogue.gen.ts";
import { placeArena } from "./arena.ts";
import { attentionPieces, placeAttention } from "./attention.ts";
import { type Choice, chooseKernel, chooseUnits } from "./choose.ts";
import { placeChunks } from "./chunks.ts";
import { type Ir, reads, root, tensor, toIr, variantOf, writes } from "./ir.ts";
import { keepLateRows } from "./late.ts";
import { expandLowRank } from "./lowrank.ts";
import { expandNeurons } from "./neurons.ts";
import { quantiseOperands } from "./operands.ts";
import { panelFor } from "./panels.ts";
import { addPeaks, foldResiduals, insertTaps, keepAllRows, mergeLinears, quantiseInputs } from "./passes.ts";
import type { Cost, LowerOptions, Plan, Step } from "./types.ts";

export function lower(graph: Graph, options: LowerOptions): Plan {
  const ir = toIr(graph);
  if (options.logits === "all") keepAllRows(ir);
  else addPeaks(ir, graph);
  insertTaps(ir, graph, options.taps);
  if (options.logits === "last" && options.symbols.T > 1) keepLateRows(ir);
  expandLowRank(ir);
  expandNeurons(ir, options.symbols.T === 1, options.core);
  quantiseInputs(ir, options.fuse, (n) => panelFor(kernelOf(ir, n, options).kernel));
  quantiseOperands(ir);
  if (options.fuse) foldResiduals(ir);
  const adjacent = options.fuse ? mergeLinears(ir) : [];
  placeAttention(ir, options.symbols);
  placeChunks(ir, options.symbols);
  const steps = ir.nodes.map((n) => toStep(ir, n, options));
  const { offsets, bytes } = placeArena(lifetimes(ir, options.symbols));
  return { name: options.name, symbols: options.symbols, steps, tensors: ir.tensors, arena: offsets, arenaBytes: bytes, adjacent };
}

function kernelOf(ir: Ir, n: GraphNode, o: LowerOptions): Choice {
  return withPlace(n, () => chooseKernel(n.op, variantOf(ir, n), resolve(n.rows, o.symbols), o.kernels));
}

function toStep(ir: Ir, n: GraphNode, o: LowerOptions): Step {
  const variant = variantOf(ir, n);
  const rows = resolve(n.rows, o.symbols);
  const { kernel, why } = kernelOf(ir, n, o);
  const attrs: Record<string, number> = {};
  const slots: Record<string, Slot> = {};
  for (const [field, kind] of Object.entries(OPS[n.op].fields)) {
    const a = n.attrs[field];
    if (kind === "slot") slots[field] = slotNamed(n, a);
    else if (kind === "u32" || kind === "i32" || kind === "f32") attrs[field] = typeof a === "string" ? resolve(a as "C", o.symbols) : a;
  }
  const cost = costOf(ir, n, attrs, o.symbols);
  return { op: n.op, variant, kernel, name: n.name, rows: n.rows, tensors: n.tensors, attrs, slots, units: chooseUnits(cost.macs, cost.bytes, pieces(n, attrs, rows)), why, cost };
}

function withPlace<T>(n: GraphNode, f: () => T): T {
  try {
    return f();
  } catch (e) {
    if (e instanceof SkintError) throw new SkintError(e.code, `step ${n.name}: ${e.message}`, { what: n.name }, { cause: e });
    throw e;
  }
}

function slotNamed(n: GraphNode, a: number | string): Slot {
  if ((SLOTS as readonly unknown[]).includes(a)) return a as Slot;
  throw new SkintError("graph.invalid", `step ${n.name} reads slot ${a}, which does not exist (${SLOTS.join(", ")})`, { what: n.name });
}

/** Independent pieces a step can be cut into. */
function pieces(n: GraphNode, attrs: Record<string, number>, rows: number): number {
  return n.op === "attention" ? attentionPieces(n, attrs, rows) : OPS[n.op].pieces(attrs, rows);
}

function costOf(ir: Ir, n: GraphNode, a: Record<string, number>, s: Symbols): Cost {
  const names = [...new Set([...reads(n), ...writes(n)])].map((t) => tensor(ir, t));
  const rows = resolve(n.rows, s);
  const size = (t: (typeof names)[number]) => {
    // An embedding reads only its rows; a merged linear reads the weights of all its parts.
    if (n.op === "embed" && t.name === n.tensors.table) return (rows * byteLength(t, s)) / dims(t, s)[0];
    if (n.op === "linear" && t.name === n.tensors.w) return (byteLength(t, s) * a.n) / dims(t, s)[0];
    // Appending touches the rows it writes; attention may read the whole context.
    if (n.op === "kvappend" && t.role === "state") return (rows * byteLength(t, s)) / s.C;
    return t.role === "constant" || [n.tensors.scores, n.tensors.scratch, n.tensors.compact].includes(t.name) ? 0 : byteLength(t, s);
  };
  const bytes = names.reduce((sum, t) => sum + size(t), 0);
  return { bytes, macs: rows * OPS[n.op].macs(a) };
}

function lifetimes(ir: Ir, symbols: Symbols) {
  const found = new Map<string, { name: string; bytes: number; from: number; to: number }>();
  ir.nodes.forEach((n, i) => {
    for (const name of [...reads(n), ...writes(n)]) {
      const memory = root(ir, name);
      const t = tensor(ir, memory);
      if (t.role !== "value") continue;
      const have = found.get(memory);
      if (have) have.to = i;
      else found.set(memory, { name: memory, bytes: byteLength(t, symbols), from: i, to: i });
    }
  });
  return [...found.values()];
}
