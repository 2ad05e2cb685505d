// Stop strings in streamed text: gives out text that cannot be part of a stop string any more, holds back what may become one.
// Where the text comes in pieces, how it is cut into pieces changes nothing. Text in UTF-16 units, as strings are.
import { SkintError } from "../errors.ts";

export interface StopMatcher {
  /** Takes more text; `text` is free to be shown, `stop` is the stop string that was met (not part of `text`); after it nothing more comes. */
  push(text: string): { readonly text: string; readonly stop?: string };
  /** What was held back, at the end of the text. */
  flush(): string;
}

/** The stop string that is complete first; of those that end at the same place, the longest. */
function firstStop(text: string, stops: readonly string[]): { start: number; stop: string } | undefined {
  let found: { start: number; stop: string } | undefined;
  for (const stop of stops) {
    const start = text.indexOf(stop);
    if (start < 0) continue;
    const earlier = found === undefined ? 1 : found.start + found.stop.length - (start + stop.length);
    if (earlier > 0 || (earlier === 0 && found && stop.length > found.stop.length)) found = { start, stop };
  }
  return found;
}

/** Length of the longest end of `text` that begins a stop string. */
function heldLength(text: string, stops: readonly string[], longest: number): number {
  for (let n = Math.min(longest - 1, text.length); n > 0; n--) {
    const end = text.slice(-n);
    if (stops.some((stop) => stop.startsWith(end))) return n;
  }
  return 0;
}

/** @param stops none of them empty; no stop strings at all let everything through */
export function createStopMatcher(stops: readonly string[]): StopMatcher {
  if (stops.some((stop) => stop.length === 0)) throw new SkintError("usage", "an empty stop string would stop everything; leave it out");
  const longest = Math.max(0, ...stops.map((stop) => stop.length));
  let held = "";
  let stopped: string | undefined;
  return {
    push(text) {
      if (stopped !== undefined) return { text: "", stop: stopped };
      const all = held + text;
      const found = firstStop(all, stops);
      if (found) {
        stopped = found.stop;
        held = "";
        return { text: all.slice(0, found.start), stop: stopped };
      }
      const free = all.length - heldLength(all, stops, longest);
      held = all.slice(free);
      return { text: all.slice(0, free) };
    },
    flush() {
      const rest = held;
      held = "";
      return rest;
    },
  };
}
