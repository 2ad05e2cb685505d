// Runs goals one after the other and judges each figure by its bound.
import { throwIfAborted } from "../../runtime/errors.ts";
import type { Goal, GoalContext, GoalRow } from "./goal.ts";

/** A figure that is not a number keeps no bound. */
export function keeps(value: number, { op, value: bound }: Goal["must"]): boolean {
  return op === "<=" ? value <= bound : op === ">=" ? value >= bound : value === bound;
}

export async function measureGoal(goal: Goal, context: GoalContext): Promise<GoalRow> {
  const begin = performance.now();
  const nothing = { value: null, low: null, high: null };
  const row = (rest: Pick<GoalRow, "value" | "low" | "high" | "ok" | "reason" | "note">): GoalRow => ({
    id: goal.id,
    figure: goal.figure,
    unit: goal.unit,
    must: `${goal.must.op} ${goal.must.value}`,
    ...rest,
    seconds: (performance.now() - begin) / 1000,
  });
  throwIfAborted(context.signal, "measuring");
  try {
    const m = await goal.measure(context);
    if ("absent" in m) return row({ ...nothing, ok: null, reason: m.absent });
    return row({ value: m.value, low: m.low ?? null, high: m.high ?? null, ok: keeps(m.value, goal.must), note: m.note });
  } catch (error) {
    throwIfAborted(context.signal, "measuring");
    // A goal that cannot be measured is not met; the others are still worth knowing.
    return row({ ...nothing, ok: false, reason: error instanceof Error ? error.message : String(error) });
  }
}
