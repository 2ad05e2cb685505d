// Writes a checkpoint with Hugging Face's names as llama.cpp's converter would: names, keys, rows and norms changed as its tensor_mapping.py and
// convert_hf_to_gguf.py do, written down here a second time so that models/gguf.ts is checked.
import { f32Tensor, field, type GgufField, type GgufSpec, type GgufTensorSpec } from "./gguf.ts";
import { type VocabSpec, vocabFields } from "./gguf-vocab.ts";
import type { Weight } from "./tiny.ts";
import { byteLevelDescription } from "./tokenizers.ts";

type Config = Readonly<Record<string, unknown>>;

const LLAMA: Readonly<Record<string, string>> = {
  input_layernorm: "attn_norm",
  "self_attn.q_proj": "attn_q",
  "self_attn.k_proj": "attn_k",
  "self_attn.v_proj": "attn_v",
  "self_attn.o_proj": "attn_output",
  "self_attn.q_norm": "attn_q_norm",
  "self_attn.k_norm": "attn_k_norm",
  post_attention_layernorm: "ffn_norm",
  "mlp.gate_proj": "ffn_gate",
  "mlp.up_proj": "ffn_up",
  "mlp.down_proj": "ffn_down",
};
const GEMMA2: Readonly<Record<string, string>> = {
  ...LLAMA,
  post_attention_layernorm: "post_attention_norm",
  pre_feedforward_layernorm: "ffn_norm",
  post_feedforward_layernorm: "post_ffw_norm",
};
const GPT2: Readonly<Record<string, string>> = {
  ln_1: "attn_norm",
  "attn.c_attn": "attn_qkv",
  "attn.c_proj": "attn_output",
  ln_2: "ffn_norm",
  "mlp.c_fc": "ffn_up",
  "mlp.c_proj": "ffn_down",
};
const MAMBA: Readonly<Record<string, string>> = {
  norm: "attn_norm",
  "mixer.in_proj": "ssm_in",
  "mixer.conv1d": "ssm_conv1d",
  "mixer.x_proj": "ssm_x",
  "mixer.dt_proj": "ssm_dt",
  "mixer.A_log": "ssm_a",
  "mixer.D": "ssm_d",
  "mixer.out_proj": "ssm_out",
};
const MAMBA2: Readonly<Record<string, string>> = { ...MAMBA, "mixer.dt_bias": "ssm_dt.bias", "mixer.norm": "ssm_norm" };
const TOP: Readonly<Record<string, string>> = {
  "model.embed_tokens": "token_embd",
  "model.norm": "output_norm",
  lm_head: "output",
  "transformer.wte": "token_embd",
  "transformer.wpe": "position_embd",
  "transformer.ln_f": "output_norm",
  "backbone.embeddings": "token_embd",
  "backbone.norm_f": "output_norm",
};

function nameOf(type: string, name: string): string {
  const [, stem, kind] = /^(.*?)(\.weight|\.bias|)$/.exec(name) as RegExpExecArray;
  const layer = /^(?:model\.layers|transformer\.h|backbone\.layers)\.(\d+)\.(.*)$/.exec(stem);
  const parts = type === "mamba2" ? MAMBA2 : type === "mamba" ? MAMBA : type === "gpt2" ? GPT2 : /gemma[23]/.test(type) ? GEMMA2 : LLAMA;
  return `${layer ? `blk.${layer[1]}.${parts[layer[2]]}` : TOP[stem]}${kind}`;
}

/** Rows of each head [2, dh / 2] as [dh / 2, 2]. */
export function interleaved({ shape, values }: Weight, heads: number): Weight {
  const k = shape[1] ?? 1;
  const half = shape[0] / heads / 2;
  const out = new Float32Array(values.length);
  for (let row = 0; row < shape[0]; row++) {
    const [head, at] = [Math.floor(row / (2 * half)), row % (2 * half)];
    out.set(values.subarray(row * k, (row + 1) * k), (head * 2 * half + 2 * (at % half) + Math.floor(at / half)) * k);
  }
  return { shape, values: out };
}

function turned({ shape: [k, n], values }: Weight): Weight {
  return { shape: [n, k], values: values.map((_, i) => values[(i % k) * n + Math.floor(i / k)]) };
}

