// From which share of skipped neurons on a list is faster than all rows here, for reports: the measurement of a load (runtime/session/breakeven.ts), with
// more shares and rounds.
import { type BreakEvenPoint, crossing, measureBreakEven } from "../../runtime/session/breakeven.ts";
import type { Model } from "../../runtime/session/model.ts";

export interface BreakEven {
  /** Least share of skipped neurons at which the list is faster: 1 − `listed`. */
  readonly skip: number;
  readonly points: readonly BreakEvenPoint[];
}

const MEASURED = { shares: [0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 1], rounds: 15, turn: 4 } as const;

/** undefined where layers do not lie by neurons. The model's modes are reset behind it. */
export async function breakEvenOf({ engine }: Model, signal: AbortSignal): Promise<BreakEven | undefined> {
  if (!engine.ffn.there) return undefined;
  const points = await measureBreakEven(engine, { ...MEASURED, signal, now: () => performance.now() });
  return { skip: 1 - crossing(points, "listed"), points };
}
