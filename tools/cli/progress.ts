// Progress of one long job: a line on a terminal, JSON lines where asked for, nothing otherwise. Always on stderr.
import { bytes, duration } from "./units.ts";

export type ProgressMode = "line" | "json" | "off";

export interface Progress {
  /** `total` may become known or change on the way. `before`: how much of `done` was done by an earlier run; it does not count for the rate. */
  update(done: number, total?: number, before?: number): void;
  /** Clears the line, or writes the last JSON record. Safe to call twice. */
  end(): void;
}

export interface ProgressOptions {
  readonly mode: ProgressMode;
  readonly write: (text: string) => void;
  /** What is going on: "reading model.safetensors". */
  readonly what: string;
  /** "bytes" are written in kB and MB; anything else is counted ("tokens", "layers"). */
  readonly unit: string;
  readonly total?: number;
  /** Milliseconds; for tests. */
  readonly now?: () => number;
}

const EVERY_MS = { line: 100, json: 500, off: Infinity };
const CLEAR = "\r\x1b[K";

export function startProgress({ mode, write, what, unit, total: expected, now = () => performance.now() }: ProgressOptions): Progress {
  const begin = now();
  let written = -Infinity;
  let done = 0;
  let before = 0;
  let total = expected;
  let ended = mode === "off";
  const amount = (n: number) => (unit === "bytes" ? bytes(n) : String(Math.round(n)));

  const line = (rate: number, left: number | null) => {
    const of = total === undefined ? "" : ` of ${amount(total)}${total > 0 ? `, ${Math.floor((100 * done) / total)}%` : ""}`;
    return `${CLEAR}${what}: ${amount(done)}${of}${unit === "bytes" ? "" : ` ${unit}`}, ${amount(rate)}/s${left === null ? "" : `, ${duration(left)} left`}`;
  };

  const show = (last: boolean) => {
    written = now();
    const seconds = (written - begin) / 1000;
    const rate = seconds > 0 ? (done - before) / seconds : 0;
    const left = total !== undefined && rate > 0 ? Math.max(0, total - done) / rate : null;
    if (mode === "json") write(`${JSON.stringify({ progress: what, done, total: total ?? null, unit, per_second: rate, seconds, seconds_left: left, ended: last })}\n`);
    else write(last ? CLEAR : line(rate, left));
  };

  if (!ended) show(false);
  return {
    update(newDone, newTotal, newBefore) {
      done = newDone;
      before = newBefore ?? before;
      total = newTotal ?? total;
      if (!ended && now() - written >= EVERY_MS[mode]) show(false);
    },
    end() {
      if (!ended) show(true);
      ended = true;
    },
  };
}
