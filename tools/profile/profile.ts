// The profile of a model on a text: every feed-forward layer's counts (meter.ts) while the text is read with all neurons.
import type { Model } from "../../runtime/session/model.ts";
import { normsOfRows, type Observed, observe, rowsOf } from "./layers.ts";
import { LayerMeter, type LayerProfile } from "./meter.ts";
import { countTokens, perplexityOf, type ReadOptions, readWindows } from "./windows.ts";

export interface Profile {
  readonly tokens: number;
  readonly windows: number;
  /** Of the text, with all neurons. */
  readonly perplexity: number;
  readonly layers: readonly LayerProfile[];
}

/** Reads windows with all neurons and lets each layer's meter count. @returns the meters, and ln p of the tokens */
export async function meter(observed: Observed, windows: readonly Uint32Array[], o: Omit<ReadOptions, "onStep">): Promise<{ meters: LayerMeter[]; lnp: Float64Array }> {
  const { engine, layers } = observed;
  if (engine.ffn.there) engine.ffn.set({ mode: "dense" });
  const meters = layers.map((l) => {
    const rows = rowsOf(engine, l);
    return new LayerMeter(l, rows, normsOfRows(rows, l.width));
  });
  const lnp = await readWindows(engine, windows, {
    ...o,
    onStep(rows, pos) {
      for (const [i, m] of meters.entries()) {
        if (pos === 0) m.begin();
        const { neurons } = layers[i];
        const hidden = observed.hidden(i, rows);
        for (let r = 0; r < rows; r++) m.add(hidden.subarray(r * neurons, (r + 1) * neurons));
      }
    },
  });
  return { meters, lnp };
}

/** Throws `usage` for a model without feed-forward layers, `session.nan`, `aborted`. */
export async function profileOf(model: Model, windows: readonly Uint32Array[], o: Omit<ReadOptions, "onStep">): Promise<Profile> {
  const observed = observe(model, Math.max(...windows.map((w) => w.length)));
  try {
    const { meters, lnp } = await meter(observed, windows, o);
    return { tokens: countTokens(windows), windows: windows.length, perplexity: perplexityOf(lnp), layers: meters.map((m) => m.result()) };
  } finally {
    observed.close();
  }
}
