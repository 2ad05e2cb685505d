// Mamba as ONNX graphs, as well as they can be written for onnxruntime: one step with its states as inputs and outputs, and a prefill whose products
// take all tokens at once and whose recurrence is a Scan. States are [states, channels] and [taps − 1, channels].
import type { Constant, OnnxGraph, OnnxNode, Operand } from "./onnx.ts";

export interface MambaShape {
  readonly layers: number;
  readonly width: number;
  readonly inner: number;
  readonly states: number;
  readonly rank: number;
  readonly taps: number;
  readonly vocab: number;
  readonly eps: number;
}

/** Weights by the names of our graph: matrices [n, k] row by row. */
export type Weights = (name: string) => Float32Array;

export interface GraphOptions {
  /** Products in int8, activations by the token (DynamicQuantizeMatMul). */
  readonly int8: boolean;
  /** Tokens at once; 0 is the step. */
  readonly tokens: number;
  /** Is what the recurrence needs of all tokens made before it, as [tokens, states, channels]? */
  readonly ahead?: boolean;
}

const CONTRIB = "com.microsoft";
const bytesOf = (v: Float32Array | BigInt64Array | Int8Array) => new Uint8Array(v.buffer, v.byteOffset, v.byteLength);

function transposed(w: Float32Array, n: number, k: number): Float32Array {
  const out = new Float32Array(n * k);
  for (let r = 0; r < n; r++) for (let i = 0; i < k; i++) out[i * n + r] = w[r * k + i];
  return out;
}

/** Nodes and constants as they come. */
class Writer {
  readonly nodes: OnnxNode[] = [];
  private made = 0;

  /** @param constants of the graph around it, where it is the body of a loop */
  constructor(
    private readonly prefix = "t",
    readonly constants: Constant[] = [],
  ) {}

  private name(): string {
    return `${this.prefix}${this.made++}`;
  }

  /** Adds a node of one output; returns its name. */
  op(op: string, inputs: readonly string[], attributes: OnnxNode["attributes"] = {}, domain = ""): string {
    const name = this.name();
    this.nodes.push({ op, domain, attributes, inputs, outputs: [name] });
    return name;
  }

  /** Adds a node whose output has a given name. */
  as(name: string, op: string, inputs: readonly string[], attributes: OnnxNode["attributes"] = {}): string {
    this.nodes.push({ op, attributes, inputs, outputs: [name] });
    return name;
  }

  floats(values: Float32Array, dims: readonly number[]): string {
    return this.constant({ name: `c${this.constants.length}`, type: "f32", dims, data: bytesOf(values) });
  }

  whole(values: readonly number[]): string {
    return this.constant({ name: `c${this.constants.length}`, type: "i64", dims: [values.length], data: bytesOf(BigInt64Array.from(values.map(BigInt))) });
  }

  codes(values: Int8Array, dims: readonly number[]): string {
    return this.constant({ name: `c${this.constants.length}`, type: "i8", dims, data: bytesOf(values) });
  }

  private constant(c: Constant): string {
    this.constants.push(c);
    return c.name;
  }

  /** Parts of the columns of x. */
  split(x: string, widths: readonly number[]): string[] {
    const outputs = widths.map(() => this.name());
    this.nodes.push({ op: "Split", attributes: { axis: 1 }, inputs: [x, this.whole(widths)], outputs });
    return outputs;
  }

  /** x Wᵀ of W [n, k]. */
  product(x: string, w: Float32Array, n: number, k: number, int8: boolean): string {
    const turned = transposed(w, n, k);
    if (!int8) return this.op("MatMul", [x, this.floats(turned, [k, n])]);
    const scales = Float32Array.from({ length: n }, (_, r) => w.subarray(r * k, (r + 1) * k).reduce((m, v) => Math.max(m, Math.abs(v)), 0) / 127);
    const codes = Int8Array.from(turned, (v, at) => Math.round(v / scales[at % n]));
    return this.op("DynamicQuantizeMatMul", [x, this.codes(codes, [k, n]), this.floats(scales, [n])], {}, CONTRIB);
  }

  /** A Scan over the last `scans` of its inputs, the others are states; returns what its body gives for each token. */
  loop(inputs: readonly string[], body: OnnxGraph, scans: number): string {
    const outputs = body.outputs.map(() => this.name());
    this.nodes.push({ op: "Scan", attributes: { num_scan_inputs: scans, body: { graph: body } }, inputs, outputs });
    return outputs[outputs.length - 1];
  }

  /** The last row of x [rows, k]. */
  lastOf(x: string, rows: number): string {
    return this.op("Slice", [x, this.whole([rows - 1]), this.whole([rows]), this.whole([0])]);
  }

