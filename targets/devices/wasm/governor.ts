// Decides how many lanes the next execution of a plan gets: all, or one while all are slower than one (a neighbour holds a core).
// Learned per plan and number of tokens, from timings of whole executions in milliseconds. What one lane takes is learnt first, and
// anew in every spell on one lane, as it grows with the context and moves with the machine; medians decide, never a single timing.
import { median } from "../../../runtime/stats/quantile.ts";

/** All-lane executions before anything counts: cold code says nothing. */
const WARM = 4;
/** Executions on one lane that teach what it takes. */
const LEARN = 4;
/** All-lane executions that are judged together; few when all lanes are only being tried again. */
const WINDOW = 8;
const TRIAL = 3;
/** A first execution on all lanes again is slow, as workers wake on cold caches; slower than one lane by this factor, the trial ends at once. */
const HOPELESS = 1.5;
/** All lanes must beat this share of one lane's time to be worth it. */
const WORTH = 0.95;
const FIRST_SPELL = 8;
const LONGEST_SPELL = 64;

interface Record {
  warm: number;
  /** Executions left on one lane. */
  single: number;
  /** What one lane took in its present or last spell. */
  one: number[];
  /** What all lanes took since they were judged last. */
  window: number[];
  trial: "waking" | "trying" | undefined;
  /** Length of the next spell on one lane. */
  spell: number;
}

export class Governor {
  private readonly records = new Map<string, Record>();
  oneLane = 0;

  constructor(private readonly lanes: number) {}

  private record(key: string): Record {
    const r = this.records.get(key) ?? { warm: 0, single: 0, one: [], window: [], trial: undefined, spell: FIRST_SPELL };
    this.records.set(key, r);
    return r;
  }

  /** Lanes for the next execution of `key`. */
  next(key: string): number {
    if (this.lanes === 1 || this.record(key).single === 0) return this.lanes;
    this.oneLane++;
    return 1;
  }

  /** Reports how long the execution took with the lanes that `next` gave. */
  done(key: string, lanes: number, ms: number): void {
    if (this.lanes === 1) return;
    const r = this.record(key);
    if (lanes === 1) this.sawOne(r, ms);
    else if (r.warm < WARM) this.warmed(r);
    else this.sawAll(r, ms);
  }

  private warmed(r: Record): void {
    r.warm++;
    if (r.warm === WARM) r.single = LEARN;
  }

  private sawOne(r: Record, ms: number): void {
    r.one.push(ms);
    r.single--;
    if (r.single === 0) r.trial = "waking";
  }

  private sawAll(r: Record, ms: number): void {
    const one = median(r.one);
    if (r.trial === "waking") {
      r.trial = "trying";
      if (ms > HOPELESS * one) this.drop(r);
      return;
    }
    r.window.push(ms);
    if (r.window.length < (r.trial ? TRIAL : WINDOW)) return;
    if (median(r.window) > WORTH * one) {
      this.drop(r);
      return;
    }
    r.window.length = 0;
    r.trial = undefined;
    r.spell = FIRST_SPELL;
  }

  private drop(r: Record): void {
    r.single = r.spell;
    r.spell = Math.min(2 * r.spell, LONGEST_SPELL);
    r.one.length = 0;
    r.window.length = 0;
    r.trial = undefined;
  }
}
