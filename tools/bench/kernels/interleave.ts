// Times things in turn: one sample of each a round, so that a machine that changes its speed changes it for all of them.
import { throwIfAborted } from "../../../runtime/errors.ts";
import { sleep, turn } from "../../../runtime/io/turn.ts";

/**
 * A sample is about a millisecond: long against the clock and a call, short against the time that an operating system leaves a thread alone.
 * Samples that differ in what they touch take turns.
 */
export interface Timed {
  /** Different samples. */
  readonly pass: number;
  /** Comes before a sample and is not timed. */
  prepare(sample: number): void;
  /** Sample 0 … pass − 1. */
  run(sample: number): void | Promise<void>;
}

export interface InterleaveOptions {
  readonly rounds: number;
  readonly now: () => number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Untimed passes: the engine's fast tier must have compiled, and devices have learnt how many lanes to use. */
const WARMUP = 10;
/** Time for the engine to compile in the background before the last of the warm-up, ms. */
const COMPILING = 100;

/** Milliseconds of each thing's samples, in the order of the rounds. */
export async function interleave(things: readonly Timed[], o: InterleaveOptions): Promise<Float64Array[]> {
  const once = async (thing: Timed, sample: number): Promise<number> => {
    throwIfAborted(o.signal, "the benchmark");
    thing.prepare(sample);
    const start = o.now();
    const running = thing.run(sample);
    if (running) await running;
    return o.now() - start;
  };
  const progress = (done: number) => {
    o.onProgress?.(done, WARMUP + o.rounds);
    return turn();
  };
  for (let pass = 0; pass < WARMUP; pass++) {
    if (pass === WARMUP - 1) await sleep(COMPILING, o.signal);
    for (const thing of things) for (let i = 0; i < thing.pass; i++) await once(thing, i);
    await progress(pass);
  }
  const times = things.map(() => new Float64Array(o.rounds));
  for (let round = 0; round < o.rounds; round++) {
    for (const [i, thing] of things.entries()) times[i][round] = await once(thing, round % thing.pass);
    await progress(WARMUP + round + 1);
  }
  return times;
}
