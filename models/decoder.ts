// The decoder that most language models are: a description, and the graph it stands for. Architectures fill in the description
// (models/<arch>/config.ts); what they share is here once.
//   x = embed(tokens) · embedScale (+ positions)
//   each layer: x += post(attention(norm(x))); x += post(ffn(norm(x)))
//   logits = cap(head(norm(x)))
import { GraphBuilder } from "../runtime/graph/builder.ts";
import type { CacheFormat, Graph } from "../runtime/graph/types.ts";
import type { Activation } from "../runtime/ops/activate/op.ts";

/** Where the rotary angles of a layer come from. */
export interface RopeDescription {
  /** Inverse frequencies [dh / 2]. */
  readonly frequencies: readonly number[];
  readonly pairing: "half" | "interleaved";
}

export interface LayerDescription {
  /** Positions a query sees; 0 = all. */
  readonly window: number;
  /** Index into `ropes`; absent where positions are learned. */
  readonly rope?: number;
}

export interface DecoderDescription {
  readonly vocab: number;
  readonly width: number;
  readonly heads: number;
  readonly kvheads: number;
  readonly dh: number;
  readonly hidden: number;
  readonly context: number;
  readonly norm: { readonly kind: "rms" | "layer"; readonly eps: number; readonly offset: number; readonly bias: boolean };
  readonly layers: readonly LayerDescription[];
  readonly ropes: readonly RopeDescription[];
  readonly activation: Activation;
  readonly gated: boolean;
  readonly tied: boolean;
  readonly bias: { readonly qkv: boolean; readonly o: boolean; readonly ffn: boolean };
  /** Queries and keys are normalised by head. */
  readonly headNorm: boolean;
  /** Norms behind attention and feed-forward, before the residual is added (Gemma 2 and 3). */
  readonly postNorm: boolean;
  readonly learnedPositions: boolean;
  readonly embedScale: number;
  /** Factor of q·k. */
  readonly attentionScale: number;
  readonly attentionCap: number;
  readonly logitCap: number;
}

/** What most of the family leaves at its default. */
export const PLAIN = {
  gated: true,
  bias: { qkv: false, o: false, ffn: false },
  headNorm: false,
  postNorm: false,
  learnedPositions: false,
  embedScale: 1,
  attentionCap: 0,
  logitCap: 0,
} as const;

export function buildDecoder(architecture: string, d: DecoderDescription, cache: CacheFormat): Graph {
  const g = new GraphBuilder();
  const table = g.matrix("embed.weight", d.vocab, d.width);
  const ropes = d.ropes.map((r, i) => g.ropeTable(i ? `rope.${i}` : "rope", { frequencies: r.frequencies, scale: 1 }));
  let x = g.embed("embed", table, d.vocab, d.width, d.embedScale);
  if (d.learnedPositions) x = g.add("positioned", x, g.embed("embed.positions", g.matrix("positions.weight", d.context, d.width), d.context, d.width, 1, "positions"));
  d.layers.forEach((layer, i) => {
    const at = `layers.${i}`;
    g.point(`${at}.in`, x);
    x = residual(g, d, `${at}.attention`, x, (h) => attention(g, d, layer, ropes, cache, `${at}.attention`, h));
    x = residual(g, d, `${at}.ffn`, x, (h) => feedForward(g, d, `${at}.ffn`, h));
    g.point(`${at}.out`, x);
  });
  const normed = norm(g, d, "norm", g.last("last", x));
  const logits = g.linear("head", normed, d.tied ? table : g.matrix("head.weight", d.vocab, d.width));
  return g.finish(architecture, d.logitCap ? g.softcap("capped", logits, d.logitCap) : logits, d.vocab, d.context);
}

function norm(g: GraphBuilder, d: DecoderDescription, name: string, x: string): string {
  const weight = g.vector(`${name}.weight`, d.width);
  if (d.norm.kind === "rms") return g.rmsnorm(name, x, weight, d.norm.eps, d.norm.offset);
  return g.layernorm(name, x, weight, d.norm.bias ? g.vector(`${name}.bias`, d.width) : undefined, d.norm.eps);
}

function residual(g: GraphBuilder, d: DecoderDescription, at: string, x: string, block: (h: string) => string): string {
  const out = block(norm(g, d, `${at}.norm`, x));
  return g.add(`${at}.residual`, x, d.postNorm ? norm(g, d, `${at}.postnorm`, out) : out);
}

/** A linear's name, weight and bias, for `g.linear` and `g.linears`. */
function part(g: GraphBuilder, name: string, n: number, k: number, bias: boolean) {
  return { name, w: g.matrix(`${name}.weight`, n, k), n, ...(bias ? { bias: g.vector(`${name}.bias`, n) } : {}) };
}

/** Self-attention of x [T, width]: q, k, v, norms and rotation of q and k, cache, attention, output projection. */
function attention(g: GraphBuilder, d: DecoderDescription, layer: LayerDescription, ropes: readonly string[], cache: CacheFormat, at: string, x: string): string {
  const { heads, kvheads, dh, width } = d;
  const { whole, views } = g.linears(`${at}.qkv`, x, [
    part(g, `${at}.q`, heads * dh, width, d.bias.qkv),
    part(g, `${at}.k`, kvheads * dh, width, d.bias.qkv),
    part(g, `${at}.v`, kvheads * dh, width, d.bias.qkv),
  ]);
  const [q, k, v] = views;
  if (d.headNorm) {
    const how = { dh, eps: d.norm.eps, offset: d.norm.offset };
    g.headnorm(`${at}.q.norm`, q, g.vector(`${at}.q.norm.weight`, dh), { heads, ...how });
    g.headnorm(`${at}.k.norm`, k, g.vector(`${at}.k.norm.weight`, dh), { heads: kvheads, ...how });
  }
  if (layer.rope !== undefined) {
    // q and k lie side by side: one rotation over the heads of both.
    const both = g.columns(`${at}.qk`, whole, 0, (heads + kvheads) * dh);
    g.rope(`${at}.rope`, both, ropes[layer.rope], { heads: heads + kvheads, dh, rot: dh, pairing: d.ropes[layer.rope].pairing });
  }
  const mixed = g.attention(`${at}.mix`, q, k, v, { heads, kvheads, dh, scale: d.attentionScale, softcap: d.attentionCap, window: layer.window, cache });
  const o = part(g, `${at}.o`, width, heads * dh, d.bias.o);
  return g.linear(o.name, mixed, o.w, o.bias);
}

/** Feed-forward, gated or not. The activation is the point `<at>.hidden`. */
function feedForward(g: GraphBuilder, d: DecoderDescription, at: string, x: string): string {
  const names = d.gated ? ["gate", "up"] : ["up"];
  const { views } = g.linears(
    `${at}.gateup`,
    x,
    names.map((p) => part(g, `${at}.${p}`, d.hidden, d.width, d.bias.ffn)),
  );
  const hidden = g.activate(`${at}.activation`, d.activation, views[0], views[1]);
  g.point(`${at}.hidden`, hidden);
  const down = part(g, `${at}.down`, d.width, d.hidden, d.bias.ffn);
  return g.linear(down.name, hidden, down.w, down.bias);
}
