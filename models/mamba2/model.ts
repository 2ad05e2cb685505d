// Mamba-2: layers of one mixer, a causal convolution and a scan with a decay for each head, gated and normalised, with RMSNorm before each. What it
// remembers of a text is a state of fixed size. Paper: Dao & Gu 2024.
//   x = embed(tokens); each layer: x += mixer(norm(x)); logits = head(norm(x))
import { GraphBuilder } from "../../runtime/graph/builder.ts";
import { ENDLESS, type Graph } from "../../runtime/graph/types.ts";
import type { Architecture } from "../architecture.ts";
import { describe, isOriginal, type Mamba2Description } from "./config.ts";
import { gguf } from "./gguf.ts";
import { locate } from "./names.ts";

function build(d: Mamba2Description): Graph {
  const g = new GraphBuilder();
  const table = g.matrix("embed.weight", d.vocab, d.width);
  const norm = (name: string, x: string, k = d.width) => g.rmsnorm(name, x, g.vector(`${name}.weight`, k), d.eps);
  let x = g.embed("embed", table, d.vocab, d.width);
  for (let i = 0; i < d.layers; i++) {
    const at = `layers.${i}`;
    g.point(`${at}.in`, x);
    const mixed = mixer(g, d, `${at}.mixer`, norm(`${at}.norm`, x));
    const normed = norm(`${at}.mixer.norm`, mixed, d.heads * d.dh);
    x = g.add(`${at}.residual`, x, project(g, d, `${at}.mixer.out`, normed, d.width));
    g.point(`${at}.out`, x);
  }
  const normed = norm("norm", g.last("last", x));
  const logits = g.linear("head", normed, d.tied ? table : g.matrix("head.weight", d.vocab, d.width));
  return g.finish("mamba2", logits, d.vocab, ENDLESS);
}

function project(g: GraphBuilder, d: Mamba2Description, name: string, x: string, n: number): string {
  const k = name.endsWith(".in") ? d.width : d.heads * d.dh;
  return g.linear(name, x, g.matrix(`${name}.weight`, n, k), d.bias.projections ? g.vector(`${name}.bias`, n) : undefined);
}

/** From u [T, width] to the gated scan [T, heads·dh]: z, x, b, c and steps dt from u; x, b and c convolved; the scan; times silu(z). */
function mixer(g: GraphBuilder, d: Mamba2Description, at: string, u: string): string {
  const inner = d.heads * d.dh;
  const shared = d.groups * d.states;
  const all = project(g, d, `${at}.in`, u, 2 * inner + 2 * shared + d.heads);
  const convolved = inner + 2 * shared;
  const bias = d.bias.conv ? g.vector(`${at}.conv.bias`, convolved) : undefined;
  const xbc = g.conv1d(`${at}.conv`, g.columns(`${at}.in.xbc`, all, inner, convolved), g.matrix(`${at}.conv.weight`, convolved, d.taps), bias, true);
  const inputs = {
    x: g.columns(`${at}.conv.x`, xbc, 0, inner),
    b: g.columns(`${at}.conv.b`, xbc, inner, shared),
    c: g.columns(`${at}.conv.c`, xbc, inner + shared, shared),
    dt: g.columns(`${at}.in.dt`, all, inner + convolved, d.heads),
    bias: g.vector(`${at}.dt.bias`, d.heads),
    a: g.vector(`${at}.a.weight`, d.heads),
    d: g.vector(`${at}.d.weight`, d.heads),
  };
  const y = g.ssd(`${at}.scan`, inputs, d);
  return g.activate(`${at}.gate`, "silu", g.columns(`${at}.in.z`, all, 0, inner), y);
}

export const architecture: Architecture = { name: "mamba2", modelTypes: ["mamba2"], claims: isOriginal, build: (config) => build(describe(config)), locate, gguf };
