// int8 decoding and prefill of Mamba-130M's shape against onnxruntime-web on graphs of the same model (test/peers/mamba-onnx.ts), one thread, in turn.
// Before a graph is timed its logits are compared with ours.
import { SkintError } from "../../../runtime/errors.ts";
import { SCHEMES } from "../../../runtime/quant/catalogue.gen.ts";
import type { Engine } from "../../../runtime/session/engine.ts";
import { bootstrap, bootstrapRatio } from "../../../runtime/stats/bootstrap.ts";
import { type GraphOptions, loopedGraph, type MambaShape, mambaGraph, stateNames, type Weights } from "../../../test/peers/mamba-onnx.ts";
import { type OnnxGraph, onnxModel } from "../../../test/peers/onnx.ts";
import { type Opened, openModel, type Tensor } from "../../../test/peers/onnxruntime.ts";
import { peerFile } from "../../../test/peers/peers.ts";
import { promptTokens } from "../../../test/peers/players/player.ts";
import type { Absent, GoalContext, Measured } from "../goal.ts";
import { enableRelaxed } from "../slice/model.ts";
import { engineOf, MAMBA_130M } from "./models.ts";

const { num_hidden_layers: layers, hidden_size: width, state_size: states, time_step_rank: rank, conv_kernel: taps, vocab_size: vocab } = MAMBA_130M;
const SHAPE: MambaShape = { layers, width, inner: 2 * width, states, rank, taps, vocab, eps: 1e-5 };

/** Tokens of a prompt, and of a step of ours that reads it. */
const PROMPT = 512;
const BATCH = 128;
const [DECODE_ROUNDS, DECODE_TOKENS] = [9, 6];
const PREFILL_ROUNDS = 3;

/** Largest error of logits over their largest: of floats in another order, and of int8. */
const WITHIN = { f32: 1e-3, int8: 0.3 };

/** Weights of an f32 engine by name. */
const weightsOf =
  (engine: Engine): Weights =>
  (name) => {
    const t = engine.weights.find((w) => w.name === name);
    if (!t) throw new Error(`the model has no ${name}`);
    const bytes = engine.program.view(name).slice();
    const [n, k] = t.shape as number[];
    return k === undefined ? new Float32Array(bytes.buffer, 0, n) : SCHEMES.f32.decode(bytes, n, k);
  };

/** Milliseconds of some work, and what the graph says behind the prompt. */
interface Peer {
  readonly name: string;
  work(): Promise<number>;
  close(): Promise<void>;
}

async function judged(name: string, session: Opened["session"], logits: Tensor, want: Float32Array, within: number): Promise<void> {
  const scale = want.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  const worst = want.reduce((m, v, i) => Math.max(m, Math.abs(v - logits.data[i])), 0) / scale;
  if (worst <= within) return;
  await session.release();
  throw new Error(`onnxruntime-web's logits of ${name} are off by ${worst.toExponential(1)} of the largest`);
}

const token = (opened: Opened, ids: readonly number[]) => opened.tensor("int64", BigInt64Array.from(ids.map(BigInt)), [ids.length]);

/** The step graph, fed with its own states. */
async function openStep(weights: Weights, int8: boolean, want: Float32Array, first: readonly number[]): Promise<Peer> {
  const opened = await openModel("web", onnxModel(mambaGraph(SHAPE, weights, { int8, tokens: 0 })));
  const { session, tensor } = opened;
  let kept: Record<string, Tensor> = {};
  for (let i = 0; i < layers; i++) {
    const { window, hidden } = stateNames(i);
    kept[window] = tensor("float32", new Float32Array((taps - 1) * SHAPE.inner), [taps - 1, SHAPE.inner]);
    kept[hidden] = tensor("float32", new Float32Array(states * SHAPE.inner), [states, SHAPE.inner]);
  }
  const step = async (id: number): Promise<Tensor> => {
    const { logits, ...next } = await session.run({ tokens: token(opened, [id]), ...kept });
    kept = Object.fromEntries(Object.entries(next).map(([name, t]) => [name.slice(0, -".next".length), t]));
    return logits;
  };
  let logits = await step(first[0]);
  for (const id of first.slice(1)) logits = await step(id);
  const name = `step in ${int8 ? "int8" : "f32"}`;
  await judged(name, session, logits, want, int8 ? WITHIN.int8 : WITHIN.f32);
  return {
    name,
    async work() {
      const begin = performance.now();
      for (let i = 0; i < DECODE_TOKENS; i++) await step((i * 37) % vocab);
      return performance.now() - begin;
    },
    close: () => session.release(),
  };
}

/** A graph that reads the whole prompt. */
async function openPrefill(name: string, graph: OnnxGraph, within: number, want: Float32Array): Promise<Peer> {
  const opened = await openModel("web", onnxModel(graph));
  const feeds = { tokens: token(opened, [...promptTokens(PROMPT)]) };
  const run = async () => (await opened.session.run(feeds)).logits;
  await judged(name, opened.session, await run(), want, within);
  return {
    name,
    async work() {
      const begin = performance.now();
      await run();
      return performance.now() - begin;
    },
    close: () => opened.session.release(),
  };
}