function converted(config: Config, name: string, w: Weight): Weight {
  const type = String(config.model_type);
  if (/^(llama|arcee)$/.test(type) && /q_proj|k_proj/.test(name)) return interleaved(w, Number(name.includes("q_proj") ? config.num_attention_heads : config.num_key_value_heads));
  if (type.startsWith("gemma") && name.endsWith("norm.weight")) return { shape: w.shape, values: w.values.map((v) => v + 1) };
  const shape = type === "mamba2" && /A_log$|\.D$/.test(name) ? [w.shape[0], 1] : name.endsWith("mixer.norm.weight") ? [1, w.shape[0]] : w.shape;
  if (name.endsWith("A_log")) return { shape, values: w.values.map((v) => -Math.exp(v)) };
  if (name.endsWith("conv1d.weight")) return { shape: [w.shape[0], w.shape[2]], values: w.values };
  if (type === "gpt2" && /c_attn|c_proj|c_fc/.test(name) && w.shape.length === 2) return turned(w);
  return { shape, values: w.values };
}

/** Llama 3's scaling as the converter stores it: what each inverse frequency is divided by. */
function ropeFactors(config: Config, dh: number): number[] {
  const { factor, low_freq_factor, high_freq_factor, original_max_position_embeddings } = config.rope_scaling as Record<string, number>;
  return Array.from({ length: dh / 2 }, (_, i) => {
    const wave = 2 * Math.PI * Number(config.rope_theta) ** ((2 * i) / dh);
    if (wave < original_max_position_embeddings / high_freq_factor) return 1;
    if (wave > original_max_position_embeddings / low_freq_factor) return factor;
    const smooth = (original_max_position_embeddings / wave - low_freq_factor) / (high_freq_factor - low_freq_factor);
    return 1 / ((1 - smooth) / factor + smooth);
  });
}

const KEYS: readonly (readonly [field: string, key: string, type: "u32" | "f32"])[] = [
  ["hidden_size", "embedding_length", "u32"],
  ["n_embd", "embedding_length", "u32"],
  ["num_hidden_layers", "block_count", "u32"],
  ["n_layer", "block_count", "u32"],
  ["num_attention_heads", "attention.head_count", "u32"],
  ["n_head", "attention.head_count", "u32"],
  ["num_key_value_heads", "attention.head_count_kv", "u32"],
  ["head_dim", "attention.key_length", "u32"],
  ["head_dim", "attention.value_length", "u32"],
  ["intermediate_size", "feed_forward_length", "u32"],
  ["max_position_embeddings", "context_length", "u32"],
  ["n_positions", "context_length", "u32"],
  ["rms_norm_eps", "attention.layer_norm_rms_epsilon", "f32"],
  ["layer_norm_epsilon", "attention.layer_norm_epsilon", "f32"],
  ["rope_theta", "rope.freq_base", "f32"],
  ["rope_local_base_freq", "rope.freq_base_swa", "f32"],
  ["attn_logit_softcapping", "attn_logit_softcapping", "f32"],
  ["final_logit_softcapping", "final_logit_softcapping", "f32"],
];

function mambaFields(config: Config): Record<string, GgufField> {
  const width = Number(config.hidden_size);
  const whole = (value: unknown) => field("u32", Number(value));
  return {
    "mamba.context_length": whole(2 ** 20),
    "mamba.feed_forward_length": whole(0),
    "mamba.attention.head_count": whole(0),
    "mamba.attention.layer_norm_rms_epsilon": field("f32", Number(config.layer_norm_epsilon)),
    "mamba.ssm.conv_kernel": whole(config.conv_kernel),
    "mamba.ssm.inner_size": whole(Number(config.expand) * width),
    "mamba.ssm.state_size": whole(config.state_size),
    "mamba.ssm.time_step_rank": whole(config.time_step_rank === "auto" ? Math.ceil(width / 16) : config.time_step_rank),
    "mamba.ssm.dt_b_c_rms": field("bool", false),
  };
}

