// Decides how many lanes the next execution of a plan gets: all, or one while all are slower than one (a neighbour holds a core).
// Learned per plan and number of tokens, from timings of whole executions in milliseconds.
import { median } from "../../../runtime/stats/quantile.ts";

const LEARN = 4;
const WINDOW = 4;
const FIRST_BACKOFF = 8;
const MAX_BACKOFF = 64;
/** All lanes must beat this share of one lane's time to be worth it. */
const WORTH = 0.95;

interface Record {
  warm: number;
  /** Best one-lane time. */
  one: number;
  learned: number;
  window: number[];
  /** Executions left on one lane. */
  single: number;
  backoff: number;
}

export class Governor {
  private readonly records = new Map<string, Record>();
  oneLane = 0;

  constructor(private readonly lanes: number) {}

  private record(key: string): Record {
    const r = this.records.get(key) ?? { warm: 0, one: Number.POSITIVE_INFINITY, learned: 0, window: [], single: 0, backoff: FIRST_BACKOFF };
    this.records.set(key, r);
    return r;
  }

  /** Lanes for the next execution of `key`. Learning happens after warm-up, as cold code says nothing. */
  next(key: string): number {
    if (this.lanes === 1) return 1;
    const r = this.record(key);
    const learning = r.warm >= WINDOW && r.learned < LEARN;
    const one = learning || r.single > 0;
    if (one) this.oneLane++;
    return one ? 1 : this.lanes;
  }

  /** Reports how long the execution took with the lanes that `next` gave. */
  done(key: string, lanes: number, ms: number): void {
    if (this.lanes === 1) return;
    const r = this.record(key);
    if (r.warm < WINDOW) r.warm++;
    else if (lanes === 1) this.sawOne(r, ms);
    else this.sawAll(r, ms);
  }

  private sawOne(r: Record, ms: number): void {
    r.one = Math.min(r.one, ms);
    if (r.learned < LEARN) r.learned++;
    else r.single--;
  }

  private sawAll(r: Record, ms: number): void {
    r.window.push(ms);
    const probing = r.backoff > FIRST_BACKOFF && r.window.length === 1;
    if (probing && ms < WORTH * r.one) r.backoff = FIRST_BACKOFF;
    if (r.window.length < WINDOW && !(probing && ms >= WORTH * r.one)) return;
    // The median: one stalled execution among several good ones is life, not a neighbour.
    const typical = median(r.window);
    r.window.length = 0;
    if (typical <= WORTH * r.one) return;
    r.single = r.backoff;
    // What one lane takes is learnt anew meanwhile: it grows with the context.
    r.one = Number.POSITIVE_INFINITY;
    r.backoff = Math.min(2 * r.backoff, MAX_BACKOFF);
  }
}