async function prefilled(engine: Engine): Promise<Float32Array> {
  const tokens = promptTokens(PROMPT);
  let logits = new Float32Array() as Float32Array;
  for (let at = 0; at < PROMPT; at += BATCH) logits = await engine.run("prefill", tokens.subarray(at, at + BATCH), at);
  return logits.slice();
}

interface Race {
  /** Opens the peers one after the other: together they do not fit into its memory. */
  readonly peers: readonly ((weights: Weights, want: Float32Array) => Promise<Peer>)[];
  /** Our logits that theirs are compared with. */
  expected(engine: Engine): Promise<Float32Array>;
  ours(engine: Engine): Promise<number>;
  readonly rounds: number;
  readonly unit: (ms: number) => string;
}

/** Rate of ours over the best of the peers, each of which takes turns with us. */
async function race({ peers, expected, ours, rounds, unit }: Race, { signal, note }: GoalContext): Promise<Measured | Absent> {
  try {
    peerFile("onnxruntime-web/dist/ort.node.min.mjs");
  } catch (e) {
    if (e instanceof SkintError) return { absent: e.message };
    throw e;
  }
  enableRelaxed();
  note("  making weights");
  const plain = await engineOf("f32", { threads: 1 }, BATCH);
  const weights = weightsOf(plain);
  const want = await expected(plain);
  const engine = await engineOf("quamba", { threads: 1 }, BATCH);
  const results: { name: string; mine: number[]; theirs: number[] }[] = [];
  try {
    for (const open of peers) {
      const peer = await open(weights, want);
      note(`  ${peer.name}`);
      const [mine, theirs] = [[] as number[], [] as number[]];
      try {
        await ours(engine);
        for (let round = 0; round < rounds; round++) {
          signal.throwIfAborted();
          const [a, b] = [await peer.work(), await ours(engine)];
          theirs.push(a);
          mine.push(b);
        }
      } finally {
        await peer.close();
      }
      results.push({ name: peer.name, mine, theirs });
    }
  } finally {
    plain.program.close();
    engine.program.close();
  }
  const judgedAll = results.map((r) => ({ ...r, ratio: bootstrapRatio(r.theirs, r.mine, "median") }));
  const best = judgedAll.reduce((a, b) => (b.ratio.value < a.ratio.value ? b : a));
  const told = judgedAll.map((r) => `${r.name} ${unit(bootstrap(r.theirs, "median").value)} (ours ${unit(bootstrap(r.mine, "median").value)})`);
  return { ...best.ratio, note: `${told.join("; ")}; build ${engine.device.build}` };
}

const FIRST = [3, 77, 1000, 5, 40000];

/** Rate of our int8 decoding over the faster of onnxruntime-web's step graphs. */
export const decodeOverOrt = (context: GoalContext): Promise<Measured | Absent> => {
  let pos = 0;
  return race(
    {
      peers: [false, true].map((int8) => (weights, want) => openStep(weights, int8, want, FIRST)),
      expected: async (engine) => (await engine.run("prefill", Uint32Array.from(FIRST), 0)).slice(),
      async ours(engine) {
        const begin = performance.now();
        for (let i = 0; i < DECODE_TOKENS; i++) await engine.run("decode", Uint32Array.of((pos * 37) % vocab), pos++);
        return performance.now() - begin;
      },
      rounds: DECODE_ROUNDS,
      unit: (ms) => `${(ms / DECODE_TOKENS).toFixed(1)} ms a token`,
    },
    context,
  );
};

const reading = (peers: Race["peers"]): Race => ({
  peers,
  expected: prefilled,
  async ours(engine) {
    const begin = performance.now();
    await prefilled(engine);
    return performance.now() - begin;
  },
  rounds: PREFILL_ROUNDS,
  unit: (ms) => `${ms.toFixed(0)} ms`,
});

/** Rate of our int8 prefill over onnxruntime-web's loop around its step. */
export const prefillOverLoop = (context: GoalContext): Promise<Measured | Absent> =>
  race(reading([(weights, want) => openPrefill("a loop around the step in f32", loopedGraph(SHAPE, weights, PROMPT), WITHIN.f32, want)]), context);

const batched =
  (o: Pick<GraphOptions, "int8" | "ahead">) =>
  (weights: Weights, want: Float32Array): Promise<Peer> => {
    const name = `products of all tokens in ${o.int8 ? "int8" : "f32"}, factors made ${o.ahead ? "before" : "in"} the loop`;
    return openPrefill(name, mambaGraph(SHAPE, weights, { ...o, tokens: PROMPT }), o.int8 ? WITHIN.int8 : WITHIN.f32, want);
  };

/** The same over the fastest of its graphs that loop over nothing but the recurrence. */
export const prefillOverScan = (context: GoalContext): Promise<Measured | Absent> =>
  race(reading([false, true].flatMap((int8) => [false, true].map((ahead) => batched({ int8, ahead })))), context);
