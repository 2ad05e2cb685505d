// Pass: feed-forward layers whose matrices lie by neurons (`rowsum` behind an activation of q4n linears) become the steps that do only the work that
// matters: first product, `select`, second product, `hidden`, `rowsum`. A plan of one token hands lists of neurons from step to step; one of many
// tokens sets to 0 what a list would leave out. Same bits either way. What a layer does is said by its control words, which the host may change.
import { coreSize } from "../cores/rank.ts";
import type { GraphNode, TensorDef } from "../graph/types.ts";
import { CONTROL_WORDS } from "../ops/select/control.ts";
import { LIST_HEAD } from "../ops/select/list.ts";
import { scheme } from "../quant/q4n.ts";
import { type Ir, Rewrite, tensor, type Uses, usesOf } from "./ir.ts";

/** Tensors of a layer that the host reads and writes, by the name of its `rowsum` node. */
export const controlOf = (layer: string): string => `${layer}:control`;
export const coreOf = (layer: string): string => `${layer}:core`;
export const normsOf = (layer: string): string => `${layer}:norms`;
/** Matrices of a layer of which rows may be read. */
export const PARTS = ["first", "second", "last"] as const;
export type Part = (typeof PARTS)[number];
/** Room for the rows of a core, in order (runtime/session/compact.ts). */
export const compactOf = (layer: string, part: Part): string => `${layer}:compact.${part}`;
/** What is counted of a prompt, by neuron (runtime/ops/tally). */
export const countsOf = (layer: string): string => `${layer}:counts`;
export const massOf = (layer: string): string => `${layer}:mass`;

/** What leads to a `rowsum` whose neurons can be left out before they are computed. */
interface Layer {
  readonly sum: GraphNode;
  readonly activate: GraphNode;
  readonly first: GraphNode;
  readonly second: GraphNode | undefined;
}

/**
 * @param one the plan runs one token
 * @param core share of the neurons for whose rows there is room apart; undefined: none
 */
export function expandNeurons(ir: Ir, one: boolean, core: number | undefined): void {
  const uses = usesOf(ir);
  const rewrite = new Rewrite();
  for (const sum of ir.nodes.filter((n) => n.op === "rowsum")) {
    const to = new Expansion(ir, sum, one, one ? core : undefined);
    const layer = layerOf(ir, uses, sum);
    const hidden = uses.readers(sum.tensors.x).length > 1 ? { hidden: sum.tensors.x } : undefined;
    if (!layer) {
      rewrite.insertBefore(sum, to.hidden(sum.tensors.x, undefined, undefined, undefined));
      rewrite.replace(sum, to.sum(undefined));
    } else {
      const { activate, first, second } = layer;
      const s = to.value("s", "f32", sum.attrs.n as number);
      const rows = to.compacts(layer);
      rewrite.replace(first, one ? { ...first, tensors: { ...first.tensors, only: to.shared("core"), ...rows.first } } : first);
      // Of many tokens both products come first, so that they can be one step.
      rewrite.insertAfter(one || !second ? first : second, to.select(activate, s));
      if (second && one) rewrite.replace(second, { ...second, tensors: { ...second.tensors, only: to.list("only"), ...rows.second } });
      rewrite.replace(activate, to.hidden(s, activate.tensors.u, one ? (rows.last ?? {}) : undefined, hidden));
      rewrite.replace(sum, to.sum(rows.last));
      // Of the last layer a prompt may compute one row only: what is counted must not depend on how the prompt is cut.
      if (!one && sum.rows === "T") for (const step of to.count(s, activate.tensors.u)) rewrite.insertAfter(activate, step);
    }
  }
  rewrite.apply(ir);
}

/** The layer, if nothing else looks at what leaving out neurons would change. */
function layerOf(ir: Ir, uses: Uses, sum: GraphNode): Layer | undefined {
  const alone = (name: string, reader: GraphNode) => ir.nodes.every((n) => n === reader || !Object.entries(n.tensors).some(([field, t]) => t === name && field !== "y"));
  const [activate, ...others] = uses.writers(sum.tensors.x);
  if (others.length || activate?.op !== "activate" || activate.variant !== "f32") return undefined;
  const maker = (name: string | undefined) => ir.nodes.find((n) => n.op === "linear" && n.tensors.y === name && tensor(ir, n.tensors.w).format === "q4n" && n.variant === "");
  const first = maker(activate.tensors.g);
  const second = maker(activate.tensors.u);
  if (!first || !alone(activate.tensors.g, activate)) return undefined;
  if (activate.tensors.u && !(second && alone(activate.tensors.u, activate))) return undefined;
  // A list names rows of one x and one y; the neurons of `down` must be theirs.
  return { sum, activate, first, second };
}

