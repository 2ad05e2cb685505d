// Builds a graph op by op: what models/ write. Each method adds a node and returns the name of the tensor it made.
import { ACTIVATIONS, type Activation } from "../ops/activate/op.ts";
import type { CacheFormat, Dim, Graph, GraphNode, RopeTable, TensorDef } from "./types.ts";

export interface AttentionOptions {
  readonly heads: number;
  readonly kvheads: number;
  readonly dh: number;
  readonly scale: number;
  readonly softcap?: number;
  readonly window?: number;
  /** Format of the caches. */
  readonly cache: CacheFormat;
}

export class GraphBuilder {
  private readonly tensors = new Map<string, TensorDef>();
  private readonly nodes: GraphNode[] = [];
  private readonly points: Record<string, string> = {};
  private rows: Dim = "T";

  private define(t: TensorDef): string {
    if (this.tensors.has(t.name)) throw new Error(`tensor ${t.name} is defined twice`);
    this.tensors.set(t.name, t);
    return t.name;
  }

  private width(name: string): number {
    return this.tensors.get(name)?.shape[1] as number;
  }

  private node(op: string, name: string, variant: string, tensors: Record<string, string>, attrs: Record<string, number | string>): void {
    this.nodes.push({ op, name, variant, rows: this.rows, tensors, attrs });
  }

  private value(name: string, width: number): string {
    return this.define({ name, role: "value", format: "f32", shape: [this.rows, width] });
  }

  /** Names a tensor for taps. */
  point(name: string, tensor: string): void {
    this.points[name] = tensor;
  }

  /** Vector of f32 weights [k]. */
  vector(name: string, k: number): string {
    return this.tensors.has(name) ? name : this.define({ name, role: "weight", format: "f32", shape: [k] });
  }

  /** Matrix of weights [n, k]; its scheme is chosen by the recipe (`f32` until then), unless its op takes nothing but f32. */
  matrix(name: string, n: number, k: number): string {
    return this.tensors.has(name) ? name : this.define({ name, role: "weight", format: "f32", shape: [n, k] });
  }

  ropeTable(name: string, table: Omit<RopeTable, "kind">): string {
    if (this.tensors.has(name)) return name;
    return this.define({ name, role: "constant", format: "f32", shape: ["C", 2 * table.frequencies.length], constant: { kind: "rope", ...table } });
  }

  /** Any op by name, for ops that have no method here: reads `inputs`, makes one value of `width` in the field `y`, and returns it. */
  op(op: string, name: string, inputs: Readonly<Record<string, string>>, width: number, attrs: Readonly<Record<string, number | string>>, variant = "f32"): string {
    const y = this.value(name, width);
    this.node(op, name, variant, { ...inputs, y }, attrs);
    return y;
  }

  /** Rows of a table by number: of the tokens, or (learned positions) of the positions of the step. */
  embed(name: string, table: string, vocab: number, k: number, scale = 1, by: "tokens" | "positions" = "tokens"): string {
    const tokens = this.define({ name: by, role: "input", format: "u32", shape: ["T", 1] });
    const y = this.value(name, k);
    this.node("embed", name, "", { tokens, table, y }, { vocab, k, scale });
    return y;
  }

  rmsnorm(name: string, x: string, weight: string, eps: number, offset = 0): string {
    const k = this.width(x);
    const y = this.value(name, k);
    this.node("rmsnorm", name, "f32", { x, weight, y }, { k, eps, offset, panel: 0 });
    return y;
  }

  layernorm(name: string, x: string, weight: string, bias: string | undefined, eps: number): string {
    const k = this.width(x);
    const y = this.value(name, k);
    this.node("layernorm", name, "f32", { x, weight, ...(bias ? { bias } : {}), y }, { k, eps, panel: 0 });
    return y;
  }

  /** y = x Wᵀ + bias. The point `<name>.in` is x. */
  linear(name: string, x: string, w: string, bias?: string, into?: string): string {
    const [n, k] = (this.tensors.get(w) as TensorDef).shape as [number, number];
    const y = into ?? this.value(name, n);
    this.point(`${name}.in`, x);
    this.node("linear", name, "", { x, w, ...(bias ? { bias } : {}), y }, { n, k });
    return y;
  }

  /** Several linears of one x whose outputs lie side by side; returns the whole and a view a part. */
  linears(name: string, x: string, parts: readonly { name: string; w: string; n: number; bias?: string }[]): { whole: string; views: string[] } {
    const whole = this.value(
      name,
      parts.reduce((sum, p) => sum + p.n, 0),
    );
    let offset = 0;
    const views = parts.map((p) => {
      const view = this.define({ name: p.name, role: "value", format: "f32", shape: [this.rows, p.n], view: { of: whole, offset } });
      offset += p.n;
      return this.linear(p.name, x, p.w, p.bias, view);
    });
    return { whole, views };
  }

  /** A view of columns [offset, offset + width) of a value. */
  columns(name: string, of: string, offset: number, width: number): string {
    return this.define({ name, role: "value", format: "f32", shape: [this.rows, width], view: { of, offset } });
  }

  /** Rotates `heads` heads of `dh` in place. */
  rope(name: string, x: string, table: string, o: { heads: number; dh: number; rot: number; pairing: "half" | "interleaved" }): void {
    this.node("rope", name, "f32", { x, table }, { pos: "pos", heads: o.heads, dh: o.dh, rot: o.rot, pairing: o.pairing === "half" ? 0 : 1 });
  }