  silu(x: string): string {
    return this.op("QuickGelu", [x], { alpha: { float: 1 } }, CONTRIB);
  }
}

const value = (name: string, ...dims: number[]): Operand => ({ name, type: "f32", dims });

/** Names of a layer's states as inputs; as outputs they end in `.next`. */
export const stateNames = (layer: number): { readonly window: string; readonly hidden: string } => ({ window: `window${layer}`, hidden: `hidden${layer}` });

/** Behind all layers, and the states that a step takes and gives. */
interface Layers {
  readonly x: string;
  readonly before: readonly Operand[];
  readonly after: readonly Operand[];
}

function normed(w: Writer, s: MambaShape, x: string, weight: Float32Array): string {
  return w.op("SimplifiedLayerNormalization", [x, w.floats(weight, [s.width])], { axis: 1, epsilon: { float: s.eps } });
}

/** All layers over the rows of `embedding` that `tokens` names. */
function layersOf(w: Writer, s: MambaShape, weights: Weights, o: GraphOptions, embedding: string, tokens: string): Layers {
  const [before, after]: [Operand[], Operand[]] = [[], []];
  let x = w.op("Gather", [embedding, tokens]);
  for (let i = 0; i < s.layers; i++) {
    const at = `layers.${i}`;
    const mixed = mixer(w, s, (name) => weights(`${at}.mixer.${name}`), normed(w, s, x, weights(`${at}.norm.weight`)), i, o);
    x = w.op("Add", [x, mixed]);
    if (o.tokens) continue;
    const { window, hidden } = stateNames(i);
    before.push(value(window, s.taps - 1, s.inner), value(hidden, s.states, s.inner));
    after.push(value(`${window}.next`, s.taps - 1, s.inner), value(`${hidden}.next`, s.states, s.inner));
  }
  return { x, before, after };
}

function headOf(w: Writer, s: MambaShape, weights: Weights, { int8 }: GraphOptions, embedding: string, x: string): void {
  const last = normed(w, s, x, weights("norm.weight"));
  const logits = int8 ? w.product(last, weights("embed.weight"), s.vocab, s.width, true) : w.op("Gemm", [last, embedding], { transB: 1 });
  w.as("logits", "Identity", [logits]);
}

const tokensOf = (count: number): Operand => ({ name: "tokens", type: "i64", dims: [count] });

/** The model: `tokens` i64 → `logits` f32 [1, vocab] behind the last of them. The step has states besides. */
export function mambaGraph(s: MambaShape, weights: Weights, o: GraphOptions): OnnxGraph {
  const w = new Writer();
  const embedding = w.floats(weights("embed.weight"), [s.vocab, s.width]);
  const { x, before, after } = layersOf(w, s, weights, o, embedding, "tokens");
  headOf(w, s, weights, o, embedding, o.tokens ? w.lastOf(x, o.tokens) : x);
  return { nodes: w.nodes, constants: w.constants, inputs: [tokensOf(o.tokens || 1), ...before], outputs: [value("logits", 1, s.vocab), ...after] };
}

/** A prefill as a loop around the step: every token goes through all layers by itself. The head is behind the loop. */
export function loopedGraph(s: MambaShape, weights: Weights, tokens: number): OnnxGraph {
  const w = new Writer();
  const step: GraphOptions = { int8: false, tokens: 0 };
  const embedding = w.floats(weights("embed.weight"), [s.vocab, s.width]);
  const body = new Writer("body", w.constants);
  const { x, before, after } = layersOf(body, s, weights, step, embedding, "token");
  const token: Operand = { name: "token", type: "i64", dims: [1] };
  const graph: OnnxGraph = { nodes: body.nodes, constants: [], inputs: [...before, token], outputs: [...after, value(x, 1, s.width)] };
  const starts = before.map(({ dims }) => w.floats(new Float32Array(dims[0] * dims[1]), dims));
  const rows = w.loop([...starts, w.op("Unsqueeze", ["tokens", w.whole([1])])], graph, 1);
  const flat = w.op("Reshape", [rows, w.whole([tokens, s.width])]);
  headOf(w, s, weights, step, embedding, w.lastOf(flat, tokens));
  return { nodes: w.nodes, constants: w.constants, inputs: [tokensOf(tokens)], outputs: [value("logits", 1, s.vocab)] };
}