/** Makes the steps and tensors of one layer. */
class Expansion {
  constructor(
    private readonly ir: Ir,
    private readonly node: GraphNode,
    private readonly one: boolean,
    private readonly core: number | undefined,
  ) {}

  private define(t: TensorDef): string {
    this.ir.tensors.set(t.name, t);
    return t.name;
  }

  private get n(): number {
    return this.node.attrs.n as number;
  }

  value(what: string, format: string, width: number): string {
    return this.define({ name: `${this.node.name}:${what}`, role: "value", format, shape: [this.node.rows, width] });
  }

  list(what: string): string {
    return this.define({ name: `${this.node.name}:${what}`, role: "value", format: "u32", shape: [1, LIST_HEAD + this.n] });
  }

  /** Tensors that all plans share, and the host. */
  shared(what: "control" | "core" | "norms" | "counts" | "mass"): string {
    const { name } = this.node;
    if (what === "norms") return this.define({ name: normsOf(name), role: "input", format: "f32", shape: [this.n] });
    if (what === "counts") return this.define({ name: countsOf(name), role: "input", format: "u32", shape: [this.n] });
    if (what === "mass") return this.define({ name: massOf(name), role: "input", format: "f32", shape: [this.n] });
    if (what === "core") return this.define({ name: coreOf(name), role: "input", format: "u32", shape: [1, LIST_HEAD + this.n] });
    return this.define({ name: controlOf(name), role: "input", format: "u32", shape: [1, CONTROL_WORDS] });
  }

  /** Room for rows of the layer's matrices, if any was asked for: one behind the other, as they are read. Words that hold q4n. */
  compacts({ first, second, sum }: Layer): Readonly<Partial<Record<Part, { compact: string }>>> {
    if (this.core === undefined) return {};
    const rows = coreSize(this.n, this.core);
    const parts = Object.entries({ first, second, last: sum }).flatMap(([part, node]) => {
      if (!node) return [];
      const name = compactOf(this.node.name, part as Part);
      return [[part, { compact: this.define({ name, role: "input", format: "u32", shape: [1, scheme.bytes(rows, node.attrs.k as number) / 4] }) }]];
    });
    return Object.fromEntries(parts);
  }

  select(activate: GraphNode, s: string): GraphNode {
    const lists: Record<string, string> = { core: this.shared("core"), ...(this.one ? { only: this.list("only") } : {}) };
    return {
      op: "select",
      name: `${this.node.name}:select`,
      variant: "f32",
      rows: this.node.rows,
      tensors: { g: activate.tensors.g, control: this.shared("control"), s, ...lists },
      attrs: { n: this.n, kind: activate.attrs.kind },
    };
  }

  /** @param listed with a list of neurons: where their rows may lie in order */
  hidden(s: string, u: string | undefined, listed: { compact?: string } | undefined, hidden: { hidden: string } | undefined): GraphNode {
    const { name, rows, tensors, attrs } = this.node;
    return {
      op: "hidden",
      name: `${name}:hidden`,
      variant: "q4n",
      rows,
      tensors: {
        s,
        ...(u ? { u } : {}),
        ...(listed ? { only: this.list("only") } : {}),
        w: tensors.w,
        ...(listed?.compact ? { core: this.shared("core"), ...listed } : {}),
        norms: this.shared("norms"),
        control: this.shared("control"),
        y: this.value("rows", "i8tok", this.n),
        ...(this.one ? { picks: this.list("picks") } : {}),
        ...hidden,
      },
      attrs: { n: this.n, k: attrs.k },
    };
  }

  /** Counts which neurons are strong, where the host says so. They come behind `hidden`: s is theirs then. */
  count(s: string, u: string | undefined): GraphNode[] {
    const { name, rows } = this.node;
    const cuts = this.define({ name: `${name}:cuts`, role: "value", format: "u32", shape: [rows, 2] });
    const common = { variant: "f32", rows, attrs: { n: this.n } };
    const control = this.shared("control");
    return [
      { ...common, op: "corecut", name: `${name}:corecut`, tensors: { s, ...(u ? { u } : {}), control, cuts } },
      { ...common, op: "tally", name: `${name}:tally`, tensors: { s, cuts, control, counts: this.shared("counts"), mass: this.shared("mass") } },
    ];
  }

  sum(compact: { compact?: string } | undefined): GraphNode {
    const { tensors } = this.node;
    return { ...this.node, variant: "q4n", tensors: { ...tensors, ...compact, x: `${this.node.name}:rows`, ...(this.one ? { picks: this.list("picks") } : {}) } };
  }
}