  /** Appends k and v to the caches of this layer and attends over them. */
  attention(name: string, q: string, k: string, v: string, o: AttentionOptions): string {
    const cache = (which: string) => this.define({ name: `${name}.${which}`, role: "state", format: `kv_${o.cache}`, shape: [o.kvheads, "C", o.dh] });
    const kcache = cache("kcache");
    const vcache = cache("vcache");
    this.node("kvappend", `${name}.append`, o.cache, { k, v, kcache, vcache }, { pos: "pos", heads: o.kvheads, dh: o.dh, capacity: "C" });
    const y = this.value(name, o.heads * o.dh);
    const attrs = { pos: "pos", heads: o.heads, kvheads: o.kvheads, dh: o.dh, capacity: "C", scale: o.scale, softcap: o.softcap ?? 0, window: o.window ?? 0 };
    this.node("attention", name, o.cache, { q, kcache, vcache, y }, attrs);
    return y;
  }

  /** Normalises each head of `dh` in place. */
  headnorm(name: string, x: string, weight: string, o: { heads: number; dh: number; eps: number; offset: number }): void {
    this.node("headnorm", name, "f32", { x, weight }, { ...o });
  }

  activate(name: string, kind: Activation, g: string, u?: string): string {
    const k = this.width(g);
    const y = this.value(name, k);
    this.node("activate", name, "f32", { g, ...(u ? { u } : {}), y }, { k, kind: ACTIVATIONS.indexOf(kind), panel: 0 });
    return y;
  }

  /** Causal depthwise convolution with the weights w [channels, taps], and SiLU if asked for; its window is a state of its own. */
  conv1d(name: string, x: string, w: string, bias: string | undefined, silu: boolean): string {
    const [channels, taps] = (this.tensors.get(w) as TensorDef).shape as [number, number];
    const window = this.define({ name: `${name}.window`, role: "state", format: "conv_f32", shape: [taps, channels] });
    return this.op("conv1d", name, { x, w, ...(bias ? { bias } : {}), window }, channels, { channels, taps, silu: silu ? 1 : 0 });
  }

  /** Selective scan of x, gated by z; a [channels, states]. dt is scratch behind it. */
  scan(name: string, inputs: Readonly<Record<"x" | "dt" | "bias" | "a" | "b" | "c" | "d" | "z", string>>): string {
    const [channels, states] = (this.tensors.get(inputs.a) as TensorDef).shape as [number, number];
    const hidden = this.define({ name: `${name}.hidden`, role: "state", format: "ssm_f32", shape: [channels, states] });
    return this.op("scan", name, { ...inputs, hidden }, channels, { channels, states });
  }

  /** Scan of Mamba-2: heads of `dh` channels, b and c for each of `groups` groups of heads; δ within `limits`, the upper 0 for none. */
  ssd(
    name: string,
    inputs: Readonly<Record<"x" | "dt" | "bias" | "a" | "b" | "c" | "d", string>>,
    o: { heads: number; dh: number; groups: number; states: number; limits: readonly [number, number] },
  ): string {
    const { heads, dh, groups, states, limits } = o;
    const hidden = this.define({ name: `${name}.hidden`, role: "state", format: "ssd_f32", shape: [heads * dh, states] });
    return this.op("ssd", name, { ...inputs, hidden }, heads * dh, { heads, dh, groups, states, least: limits[0], most: limits[1] });
  }

  /** Recurrence of RWKV-5.2 over heads of `dh` channels. */
  wkv(name: string, inputs: Readonly<Record<"receptance" | "key" | "value" | "decay" | "bonus", string>>, { heads, dh }: { heads: number; dh: number }): string {
    const hidden = this.define({ name: `${name}.hidden`, role: "state", format: "wkv_f32", shape: [heads * dh, dh] });
    return this.op("wkv", name, { ...inputs, hidden }, heads * dh, { heads, dh });
  }

  /** LayerNorm of each head of `dh`; weight and bias [heads·dh]. */
  groupnorm(name: string, x: string, weight: string, bias: string, o: { heads: number; dh: number; eps: number }): string {
    return this.op("groupnorm", name, { x, weight, bias }, o.heads * o.dh, { ...o });
  }

  add(name: string, a: string, b: string): string {
    const k = this.width(a);
    const y = this.value(name, k);
    this.node("add", name, "f32", { a, b, y }, { k });
    return y;
  }

  softcap(name: string, x: string, cap: number): string {
    const k = this.width(x);
    const y = this.value(name, k);
    this.node("softcap", name, "f32", { x, y }, { k, cap });
    return y;
  }

  /** From here on only the rows whose logits are wanted are computed. */
  last(name: string, x: string): string {
    const k = this.width(x);
    const y = this.define({ name, role: "value", format: "f32", shape: ["L", k] });
    this.node("copy", name, "last", { x, y }, { k });
    this.rows = "L";
    return y;
  }

  /** Ends the graph: `logits` becomes its output. */
  finish(architecture: string, logits: string, vocab: number, context: number): Graph {
    const t = this.tensors.get(logits) as TensorDef;
    this.tensors.set(logits, { ...t, role: "output" });
    this.point("logits", logits);
    return { version: 1, architecture, tensors: [...this.tensors.values()], nodes: this.nodes, points: this.points, vocab, context };
  }
}
