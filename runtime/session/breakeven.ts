// From which share of its neurons on a feed-forward layer is faster whole than by a list, on this machine, build and number of lanes: decode steps with
// random cores of some shares and dense ones in turns. What is no feed-forward layer takes the same time in both, so that where they meet does not depend
// on it. Only the first layers run, as many as no nearer cache holds: the others are like them.
import { throwIfAborted } from "../errors.ts";
import { createRandom } from "../num/random.ts";
import type { Engine } from "./engine.ts";

/** A share of listed neurons. */
export interface BreakEvenPoint {
  readonly listed: number;
  /** Share of the rows of all matrices that was read: less than is listed where some of them came out as 0. */
  readonly read: number;
  /** Time of a step over that of a dense one: the least of each, as a busy machine only adds. */
  readonly ratio: number;
}

export interface MeasureOptions {
  /** Clock in ms. */
  readonly now: () => number;
  readonly signal?: AbortSignal;
  /** Listed shares in ascending order; default LIMIT_SHARES. */
  readonly shares?: readonly number[];
  readonly rounds?: number;
  /** Least time of a turn, ms: a step of a small model is below what clocks can tell; default 0.5. */
  readonly turn?: number;
}

/** Shares between which lists may become slower than all rows. */
const LIMIT_SHARES = [0.4, 0.6, 0.8, 1] as const;
const ROUNDS = 7;
/** Rounds that do not count: engines optimise what has run for a while. */
const WARM = 5;
const TURN = 0.5;
/** Bytes that the steps read at least, if the model has them. */
const BYTES = 4 * 2 ** 20;

/** `count` numbers below n in ascending order. */
export function drawn(n: number, count: number, random: { below(n: number): number }): Uint32Array {
  const out = new Uint32Array(count);
  // Each number is taken with the chance that fills the rest.
  for (let i = 0, have = 0; i < n && have < count; i++) if (random.below(n - i) < count - have) out[have++] = i;
  return out;
}

/** Share at which the time of lists crosses that of all rows, by straight lines between what was measured; 1 where lists are never slower. */
export function crossing(points: readonly BreakEvenPoint[], by: "listed" | "read"): number {
  const above = points.findIndex((p) => p.ratio >= 1);
  if (above < 0) return 1;
  if (above === 0) return 0;
  const [a, b] = [points[above - 1], points[above]];
  return a[by] + ((1 - a.ratio) / (b.ratio - a.ratio)) * (b[by] - a[by]);
}

/** Steps of the decode plan up to the end of a feed-forward layer behind which `BYTES` were read, and the feed-forward layers among them. */
function firstOf({ plans, ffn }: Engine): { end: number; layers: string[] } {
  const [{ steps }] = plans;
  const layers: string[] = [];
  let [bytes, end] = [0, 0];
  for (const [i, s] of steps.entries()) {
    bytes += s.cost.bytes;
    if (s.op !== "rowsum" || !ffn.names.includes(s.name)) continue;
    layers.push(s.name);
    end = i + 1;
    if (bytes >= BYTES) break;
  }
  return { end, layers };
}

/**
 * Measures at position 0, by which what stood in states and caches is lost; modes are those of the model afterwards, and counters are cleared. Throws
 * `aborted`.
 */
export async function measureBreakEven(engine: Engine, o: MeasureOptions): Promise<BreakEvenPoint[]> {
  const { now, signal, shares = LIMIT_SHARES, rounds = ROUNDS, turn = TURN } = o;
  const { end, layers } = firstOf(engine);
  const sides = [undefined, ...shares].map((share) => ({ share, times: [] as number[], read: 0 }));
  const random = createRandom(1);
  let steps = 1;
  engine.take(undefined);
  try {
    await engine.run("decode", Uint32Array.of(0), 0);
    for (let round = -WARM; round < rounds; round++)
      for (const side of sides) {
        throwIfAborted(signal, "measuring");
        engine.ffn.draw(layers, side.share, random);
        const begin = now();
        for (let s = 0; s < steps; s++) await engine.program.execute("decode", 0, end);
        const spent = now() - begin;
        side.read = engine.ffn.read;
        if (round < 0 && side.share === undefined) steps = Math.max(steps, Math.ceil((turn * steps) / Math.max(spent, turn / 1000)));
        if (round >= 0) side.times.push(spent / steps);
      }
  } finally {
    engine.ffn.reset();
  }
  const [dense, ...lists] = sides;
  return lists.map(({ share, times, read }) => ({
    listed: share as number,
    read,
    ratio: Math.min(...times) / Math.min(...dense.times),
  }));
}
