// Engines of SmolLM2's shape with made-up weights, for the goals of sparse activation: feed-forward layers alone, enough of them that each is fetched
// from memory anew, and whole models.
import { architecture } from "../../../models/llama/model.ts";
import { GraphBuilder } from "../../../runtime/graph/builder.ts";
import { isMatrix } from "../../../runtime/graph/formats.ts";
import type { Graph, TensorDef } from "../../../runtime/graph/types.ts";
import { SCHEMES } from "../../../runtime/quant/catalogue.gen.ts";
import type { Store } from "../../../runtime/session/compact.ts";
import { Engine } from "../../../runtime/session/engine.ts";
import { normal, random } from "../../../test/support/data.ts";
import { openDevice } from "../../cli/model.ts";
import { withNeuronRows } from "../../compress/byneurons.ts";
import { applyRecipe, type Recipe, recipeNamed } from "../../compress/recipe.ts";

export const WIDTH = 576;
export const NEURONS = 1536;
const VOCAB = 64;
const CONTEXT = 4096;

/** norm, gate, up, ReLU², down, residual, `layers` times, between an embedding and a head of no size. */
export function ffnGraph(layers: number): Graph {
  const g = new GraphBuilder();
  const part = (name: string, n: number, k: number) => ({ name, w: g.matrix(`${name}.weight`, n, k), n });
  let x = g.embed("embed", g.matrix("embed.weight", VOCAB, WIDTH), VOCAB, WIDTH);
  for (let i = 0; i < layers; i++) {
    const at = `layers.${i}.ffn`;
    const normed = g.rmsnorm(`${at}.norm`, x, g.vector(`${at}.norm.weight`, WIDTH), 1e-5);
    const { views } = g.linears(`${at}.gateup`, normed, [part(`${at}.gate`, NEURONS, WIDTH), part(`${at}.up`, NEURONS, WIDTH)]);
    const down = g.linear(`${at}.down`, g.activate(`${at}.activation`, "relu2", views[0], views[1]), g.matrix(`${at}.down.weight`, WIDTH, NEURONS));
    x = g.add(`${at}.residual`, x, down);
  }
  const last = g.last("last", x);
  return g.finish("made up", g.linear("head", last, g.matrix("head.weight", VOCAB, WIDTH)), VOCAB, CONTEXT);
}

/** SmolLM2-135M with ReLU² for SiLU. */
export const smolGraph = (): Graph =>
  architecture.build(
    {
      model_type: "llama",
      hidden_act: "relu2",
      hidden_size: WIDTH,
      intermediate_size: NEURONS,
      num_hidden_layers: 30,
      num_attention_heads: 9,
      num_key_value_heads: 3,
      vocab_size: 49152,
      max_position_embeddings: CONTEXT,
      tie_word_embeddings: true,
      rms_norm_eps: 1e-5,
    },
    { cache: "f16" },
  );

interface MadeUp {
  readonly context?: number;
  /** Every neuron is active. */
  readonly active?: boolean;
  /** Share of the neurons for whose rows there is room apart. */
  readonly core?: number;
}

/** An engine on one lane with random weights under a recipe. */
export async function engineOf(plain: Graph, recipe: string | Recipe, { context = 512, active = false, core }: MadeUp = {}): Promise<Engine> {
  const graph = withNeuronRows(
    applyRecipe(plain, typeof recipe === "string" ? recipeNamed(recipe) : recipe, () => "F32"),
    () => undefined,
  );
  const { env } = await openDevice({ threads: 1 });
  const engine = new Engine(graph, env.device, { context, batch: 32, fuse: true, score: false, taps: [], core });
  const made = new Map<string, Uint8Array>();
  for (const t of engine.weights) fill(t, engine.program.view(t.name), made, active);
  engine.ffn.reset();
  return engine;
}

/** Rows of a matrix that are made up; they come again and again. */
const ROWS = 256;

/** What the elements of a tensor are made of: normal around a mean, in units of 1 / width. */
export interface Values {
  readonly seed: number;
  /** What a row adds up to beside its noise of about 1. */
  readonly sum: number;
}

/** Tensors of one kind have the same values, of different kinds other ones: a token that were a row of a gate would wake that neuron alone. */
const KINDS = ["embed", "q", "k", "v", "o", "gate", "up", "down", "head"];
const RANDOM = (name: string): Values => ({ seed: 1 + KINDS.findIndex((kind) => name.includes(kind)), sum: 0 });

/**
 * Values under which every neuron is active, so that a list of so many neurons is as much work in `down` as in `gate` and `up`: tokens are ones, and
 * gates and ups add up to 4 with noise of 1. What layers add to them is next to nothing (`channels` of rowsum), so that it stays so.
 */
const ALL_ACTIVE = (name: string): Values => ({ ...RANDOM(name), sum: /gate|up/.test(name) ? 4 : 0 });

const TOKEN_ROWS = /^embed/;

export function fill(t: TensorDef, place: Uint8Array, made: Map<string, Uint8Array>, active: boolean): void {
  const [n, k = 1] = t.shape as number[];
  if (!isMatrix(t)) {
    new Float32Array(place.buffer, place.byteOffset, n).fill(active && t.name.endsWith("channels") ? 1e-6 : 1);
    return;
  }
  const { seed, sum } = (active ? ALL_ACTIVE : RANDOM)(t.name);
  const key = `${t.format} ${k} ${seed}`;
  const scheme = SCHEMES[t.format];
  let block = made.get(key);
  if (!block) {
    block = new Uint8Array(scheme.bytes(ROWS, k));
    const values = active && TOKEN_ROWS.test(t.name) ? new Float32Array(ROWS * k).fill(1) : normal(ROWS * k, 1000 * k + seed, 1 / Math.sqrt(k)).map((v) => v + sum / k);
    scheme.encode(values, ROWS, k, block);
    made.set(key, block);
  }
  const bytes = scheme.bytes(n, k);
  for (let at = 0; at < bytes; at += block.length) place.set(block.subarray(0, Math.min(block.length, bytes - at)), at);
}

/** Gives every layer a core of its own, a random `share` of its neurons, read from where `store` says. */
export function drawCores(engine: Engine, share: number, seed: number, store: Store): void {
  const draw = random(seed);
  for (const name of engine.ffn.names) {
    const want = Math.round(share * NEURONS);
    const core: number[] = [];
    // Each of those left is taken with the chance that fills the core.
    for (let i = 0; i < NEURONS; i++) if (draw() * (NEURONS - i) < want - core.length) core.push(i);
    engine.ffn.setCore(name, core, store);
  }
}

/** Amdahl's bound: what reading the first matrices whole and a share of the others' rows leaves of the bytes of a decode step. */
export function boundOf(engine: Engine, share: number): string {
  const bytes = (pattern: RegExp) => engine.weights.reduce((sum, t) => sum + (pattern.test(t.name) ? engine.program.view(t.name).length : 0), 0);
  // An embedding that is not the head too is read by the row.
  const head = engine.weights.some((t) => t.name === "head.weight");
  const all = bytes(/weight$/) - (head ? bytes(/^embed/) : 0);
  const first = engine.weights.some((t) => t.name.endsWith("ffn.gate.weight")) ? /\.ffn\.gate\.weight$/ : /\.ffn\.up\.weight$/;
  const ffn = bytes(/\.ffn\.(gate|up|down)\.weight$/);
  return `Amdahl's bound ${(all / (all - (1 - share) * (ffn - bytes(first)))).toFixed(2)} at equal bits`;
}
