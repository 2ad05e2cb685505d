// Which layers of a decoder see all positions, and which only the latest.
import type { Config } from "./architecture.ts";
import { choices, whole } from "./fields.ts";

const LOCAL: Readonly<Record<string, boolean>> = { full_attention: false, sliding_attention: true };

/** Positions that each layer sees; 0 = all. `layer_types` says which have the window `sliding_window`, or where it is absent `local`. */
export function windows(config: Config, local: (layer: number) => boolean): number[] {
  const n = whole(config, "num_hidden_layers", 512);
  const locals = choices(config, "layer_types", LOCAL, n) ?? Array.from({ length: n }, (_, i) => local(i));
  const window = locals.includes(true) ? whole(config, "sliding_window", 1 << 24, 4096) : 0;
  return locals.map((l) => (l ? window : 0));
}
