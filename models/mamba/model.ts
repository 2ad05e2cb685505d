// Mamba: layers of one gated mixer, a causal convolution and a selective scan, with RMSNorm before each. It keeps no positions: what it
// remembers of a text is a state of fixed size. Paper: Gu & Dao 2023.
//   x = embed(tokens); each layer: x += mixer(norm(x)); logits = head(norm(x))
import { GraphBuilder } from "../../runtime/graph/builder.ts";
import { ENDLESS, type Graph } from "../../runtime/graph/types.ts";
import type { Architecture } from "../architecture.ts";
import { describe, isOriginal, type MambaDescription } from "./config.ts";
import { gguf } from "./gguf.ts";
import { locate } from "./names.ts";

function build(d: MambaDescription): Graph {
  const g = new GraphBuilder();
  const table = g.matrix("embed.weight", d.vocab, d.width);
  let x = g.embed("embed", table, d.vocab, d.width);
  for (let i = 0; i < d.layers; i++) {
    const at = `layers.${i}`;
    g.point(`${at}.in`, x);
    x = g.add(`${at}.residual`, x, mixer(g, d, `${at}.mixer`, norm(g, d, `${at}.norm`, x)));
    g.point(`${at}.out`, x);
  }
  const normed = norm(g, d, "norm", g.last("last", x));
  const logits = g.linear("head", normed, d.tied ? table : g.matrix("head.weight", d.vocab, d.width));
  return g.finish("mamba", logits, d.vocab, ENDLESS);
}

const norm = (g: GraphBuilder, d: MambaDescription, name: string, x: string): string => g.rmsnorm(name, x, g.vector(`${name}.weight`, d.width), d.eps);

/** Mixer of u [T, width]: x and z from u; x convolved; steps dt and the scan's b and c from that; the scan, gated by z; back to the width. */
function mixer(g: GraphBuilder, d: MambaDescription, at: string, u: string): string {
  const { inner, states, rank } = d;
  const project = (name: string, x: string, n: number, k: number, bias: boolean) =>
    g.linear(`${at}.${name}`, x, g.matrix(`${at}.${name}.weight`, n, k), bias ? g.vector(`${at}.${name}.bias`, n) : undefined);

  const xz = project("in", u, 2 * inner, d.width, d.bias.projections);
  const convBias = d.bias.conv ? g.vector(`${at}.conv.bias`, inner) : undefined;
  const x = g.conv1d(`${at}.conv`, g.columns(`${at}.in.x`, xz, 0, inner), g.matrix(`${at}.conv.weight`, inner, d.taps), convBias, true);
  const selected = project("x", x, rank + 2 * states, inner, false);
  const mixed = g.scan(`${at}.scan`, {
    x,
    dt: project("dt", g.columns(`${at}.x.dt`, selected, 0, rank), inner, rank, false),
    bias: g.vector(`${at}.dt.bias`, inner),
    a: g.matrix(`${at}.a.weight`, inner, states),
    b: g.columns(`${at}.x.b`, selected, rank, states),
    c: g.columns(`${at}.x.c`, selected, rank + states, states),
    d: g.vector(`${at}.d.weight`, inner),
    z: g.columns(`${at}.in.z`, xz, inner, inner),
  });
  return project("out", mixed, d.width, inner, d.bias.projections);
}

export const architecture: Architecture = { name: "mamba", modelTypes: ["mamba"], claims: isOriginal, build: (config) => build(describe(config)), locate, gguf };
