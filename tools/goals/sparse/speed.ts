// Speed of leaving out neurons, one thread, all sides in turn in one process.

import type { Engine } from "../../../runtime/session/engine.ts";
import { bootstrapRatio } from "../../../runtime/stats/bootstrap.ts";
import type { GoalContext, Measured } from "../goal.ts";
import { enableRelaxed } from "../slice/model.ts";
import { boundOf, drawCores, engineOf, ffnGraph, NEURONS, smolGraph } from "./models.ts";

/** So many layers are 160 MB: none is in a cache when its turn comes. */
const LAYERS = 120;
const ROUNDS = 21;
const WARM = 8;
export const SHARES = [0.1, 0.2, 0.4] as const;

const median = (v: readonly number[]) => [...v].sort((a, b) => a - b)[v.length >> 1];

interface Side {
  readonly name: string;
  readonly engine: Engine;
  /** Before each of its turns; not timed. */
  prepare(round: number): void;
}

/** Milliseconds of a step of each side, one a round. */
async function alternate(sides: readonly Side[], rounds: number, { signal }: GoalContext): Promise<Map<string, number[]>> {
  const spans = new Map(sides.map(({ name }) => [name, [] as number[]]));
  for (let round = -WARM; round < rounds; round++) {
    signal.throwIfAborted();
    for (const { name, engine, prepare } of sides) {
      prepare(round);
      const begin = performance.now();
      await engine.run("decode", Uint32Array.of((round + WARM) % 61), round + WARM);
      if (round >= 0) spans.get(name)?.push(performance.now() - begin);
    }
  }
  return spans;
}

/** Share of the neurons of the core that is copied together. */
const CORE = 0.2;
const ONE = { context: 64, active: true, core: CORE };

let layers: Promise<Map<string, number[]>> | undefined;

/** Steps of feed-forward layers alone: int4 by groups, int4 by neurons, cores of each share, and the greatest tenth of each token. */
function layerTimes(context: GoalContext): Promise<Map<string, number[]>> {
  layers ??= measureLayers(context);
  return layers;
}

async function measureLayers(context: GoalContext): Promise<Map<string, number[]>> {
  enableRelaxed();
  const [groups, neurons] = [await engineOf(ffnGraph(LAYERS), "w4", ONE), await engineOf(ffnGraph(LAYERS), "w4n", ONE)];
  try {
    const ranked: Side = { name: "topk", engine: neurons, prepare: () => neurons.ffn.set({ mode: "topk", topk: Math.round(0.1 * NEURONS) }) };
    const cores = SHARES.map(
      (share): Side => ({
        name: `core ${share}`,
        engine: neurons,
        prepare(round) {
          drawCores(neurons, share, round + 1000, "gather");
        },
      }),
    );
    // Copying follows a prompt: the store is filled once, and each round reads all of it.
    const compact: Side = { name: "compact", engine: neurons, prepare: () => drawCores(neurons, CORE, 1, "compact") };
    return await alternate(
      [{ name: "q4g32", engine: groups, prepare: () => {} }, { name: "q4n", engine: neurons, prepare: () => neurons.ffn.set({ mode: "dense" }) }, ...cores, compact, ranked],
      ROUNDS,
      context,
    );
  } finally {
    for (const e of [groups, neurons]) e.program.close();
  }
}

const of = (times: Map<string, number[]>, name: string) => times.get(name) as number[];
const perLayer = (ms: readonly number[]) => `${((1000 * median(ms)) / LAYERS).toFixed(1)} µs`;

/** Rate of feed-forward layers that read a share of their neurons, which is known beforehand, over the fastest way to read all. */
export const skipping =
  (share: (typeof SHARES)[number]) =>
  async (context: GoalContext): Promise<Measured> => {
    const times = await layerTimes(context);
    const [groups, neurons, sparse] = [of(times, "q4g32"), of(times, "q4n"), of(times, `core ${share}`)];
    const dense = median(groups) < median(neurons) ? groups : neurons;
    const byToken =
      share === 0.1 ? `; with the first matrix read whole to find them (topk) ${perLayer(of(times, "topk"))}, Amdahl's bound ${(3 / (1 + 2 * share)).toFixed(2)}` : "";
    const note = `a layer: q4g32 ${perLayer(groups)}, q4n ${perLayer(neurons)}, a random ${100 * share} % of q4n ${perLayer(sparse)}; Amdahl's bound ${(1 / share).toFixed(1)} at equal bits${byToken}`;
    return { ...bootstrapRatio(dense, sparse, "median"), note };
  };

/** Time of feed-forward layers that read a core of a fifth, copied together, over dense q4g32. */
export async function coreOverDense(context: GoalContext): Promise<Measured> {
  const times = await layerTimes(context);
  const [dense, gathered, compact] = [of(times, "q4g32"), of(times, `core ${CORE}`), of(times, "compact")];
  const note = `a layer: q4g32 ${perLayer(dense)}, core of ${100 * CORE} % compact ${perLayer(compact)}, gathered ${perLayer(gathered)} (${(median(gathered) / median(dense)).toFixed(2)}); Amdahl's bound 0.18`;
  return { ...bootstrapRatio(compact, dense, "median"), note };
}

/** Rate of whole decode steps with a tenth of the neurons over dense int4. */
export async function decodeTenth(context: GoalContext): Promise<Measured> {
  enableRelaxed();
  const [dense, sparse] = [await engineOf(smolGraph(), "w4"), await engineOf(smolGraph(), "w4n")];
  try {
    sparse.ffn.set({ mode: "topk", topk: Math.round(0.1 * NEURONS) });
    const times = await alternate(
      [
        { name: "dense", engine: dense, prepare: () => {} },
        { name: "sparse", engine: sparse, prepare: () => {} },
      ],
      2 * ROUNDS,
      context,
    );
    const ms = (name: string) => median(of(times, name)).toFixed(2);
    const note = `w4 ${ms("dense")} ms a token, w4n with the greatest tenth ${ms("sparse")} ms, on ${sparse.device.build}; ${boundOf(dense, 0.1)}`;
    return { ...bootstrapRatio(of(times, "dense"), of(times, "sparse"), "median"), note };
  } finally {
    for (const e of [dense, sparse]) e.program.close();
  }
}
