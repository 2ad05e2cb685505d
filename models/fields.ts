// Checked access to the fields of a config.json that came from a stranger.
import { SkintError } from "../runtime/errors.ts";
import type { Config } from "./architecture.ts";

export function bad(field: string, value: unknown, wanted: string): never {
  throw new SkintError("model.config", `config.json: ${field} is ${JSON.stringify(value)}, ${wanted} was expected; check that the file belongs to this model`, { what: field });
}

/** Whole number in [min, max]; `fallback` if the field is absent or null. */
export function whole(config: Config, field: string, max: number, fallback?: number, min = 1): number {
  const v = config[field] ?? fallback;
  if (typeof v !== "number" || !Number.isInteger(v) || v < min || v > max) bad(field, v, `a whole number from ${min} to ${max}`);
  return v;
}

/** Finite number above `above`. */
export function real(config: Config, field: string, fallback?: number, above = 0): number {
  const v = config[field] ?? fallback;
  if (typeof v !== "number" || !Number.isFinite(v) || v <= above) bad(field, v, `a number above ${above}`);
  return v;
}

export function flag(config: Config, field: string, fallback: boolean): boolean {
  const v = config[field] ?? fallback;
  if (typeof v !== "boolean") bad(field, v, "true or false");
  return v;
}

/** One of the keys of `options`, mapped. */
export function choice<T>(config: Config, field: string, options: Readonly<Record<string, T>>, fallback?: string): T {
  const v = config[field] ?? fallback;
  if (typeof v !== "string" || !Object.hasOwn(options, v)) bad(field, v, `one of ${Object.keys(options).join(", ")}`);
  return options[v];
}

/** A nested object, or undefined if absent or null. */
export function section(config: Config, field: string): Config | undefined {
  const v = config[field];
  if (v === undefined || v === null) return undefined;
  if (typeof v !== "object" || Array.isArray(v)) bad(field, v, "an object");
  return v as Config;
}

/** The sizes that Llama-like configs name alike. */
export function shape(config: Config): { vocab: number; width: number; heads: number; kvheads: number; dh: number; hidden: number; context: number } {
  const width = whole(config, "hidden_size", 1 << 16);
  const heads = whole(config, "num_attention_heads", 1024);
  const kvheads = whole(config, "num_key_value_heads", 1024, heads);
  const dh = whole(config, "head_dim", 1024, width / heads);
  if (heads % kvheads) bad("num_key_value_heads", kvheads, `a divisor of the ${heads} attention heads`);
  if (dh % 2) bad("head_dim", dh, "an even number, as rotary embeddings turn pairs");
  const hidden = whole(config, "intermediate_size", 1 << 18);
  return { vocab: whole(config, "vocab_size", 1 << 20), width, heads, kvheads, dh, hidden, context: whole(config, "max_position_embeddings", 1 << 24, 2048) };
}

/** A list of `n` keys of `options`, mapped; undefined if absent or null. */
export function choices<T>(config: Config, field: string, options: Readonly<Record<string, T>>, n: number): T[] | undefined {
  const v = config[field];
  if (v === undefined || v === null) return undefined;
  if (!Array.isArray(v) || v.length !== n || !v.every((k) => typeof k === "string" && Object.hasOwn(options, k)))
    bad(field, v, `a list of ${n} of ${Object.keys(options).join(", ")}`);
  return v.map((k: string) => options[k]);
}

/** A switch that no graph is built for in its other position. */
export function only(config: Config, field: string, value: boolean): void {
  if (flag(config, field, value) !== value) bad(field, !value, `${value} (nothing else is supported)`);
}