function mixer(w: Writer, s: MambaShape, weights: Weights, u: string, layer: number, o: GraphOptions): string {
  const { inner, states, rank, width } = s;
  const [input, z] = w.split(w.product(u, weights("in.weight"), 2 * inner, width, o.int8), [inner, inner]);
  const x = w.silu(w.op("Add", [convolved(w, s, weights, input, layer, o), w.floats(weights("conv.bias"), [inner])]));
  const [selected, b, c] = w.split(w.product(x, weights("x.weight"), rank + 2 * states, inner, o.int8), [rank, states, states]);
  const projected = w.product(selected, weights("dt.weight"), inner, rank, o.int8);
  const dt = w.op("Softplus", [w.op("Add", [projected, w.floats(weights("dt.bias"), [inner])])]);
  const a = w.floats(transposed(weights("a.weight"), inner, states), [states, inner]);
  const driven = w.op("Mul", [dt, x]);
  const y = o.tokens ? scanned(w, s, { a, dt, driven, b, c }, o) : stepped(w, s, { a, dt, driven, b, c }, layer);
  const skipped = w.op("Add", [y, w.op("Mul", [x, w.floats(weights("d.weight"), [inner])])]);
  return w.product(w.op("Mul", [skipped, w.silu(z)]), weights("out.weight"), width, inner, o.int8);
}

/** Σ of taps along the tokens, without the bias. */
function convolved(w: Writer, { taps, inner }: MambaShape, weights: Weights, x: string, layer: number, o: GraphOptions): string {
  const turned = transposed(weights("conv.weight"), inner, taps);
  const first = w.whole([0]);
  if (!o.tokens) {
    const { window } = stateNames(layer);
    const all = w.op("Concat", [window, x], { axis: 0 });
    w.as(`${window}.next`, "Slice", [all, w.whole([1]), w.whole([taps]), first]);
    return w.op("ReduceSum", [w.op("Mul", [all, w.floats(turned, [taps, inner])]), first], { keepdims: 1 });
  }
  const padded = w.op("Concat", [w.floats(new Float32Array((taps - 1) * inner), [taps - 1, inner]), x], { axis: 0 });
  const parts = Array.from({ length: taps }, (_, j) => {
    const rows = w.op("Slice", [padded, w.whole([j]), w.whole([j + o.tokens]), first]);
    return w.op("Mul", [rows, w.floats(turned.slice(j * inner, (j + 1) * inner), [inner])]);
  });
  return parts.reduce((sum, part) => w.op("Add", [sum, part]));
}

type Driven = Readonly<Record<"a" | "dt" | "driven" | "b" | "c", string>>;

function stepped(w: Writer, { states }: MambaShape, { a, dt, driven, b, c }: Driven, layer: number): string {
  const { hidden } = stateNames(layer);
  const kept = w.op("Mul", [w.op("Exp", [w.op("Mul", [a, dt])]), hidden]);
  const added = w.op("Mul", [w.op("Reshape", [b, w.whole([states, 1])]), driven]);
  return w.op("MatMul", [c, w.as(`${hidden}.next`, "Add", [kept, added])]);
}

/** The recurrence over all tokens; its body is given what it needs ready made, or makes it. */
function scanned(w: Writer, { states, inner }: MambaShape, { a, dt, driven, b, c }: Driven, { ahead }: GraphOptions): string {
  const body = new Writer("body");
  let scans: { readonly name: string; readonly each: Operand }[];
  if (ahead) {
    const wide = (x: string) => w.op("Unsqueeze", [x, w.whole([1])]);
    scans = [
      { name: w.op("Exp", [w.op("Mul", [wide(dt), a])]), each: value("kept", states, inner) },
      { name: w.op("Mul", [w.op("Unsqueeze", [b, w.whole([2])]), wide(driven)]), each: value("added", states, inner) },
    ];
    body.as("next", "Add", [body.op("Mul", ["kept", "state"]), "added"]);
  } else {
    scans = [
      { name: dt, each: value("delta", inner) },
      { name: driven, each: value("input", inner) },
      { name: b, each: value("from", states) },
    ];
    const kept = body.op("Mul", [body.op("Exp", [body.op("Mul", [a, "delta"])]), "state"]);
    body.as("next", "Add", [kept, body.op("Mul", [body.op("Reshape", ["from", w.whole([states, 1])]), "input"])]);
  }
  body.as("y", "MatMul", ["to", "next"]);
  const all = [...scans, { name: c, each: value("to", states) }];
  const graph: OnnxGraph = {
    nodes: body.nodes,
    constants: [],
    inputs: [value("state", states, inner), ...all.map(({ each }) => each)],
    outputs: [value("next", states, inner), value("y", inner)],
  };
  const start = w.floats(new Float32Array(states * inner), [states, inner]);
  return w.loop([start, ...all.map(({ name }) => name)], graph, all.length);
}
