// From which share of skipped neurons on a list is faster than all rows, on this machine and with this model: decode steps with random cores of some
// shares and dense ones in turns. What is no feed-forward layer takes the same time in both, so that where they meet does not depend on it.
import { throwIfAborted } from "../../runtime/errors.ts";
import { createRandom } from "../../runtime/num/random.ts";
import type { Model } from "../../runtime/session/model.ts";
import { quantile } from "../../runtime/stats/quantile.ts";
import { type FfnLayer, layersOf } from "./layers.ts";

export interface BreakEven {
  /** Least share of skipped neurons at which the list is faster: 1 − `listed`. */
  readonly skip: number;
  /** Shares of listed neurons with the time of a step over that of a dense one, medians. */
  readonly points: readonly { readonly listed: number; readonly ratio: number }[];
}

const SHARES = [0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 1] as const;
const ROUNDS = 15;
const WARM = 3;
/** Least time of a turn, ms: a step of a small model is below what clocks can tell. */
const TURN = 4;

/** `count` numbers below n in ascending order. */
export function drawn(n: number, count: number, random: { below(n: number): number }): Uint32Array {
  const out = new Uint32Array(count);
  // Each number is taken with the chance that fills the rest.
  for (let i = 0, have = 0; i < n && have < count; i++) if (random.below(n - i) < count - have) out[have++] = i;
  return out;
}

/** Where the time of lists crosses that of all rows, by straight lines between what was measured; in ascending order of `listed`. */
export function crossing(points: BreakEven["points"]): number {
  const above = points.findIndex((p) => p.ratio >= 1);
  if (above < 0) return 1;
  if (above === 0) return 0;
  const [a, b] = [points[above - 1], points[above]];
  return a.listed + ((1 - a.ratio) / (b.ratio - a.ratio)) * (b.listed - a.listed);
}

/** undefined where layers do not lie by neurons. The model's modes are reset behind it. */
export async function breakEvenOf(model: Model, signal: AbortSignal): Promise<BreakEven | undefined> {
  const { engine } = model;
  if (!engine.ffn.there) return undefined;
  const layers = layersOf(engine.graph).filter((l) => engine.ffn.names.includes(l.name));
  const random = createRandom(1);
  const sides = [undefined, ...SHARES];
  const times = sides.map((): number[] => []);
  let steps = 1;
  try {
    for (let round = -WARM; round < ROUNDS; round++)
      for (const [i, share] of sides.entries()) {
        throwIfAborted(signal, "measuring");
        if (share === undefined) engine.ffn.set({ mode: "dense" });
        else for (const l of layers) engine.ffn.setCore(l.name, drawn(l.neurons, coreSize(l, share), random));
        const begin = performance.now();
        for (let s = 0; s < steps; s++) await engine.run("decode", Uint32Array.of(round + WARM), 0);
        const spent = performance.now() - begin;
        if (round < 0 && i === 0) steps = Math.max(steps, Math.ceil((TURN * steps) / spent));
        if (round >= 0) times[i].push(spent / steps);
      }
  } finally {
    engine.ffn.reset();
  }
  const [dense, ...lists] = times;
  const points = SHARES.map((listed, i) => ({
    listed,
    ratio: quantile(
      lists[i].map((t, r) => t / dense[r]),
      0.5,
    ),
  }));
  return { skip: 1 - crossing(points), points };
}

const coreSize = ({ neurons }: FfnLayer, share: number) => Math.max(1, Math.round(share * neurons));
