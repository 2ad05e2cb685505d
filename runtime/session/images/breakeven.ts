// Up to which share of changed pairs a layer of a stream is faster by events than computed whole, on this machine, build and number of lanes: each layer's
// two steps alone and the count of what they did, over an image in which ever more differs from the one before.
import { throwIfAborted } from "../../errors.ts";
import type { StreamedLayer } from "../../graph/streamed.ts";
import { pairsOf } from "../../image/events.ts";
import { pixelBytes } from "../../image/format.ts";
import { type BreakEvenPoint, crossing } from "../breakeven.ts";
import type { ImageEngine } from "./engine.ts";
import { Layer } from "./stream.ts";

export interface StreamMeasure {
  /** Clock in ms. */
  readonly now: () => number;
  readonly signal?: AbortSignal;
}

const SHARES = [0.05, 0.1, 0.2, 0.4, 0.7, 1] as const;
const ROUNDS = 5;
/** Rounds that do not count: engines optimise what has run for a while. */
const WARM = 3;
/** Least time of a turn, ms, and most runs of one, for clocks that stand still. */
const TURN = 0.1;
const MOST_RUNS = 50;

/** Sets the limits of all streamed layers; streams begin anew. Where the clock is too coarse to tell, a limit stays what it was. Throws `aborted`. */
export async function measureStreams(engine: ImageEngine, o: StreamMeasure): Promise<void> {
  // No stream goes on from what is left in memory.
  engine.take(undefined);
  await engine.runStream(new Uint8Array(engine.pixels));
  for (const [i, layer] of engine.streamedLayers.entries()) {
    const points = await pointsOf(engine, layer, new Layer(layer, engine, i), o);
    if (points.every((p) => Number.isFinite(p.ratio))) engine.setLimit(i, crossing(points, "listed"), "measured");
  }
}

async function pointsOf(engine: ImageEngine, layer: StreamedLayer, counted: Layer, { now, signal }: StreamMeasure): Promise<BreakEvenPoint[]> {
  const steps = engine.plans[1].steps;
  const from = steps.findIndex((s) => s.name === `${layer.name}.events`);
  const list = engine.program.view(layer.list);
  const tooMany = new Uint32Array(list.buffer, list.byteOffset, 1);
  const before = engine.program.view(layer.before) as Uint8Array;
  const sides = [undefined, ...SHARES].map((share) => ({ share, flips: share === undefined ? [] : flipsOf(layer, share), least: Number.POSITIVE_INFINITY }));
  for (let round = -WARM; round < ROUNDS; round++)
    for (const side of sides) {
      throwIfAborted(signal, "measuring");
      let [runs, spent] = [0, 0];
      for (; runs < MOST_RUNS && spent < TURN; runs++) {
        for (const at of side.flips) before[at] ^= 1;
        tooMany[0] = side.share === undefined ? 0 : layer.pairs + 1;
        const begin = now();
        await engine.program.execute("stream", from, from + 2);
        counted.note();
        spent += now() - begin;
      }
      if (round >= 0) side.least = Math.min(side.least, spent / runs);
    }
  const [dense, ...lists] = sides;
  return lists.map(({ share = 0, least }) => ({ listed: share, read: share, ratio: least / dense.least }));
}

/** Bytes of the image before, one for each of so many pairs, spread over it. */
function flipsOf({ attrs, pairs }: StreamedLayer, share: number): number[] {
  const each = pairsOf(attrs.channels);
  const pixel = pixelBytes(attrs.channels);
  return Array.from({ length: pairs }, (_, i) => i)
    .filter((i) => Math.floor((i + 1) * share) > Math.floor(i * share))
    .map((i) => Math.floor(i / each) * pixel + 2 * (i % each));
}