function mamba2Fields(config: Config): Record<string, GgufField> {
  const own: Record<string, unknown> = { "ssm.time_step_rank": config.num_heads, "ssm.group_count": config.n_groups };
  const shared = Object.entries(mambaFields(config)).map(([key, value]) => [key.replace("mamba.", "mamba2."), value]);
  return { ...Object.fromEntries(shared), ...Object.fromEntries(Object.entries(own).map(([key, value]) => [`mamba2.${key}`, field("u32", Number(value))])) };
}

function fieldsOf(config: Config, arch: string): Record<string, GgufField> {
  const fields: Record<string, GgufField> = { "general.architecture": field("string", arch), "general.name": field("string", "hashed"), "general.license": field("string", "mit") };
  for (const [from, key, type] of KEYS) if (typeof config[from] === "number") fields[`${arch}.${key}`] = field(type, config[from]);
  if (arch === "gpt2") fields["gpt2.feed_forward_length"] = field("u32", Number(config.n_inner ?? 4 * Number(config.n_embd)));
  if (arch === "gemma2" || arch === "gemma3") fields[`${arch}.attention.sliding_window`] = field("u32", Number(config.sliding_window));
  if (arch === "mamba2") Object.assign(fields, mamba2Fields(config));
  if (arch === "mamba") Object.assign(fields, mambaFields(config));
  const scaling = config.rope_scaling as Record<string, unknown> | null | undefined;
  if ((scaling?.rope_type ?? scaling?.type) === "linear") {
    fields[`${arch}.rope.scaling.type`] = field("string", "linear");
    fields[`${arch}.rope.scaling.factor`] = field("f32", Number(scaling?.factor));
  }
  return fields;
}

/** The byte-level vocabulary of support/tokenizers.ts, filled up to `rows` tokens as the converter does, or cut. */
export function byteLevelVocab(rows: number): VocabSpec {
  const { model, added_tokens } = byteLevelDescription();
  // By id: keys like "7" come first in an object.
  const known = Object.entries(model.vocab as Record<string, number>)
    .sort(([, a], [, b]) => a - b)
    .map(([token]) => token);
  const tokens = Array.from({ length: rows }, (_, id) => known[id] ?? `[PAD${id}]`);
  const merges = (model.merges as string[]).filter((merge) => tokens.includes(merge.replace(" ", "")));
  const types = tokens.map((_, id) => (id < added_tokens.length ? 3 : id < known.length ? 1 : 5));
  return { model: "gpt2", pre: "gpt-2", tokens, types, merges, more: { bos_token_id: field("u32", 0), eos_token_id: field("u32", 1) } };
}

/** A model in F32. */
export function ggufOf(config: Config, weights: ReadonlyMap<string, Weight>): { metadata: Record<string, GgufField>; tensors: GgufTensorSpec[] } & GgufSpec {
  const type = String(config.model_type);
  const arch = type === "gemma3_text" ? "gemma3" : type;
  const tensors = [...weights].map(([name, weight]) => {
    const { shape, values } = converted(config, name, weight);
    return f32Tensor(nameOf(type, name), shape, values);
  });
  const dh = Number(config.head_dim ?? Number(config.hidden_size) / Number(config.num_attention_heads));
  if ((config.rope_scaling as Config | undefined)?.rope_type === "llama3") tensors.push(f32Tensor("rope_freqs.weight", [dh / 2], ropeFactors(config, dh)));
  const rows = tensors.find(({ name }) => name === "token_embd.weight")?.shape[0] as number;
  return { metadata: { ...fieldsOf(config, arch), ...vocabFields(byteLevelVocab(rows)) }, tensors };
}

/** The parts of a split model, as gguf-split writes them, by file name: the first one has all the keys. */
export function splitGguf({ metadata, tensors }: ReturnType<typeof ggufOf>, stem: string, count: number): Map<string, GgufSpec> {
  const digits = (n: number) => String(n).padStart(5, "0");
  const each = Math.ceil(tensors.length / count);
  const parts = Array.from({ length: count }, (_, no): [string, GgufSpec] => {
    const split = { "split.no": field("u16", no), "split.count": field("u16", count), "split.tensors.count": field("i32", tensors.length) };
    return [`${stem}-${digits(no + 1)}-of-${digits(count)}.gguf`, { metadata: no ? split : { ...metadata, ...split }, tensors: tensors.slice(no * each, (no + 1) * each) }];
  });
  return new Map(parts);
}
