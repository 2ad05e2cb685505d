// RWKV-5.2: layers of a gated mixer of heads, each with a matrix as its memory, and a feed-forward part of squared ReLU, with LayerNorm before each. What
// goes into every product is mixed with the token before it: a convolution of two taps. Paper: Peng et al. 2024, "Eagle and Finch" (Eagle).
//   x = norm(embed(tokens)); each layer: x += mixer(norm(x)), x += ffn(norm(x)); logits = head(norm(x))
import { GraphBuilder } from "../../runtime/graph/builder.ts";
import { ENDLESS, type Graph } from "../../runtime/graph/types.ts";
import type { Architecture } from "../architecture.ts";
import { describe, type RwkvDescription } from "./config.ts";
import { locate } from "./names.ts";

function build(d: RwkvDescription): Graph {
  const g = new GraphBuilder();
  const norm = (name: string, x: string) => g.layernorm(name, x, g.vector(`${name}.weight`, d.width), g.vector(`${name}.bias`, d.width), d.eps);
  const table = g.matrix("embed.weight", d.vocab, d.width);
  let x = norm("embed.norm", g.embed("embed", table, d.vocab, d.width));
  for (let i = 0; i < d.layers; i++) {
    const at = `layers.${i}`;
    g.point(`${at}.in`, x);
    x = g.add(`${at}.mixer.residual`, x, mixer(g, d, `${at}.mixer`, norm(`${at}.mixer.norm`, x)));
    x = g.add(`${at}.ffn.residual`, x, ffn(g, d, `${at}.ffn`, norm(`${at}.ffn.norm`, x)));
    g.point(`${at}.out`, x);
  }
  const logits = g.linear("head", norm("norm", g.last("last", x)), g.matrix("head.weight", d.vocab, d.width));
  return g.finish("rwkv", logits, d.vocab, ENDLESS);
}

/** The projection `name` [n] of x mixed with the token before it. */
function shifted(g: GraphBuilder, d: RwkvDescription, name: string, x: string, n: number): string {
  const mixed = g.conv1d(`${name}.shift`, x, g.matrix(`${name}.shift.weight`, d.width, 2), undefined, false);
  return g.linear(name, mixed, g.matrix(`${name}.weight`, n, d.width));
}

/** Heads of u [T, width]: receptance, key and value of each; the recurrence; each head normalised, gated; back to the width. */
function mixer(g: GraphBuilder, d: RwkvDescription, at: string, u: string): string {
  const project = (name: string) => shifted(g, d, `${at}.${name}`, u, d.width);
  const vector = (name: string) => g.vector(`${at}.${name}`, d.width);
  const inputs = {
    receptance: project("receptance"),
    key: project("key"),
    value: project("value"),
    decay: vector("decay.weight"),
    bonus: vector("bonus.weight"),
  };
  const y = g.groupnorm(`${at}.heads`, g.wkv(`${at}.wkv`, inputs, d), vector("heads.weight"), vector("heads.bias"), { heads: d.heads, dh: d.dh, eps: d.headEps });
  const gated = g.activate(`${at}.gated`, "silu", project("gate"), y);
  return g.linear(`${at}.out`, gated, g.matrix(`${at}.out.weight`, d.width, d.width));
}

/** sigmoid(receptance) · value(relu²(key)) of u [T, width]. */
function ffn(g: GraphBuilder, d: RwkvDescription, at: string, u: string): string {
  const hidden = g.activate(`${at}.hidden`, "relu2", shifted(g, d, `${at}.key`, u, d.hidden));
  g.point(`${at}.hidden`, hidden);
  const value = g.linear(`${at}.value`, hidden, g.matrix(`${at}.value.weight`, d.width, d.hidden));
  return g.activate(`${at}.gated`, "sigmoid", shifted(g, d, `${at}.receptance`, u, d.width), value);
}

export const architecture: Architecture = { name: "rwkv", modelTypes: ["rwkv5"], build: (config) => build(describe(config)), locate };
