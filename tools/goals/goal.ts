// What a goal is: a figure that is measured when asked for, never stored, and the bound it must keep.
import type { EngineSummary, MachineSummary } from "../../runtime/stats/record.ts";

export interface GoalContext {
  /** Fires at Ctrl-C. */
  readonly signal: AbortSignal;
  /** A line to stderr about what goes on. */
  note(line: string): void;
}

export interface Measured {
  readonly value: number;
  /** Interval of the figure where it has spread. */
  readonly low?: number;
  readonly high?: number;
  /** How it was measured, where that is not plain from the figure. */
  readonly note?: string;
}

/** The peer or file that the figure needs is not here. */
export interface Absent {
  readonly absent: string;
}

export interface Goal {
  /** `<area>.<name>`. */
  readonly id: string;
  /** What is measured, in words. */
  readonly figure: string;
  readonly unit: string;
  readonly must: { readonly op: "<=" | ">=" | "="; readonly value: number };
  measure(context: GoalContext): Promise<Measured | Absent>;
}

export interface Area {
  readonly name: string;
  readonly goals: readonly Goal[];
}

/** One row of `npm run goals -- --json`. */
export interface GoalRow {
  readonly id: string;
  readonly figure: string;
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly unit: string;
  readonly must: string;
  /** null: not measured, `reason` says why. */
  readonly ok: boolean | null;
  readonly reason?: string;
  readonly note?: string;
  readonly seconds: number;
}

/** What `--record` writes. */
export interface GoalRecord {
  readonly kind: "goals";
  /** ISO 8601. */
  readonly date: string;
  readonly machine: MachineSummary;
  readonly engine: EngineSummary;
  readonly rows: readonly GoalRow[];
}
