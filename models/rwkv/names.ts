// Names of RWKV-5's weights in checkpoints of transformers and of the author, which differ in most words.
import { exp } from "../../runtime/num/det.ts";
import type { Location } from "../architecture.ts";
import { layerWeight } from "../names.ts";

/** Part of a layer → its name in transformers and in the author's files. */
const PARTS: Readonly<Record<string, readonly [string, string]>> = {
  "mixer.norm": ["ln1", "ln1"],
  "ffn.norm": ["ln2", "ln2"],
  "mixer.receptance": ["attention.receptance", "att.receptance"],
  "mixer.key": ["attention.key", "att.key"],
  "mixer.value": ["attention.value", "att.value"],
  "mixer.gate": ["attention.gate", "att.gate"],
  "mixer.out": ["attention.output", "att.output"],
  "mixer.heads": ["attention.ln_x", "att.ln_x"],
  "ffn.key": ["feed_forward.key", "ffn.key"],
  "ffn.receptance": ["feed_forward.receptance", "ffn.receptance"],
  "ffn.value": ["feed_forward.value", "ffn.value"],
};

/** How much of a token goes into a product; the rest is the one before it. */
const SHIFTS: Readonly<Record<string, readonly [string, string]>> = {
  "mixer.receptance.shift": ["attention.time_mix_receptance", "att.time_mix_r"],
  "mixer.key.shift": ["attention.time_mix_key", "att.time_mix_k"],
  "mixer.value.shift": ["attention.time_mix_value", "att.time_mix_v"],
  "mixer.gate.shift": ["attention.time_mix_gate", "att.time_mix_g"],
  "ffn.key.shift": ["feed_forward.time_mix_key", "ffn.time_mix_k"],
  "ffn.receptance.shift": ["feed_forward.time_mix_receptance", "ffn.time_mix_r"],
};

const VECTORS: Readonly<Record<string, { readonly names: readonly [string, string]; readonly map?: Location["map"] }>> = {
  // Stored is the logarithm of a rate.
  "mixer.decay": { names: ["attention.time_decay", "att.time_decay"], map: (v) => exp(-exp(v)) },
  "mixer.bonus": { names: ["attention.time_faaaa", "att.time_faaaa"] },
};

const TOP: Readonly<Record<string, readonly [string, string]>> = {
  "embed.weight": ["rwkv.embeddings.weight", "emb.weight"],
  "embed.norm.weight": ["rwkv.blocks.0.pre_ln.weight", "blocks.0.ln0.weight"],
  "embed.norm.bias": ["rwkv.blocks.0.pre_ln.bias", "blocks.0.ln0.bias"],
  "norm.weight": ["rwkv.ln_out.weight", "ln_out.weight"],
  "norm.bias": ["rwkv.ln_out.bias", "ln_out.bias"],
  "head.weight": ["head.weight", "head.weight"],
};

export function locate(weight: string): Location[] {
  const w = layerWeight(weight);
  if (!w) return TOP[weight].map((name) => ({ name }));
  const of = (names: readonly string[], kind: string, more: Omit<Location, "name"> = {}): Location[] => {
    const [theirs, original] = names;
    return [`rwkv.blocks.${w.layer}.${theirs}${kind}`, `blocks.${w.layer}.${original}${kind}`].map((name) => ({ name, ...more }));
  };
  if (SHIFTS[w.part]) return of(SHIFTS[w.part], "", { spread: (share) => [1 - share, share] });
  const vector = VECTORS[w.part];
  return vector ? of(vector.names, "", { flat: true, map: vector.map }) : of(PARTS[w.part], `.${w.kind}`);
}
