// The Llama family: pre-norm decoder, rotary grouped-query attention, gated feed-forward, RMSNorm.
// Papers: Touvron et al. 2023 (LLaMA, Llama 2); grouped queries: Ainslie et al. 2023.
import { GraphBuilder } from "../../runtime/graph/builder.ts";
import type { Graph } from "../../runtime/graph/types.ts";
import type { Architecture, BuildOptions, Config } from "../architecture.ts";
import { attentionBlock, gatedFeedForward } from "../blocks.ts";
import { parseConfig } from "./config.ts";
import { checkpointNames } from "./names.ts";

function build(config: Config, options: BuildOptions): Graph {
  const c = parseConfig(config);
  const g = new GraphBuilder();
  const table = g.matrix("embed.weight", c.vocab, c.width);
  const rope = { table: g.ropeTable("rope", { frequencies: c.frequencies, scale: 1 }), rot: c.dh, pairing: "half" as const };
  let x = g.embed("embed", table, c.vocab, c.width);
  for (let i = 0; i < c.layers; i++) {
    const at = `layers.${i}`;
    g.point(`${at}.in`, x);
    const normed = g.rmsnorm(`${at}.attention.norm`, x, g.vector(`${at}.attention.norm.weight`, c.width), c.eps);
    const mixed = attentionBlock(g, `${at}.attention`, normed, { width: c.width, heads: c.heads, kvheads: c.kvheads, dh: c.dh, bias: c.bias, cache: options.cache, rope });
    x = g.add(`${at}.attention.residual`, x, mixed);
    const ffnIn = g.rmsnorm(`${at}.ffn.norm`, x, g.vector(`${at}.ffn.norm.weight`, c.width), c.eps);
    x = g.add(`${at}.ffn.residual`, x, gatedFeedForward(g, `${at}.ffn`, ffnIn, c));
    g.point(`${at}.out`, x);
  }
  const wanted = g.last("last", x);
  const normed = g.rmsnorm("norm", wanted, g.vector("norm.weight", c.width), c.eps);
  const logits = g.linear("head", normed, c.tied ? table : g.matrix("head.weight", c.vocab, c.width));
  return g.finish("llama", logits, c.vocab, c.context);
}

export const architecture: Architecture = { name: "llama", modelTypes: ["llama", "mistral"], build, checkpointNames };
