// Inverse frequencies of rotary embeddings with the scalings that checkpoints name in `rope_scaling`.
import { SkintError } from "../runtime/errors.ts";
import { pow } from "../runtime/num/det.ts";
import type { Config } from "./architecture.ts";
import { real, section, whole } from "./fields.ts";

/** θ_i = base^(−2i/rot), i < rot/2 (Su et al. 2021). */
function plain(base: number, rot: number): number[] {
  return Array.from({ length: rot / 2 }, (_, i) => 1 / pow(base, (2 * i) / rot));
}

/** A factor far below any in use would give angles that are not finite. */
const factorOf = (s: Config) => real(s, "factor", undefined, 1e-3);

/** Llama 3's smooth scaling: long wavelengths divided by `factor`, short ones kept, a blend between. */
function llama3(frequencies: number[], s: Config): number[] {
  const factor = factorOf(s);
  const low = real(s, "low_freq_factor");
  const high = real(s, "high_freq_factor", undefined, low);
  const original = whole(s, "original_max_position_embeddings", 1 << 24);
  return frequencies.map((f) => {
    const turns = (original * f) / (2 * Math.PI);
    if (turns < low) return f / factor;
    if (turns > high) return f;
    const blend = (turns - low) / (high - low);
    return ((1 - blend) * f) / factor + blend * f;
  });
}

const SCALINGS: Readonly<Record<string, (f: number[], s: Config) => number[]>> = {
  default: (f) => f,
  linear: (f, s) => f.map((v) => v / factorOf(s)),
  llama3,
};

/** Frequencies of a config with `rope_theta` and `rope_scaling` (or `rope_parameters`). */
export function frequencies(config: Config, rot: number): number[] {
  const scaling = section(config, "rope_scaling") ?? section(config, "rope_parameters");
  const base = real(scaling?.rope_theta === undefined ? config : scaling, "rope_theta", 10000, 1);
  const type = scaling ? (scaling.rope_type ?? scaling.type ?? "default") : "default";
  if (typeof type !== "string" || !Object.hasOwn(SCALINGS, type))
    throw new SkintError("model.config", `config.json: rope_scaling type ${JSON.stringify(type)} is not supported; supported are ${Object.keys(SCALINGS).join(", ")}`, {
      what: "rope_scaling",
    });
  const scaled = SCALINGS[type](plain(base, rot), scaling ?? {});
  const factors = config.rope_factors;
  if (factors === undefined || factors === null) return scaled;
  if (!Array.isArray(factors) || factors.length !== scaled.length || !factors.every((f) => typeof f === "number" && f > 0))
    throw new SkintError("model.config", `rope_factors are not ${scaled.length} numbers above 0; the checkpoint is damaged or of another head size`, { what: "rope_factors" });
  return scaled.map((f, i) => f / factors[i]);
}
