// What a text has of core neurons (runtime/session/cores.ts): what was counted in its prompt, and which neurons its decoding keeps. Sessions that share an
// engine have one each.
import type { Tally } from "../cores/rank.ts";

export type Made = "none" | "stable" | "similar" | "dense";

export class TextCore {
  /** Which setting of cores it was made under. */
  setting = -1;
  /** Of the prompt, by counted layer; none before the first. */
  tally: readonly Tally[] = [];
  /** Tokens that were counted. */
  counted = 0;
  /** The first tokens of the text, if they are just those counted; else 0. */
  prefix = 0;
  /** By layer; undefined: all neurons. */
  lists: readonly (Uint32Array | undefined)[] = [];
  made: Made = "none";
  why = "no prompt was counted";
  /** Mean over layers of what the cores after three quarters of the prompt and after all of it share. */
  overlap: number | undefined;
  cluster: number | undefined;
  /** Tokens decoded since the core was made. */
  decoded = 0;
  refreshes = 0;
  /** While tokens are decoded with all neurons and counted; what was counted when another text came in between. */
  window: { tally?: readonly Tally[] } | undefined;

  /** As it was made. */
  forget(): void {
    Object.assign(this, new TextCore());
  }

  /** Another text that goes on from here. */
  copy(): TextCore {
    return Object.assign(new TextCore(), this, { window: this.window && { ...this.window } });
  }
}
