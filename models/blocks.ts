// Blocks that decoder architectures share. Each adds its nodes to a graph and returns the name of its output.
import type { GraphBuilder } from "../runtime/graph/builder.ts";
import type { CacheFormat } from "../runtime/graph/types.ts";
import type { Activation } from "../runtime/ops/activate/op.ts";

export interface AttentionShape {
  readonly width: number;
  readonly heads: number;
  readonly kvheads: number;
  readonly dh: number;
  readonly bias: boolean;
  readonly cache: CacheFormat;
  readonly rope?: { readonly table: string; readonly rot: number; readonly pairing: "half" | "interleaved" };
}

/** Self-attention of x [T, width]: q, k, v, rotation, cache, attention, output projection. */
export function attentionBlock(g: GraphBuilder, at: string, x: string, s: AttentionShape): string {
  const part = (p: string, n: number) => ({ name: `${at}.${p}`, w: g.matrix(`${at}.${p}.weight`, n, s.width), n, ...(s.bias ? { bias: g.vector(`${at}.${p}.bias`, n) } : {}) });
  const { whole, views } = g.linears(`${at}.qkv`, x, [part("q", s.heads * s.dh), part("k", s.kvheads * s.dh), part("v", s.kvheads * s.dh)]);
  if (s.rope) {
    // q and k lie side by side: one rotation over the heads of both.
    const qk = g.columns(`${at}.qk`, whole, 0, (s.heads + s.kvheads) * s.dh);
    g.rope(`${at}.rope`, qk, s.rope.table, { heads: s.heads + s.kvheads, dh: s.dh, rot: s.rope.rot, pairing: s.rope.pairing });
  }
  const mixed = g.attention(`${at}.mix`, views[0], views[1], views[2], { heads: s.heads, kvheads: s.kvheads, dh: s.dh, scale: 1 / Math.sqrt(s.dh), cache: s.cache });
  return g.linear(`${at}.o`, mixed, g.matrix(`${at}.o.weight`, s.width, s.heads * s.dh), s.bias ? g.vector(`${at}.o.bias`, s.width) : undefined);
}

/** Gated feed-forward: down(f(gate x) · up x). The activation is the point `<at>.hidden`. */
export function gatedFeedForward(g: GraphBuilder, at: string, x: string, s: { width: number; hidden: number; activation: Activation }): string {
  const part = (p: string) => ({ name: `${at}.${p}`, w: g.matrix(`${at}.${p}.weight`, s.hidden, s.width), n: s.hidden });
  const { views } = g.linears(`${at}.gateup`, x, [part("gate"), part("up")]);
  const hidden = g.activate(`${at}.activation`, s.activation, views[0], views[1]);
  g.point(`${at}.hidden`, hidden);
  return g.linear(`${at}.down`, hidden, g.matrix(`${at}.down.weight`, s.width, s.hidden));
}
