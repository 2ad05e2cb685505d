// Options of mode core (runtime/session/cores.ts): defaults and what is refused.
import type { Clusters } from "../cores/clusters.ts";
import { ALPHA, BETA } from "../cores/rank.ts";
import { SkintError } from "../errors.ts";
import { SIGNALS, type Signal } from "../ops/select/control.ts";
import { CompactStore, STORES, type Store } from "./compact.ts";
import type { FfnLayer } from "./ffnlayer.ts";

export const GUIDES = ["auto", "stable", "similar"] as const;
export type Guide = (typeof GUIDES)[number];

export interface CoreOptions {
  /** Share of a token's neurons that fire which count in it, (0, 1]; default: that of the model's clusters, else 0.4. */
  readonly alpha?: number;
  /** Share of a layer's neurons that is kept, (0, 1]; default 0.2. Rounded up to whole blocks of 16 rows. */
  readonly beta?: number;
  readonly guide?: Guide;
  /** Decoded tokens after which it is counted anew; default 0: never. */
  readonly refresh?: number;
  /** Tokens that are then decoded with all neurons and counted, apart from the prompt; default 16. */
  readonly window?: number;
  /** What neurons are ranked by: the positive part of the hidden value, or its magnitude; default positive. */
  readonly signal?: Exclude<Signal, "none">;
  /** Where its rows are read: copied together (`compact`), or where they lie; default: compact where the model was loaded with room for them (`core`). */
  readonly store?: Store;
}

export type CoreSetting = Required<CoreOptions>;

/** Options with the defaults of a model. */
export function settingOf(o: CoreOptions, clusters: Clusters | undefined, layers: readonly FfnLayer[]): CoreSetting {
  const beta = o.beta ?? BETA;
  return {
    alpha: o.alpha ?? clusters?.alpha ?? ALPHA,
    beta,
    guide: o.guide ?? "auto",
    refresh: o.refresh ?? 0,
    window: o.window ?? 16,
    signal: o.signal ?? "positive",
    store: o.store ?? (layers.every((l) => CompactStore.fits(l, beta)) ? "compact" : "gather"),
  };
}

const bad = (message: string, what: string): never => {
  throw new SkintError("usage", message, { what });
};

/** Throws `usage` for options out of range, or that the model or these layers do not allow. */
export function checkCore(o: CoreOptions, layers: readonly FfnLayer[], clusters: Clusters | undefined): void {
  for (const name of ["alpha", "beta"] as const) {
    const share = o[name];
    if (share !== undefined && !(share > 0 && share <= 1)) bad(`${name} is ${share}; give a share above 0, at most 1`, name);
  }
  const whole = (v: number | undefined, least: number) => v === undefined || (Number.isInteger(v) && v >= least);
  if (!whole(o.refresh, 0)) bad(`refresh is ${o.refresh}; give a whole number of tokens, 0 for never`, "refresh");
  if (!whole(o.window, 1)) bad(`window is ${o.window}; give a whole number of tokens from 1 on`, "window");
  if (o.guide !== undefined && !GUIDES.includes(o.guide)) bad(`the guide ${o.guide} is none of ${GUIDES.join(", ")}`, "guide");
  const signals = SIGNALS.slice(1);
  if (o.signal !== undefined && !signals.includes(o.signal)) bad(`the signal ${o.signal} is none of ${signals.join(", ")}`, "signal");
  const missing = layers.find((l) => !l.tally);
  if (missing)
    bad(`${missing.name} cannot be counted: the plan that reads prompts computes one row of it; load the model with a batch of 2 or more, or leave the layer out`, missing.name);
  if (layers.length === 0) bad("no layer of this model can be counted; load it with a batch of 2 or more", "core");
  if (o.store !== undefined && !STORES.includes(o.store)) bad(`the store ${o.store} is none of ${STORES.join(", ")}`, "store");
  const beta = o.beta ?? BETA;
  if (o.store === "compact" && !layers.every((l) => CompactStore.fits(l, beta)))
    bad(`the store compact needs room for the share ${beta} of the neurons; load the model with core: ${beta}, or take gather`, "store");
  if (o.guide === "similar") checkSimilar(o, clusters);
}

function checkSimilar({ alpha }: CoreOptions, clusters: Clusters | undefined): void {
  if (!clusters) bad("the guide similar needs clusters of texts, which this model does not carry; take stable", "guide");
  else if (alpha !== undefined && alpha !== clusters.alpha) bad(`alpha is ${alpha}, the model's clusters were counted with ${clusters.alpha}; leave it out`, "alpha");
}
