// What a config.json can say wrongly: every architecture ends in `model.config` naming the field, and builds nothing.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Config } from "../../models/architecture.ts";
import type { Graph } from "../../runtime/graph/types.ts";
import { architectureOf } from "../../tools/compress/checkpoint.ts";

const { bases } = JSON.parse(readFileSync("test/models/cases.json", "utf8")) as { bases: Record<string, Config> };

const build = (config: Config): Graph => architectureOf(config).build(config, { cache: "f32" });

/** Base, change to its config, field the error names. */
type Row = readonly [base: string, change: Config, what: string];

const row = (base: string, field: string, value: unknown): Row => [base, { [field]: value }, field];
const rows = (fields: Readonly<Record<string, readonly unknown[]>>) => (base: string) =>
  Object.entries(fields).flatMap(([field, values]) => values.map((value) => row(base, field, value)));

const NO_COUNT = [0, -4, 2.5, "4", true, [4], { 4: 4 }, 1e300];
const NO_SIZE = [undefined, null, ...NO_COUNT];
const NO_POSITIVE = [0, -1e-6, "1e-6", false, [1e-6]];
const NO_FLAG = ["true", 1, 0, []];
const NO_NAME = ["mish", "", "constructor", 3, ["silu"]];

const LLAMA_LIKE = Object.keys(bases).filter((base) => base !== "gpt2" && base !== "mamba");
const WINDOWED = ["mistral", "gemma2", "gemma3_text"];

const shared = rows({
  vocab_size: [...NO_SIZE, 2 ** 20 + 1],
  hidden_size: [...NO_SIZE, 2 ** 16 + 1],
  intermediate_size: [...NO_SIZE, 2 ** 18 + 1],
  num_hidden_layers: [...NO_SIZE, 513],
  num_attention_heads: [...NO_SIZE, 1025],
  num_key_value_heads: [...NO_COUNT, 3, 8],
  head_dim: [...NO_COUNT, 15, 1026],
  max_position_embeddings: [...NO_COUNT, 2 ** 24 + 1],
  rms_norm_eps: NO_POSITIVE,
  rope_theta: [...NO_POSITIVE, 1],
  rope_scaling: ["linear", 8, [], true, { type: "yarn", factor: 4 }, { rope_type: "dynamic", factor: 4 }, { type: 7 }, { rope_type: "toString" }],
  tie_word_embeddings: NO_FLAG,
  attention_bias: NO_FLAG,
  layer_types: ["full_attention", [], ["full_attention"], Array(7).fill("chunked_attention"), Array(7).fill(0), Array(8).fill("full_attention")],
});

/** Fields within `rope_scaling`. */
function scalings(base: string): Row[] {
  const llama3 = { rope_type: "llama3", factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 64 };
  const within = (scaling: Config, what: string): Row => [base, { rope_scaling: scaling }, what];
  return [
    ...[undefined, ...NO_POSITIVE, 1e-320].map((factor) => within({ type: "linear", factor }, "factor")),
    ...[undefined, ...NO_POSITIVE].flatMap((v) => ["factor", "low_freq_factor", "high_freq_factor"].map((field) => within({ ...llama3, [field]: v }, field))),
    ...[1, 0.5].map((high) => within({ ...llama3, high_freq_factor: high }, "high_freq_factor")),
    ...NO_SIZE.map((original) => within({ ...llama3, original_max_position_embeddings: original }, "original_max_position_embeddings")),
    within({ rope_type: "default", rope_theta: "10000" }, "rope_theta"),
  ];
}

const activation = (field: string) => rows({ [field]: NO_NAME });

const WRONG: readonly Row[] = [
  ...LLAMA_LIKE.flatMap(shared),
  ...LLAMA_LIKE.flatMap(scalings),
  ...["llama", "mistral", "qwen2", "qwen3"].flatMap(activation("hidden_act")),
  ...["gemma", "gemma2", "gemma3_text"].flatMap(activation("hidden_activation")).filter(([base, change]) => base !== "gemma" || change.hidden_activation),
  ...NO_NAME.map((name): Row => ["gemma", { hidden_activation: null, hidden_act: name }, "hidden_act"]),
  ...rows({ mlp_bias: NO_FLAG })("llama"),
  ...WINDOWED.flatMap(rows({ sliding_window: NO_COUNT })),
  ...["qwen2", "qwen3"].flatMap(rows({ use_sliding_window: NO_FLAG, max_window_layers: [-1, 1.5, "2", 513] })),
  ...NO_COUNT.map((window): Row => ["qwen2", { use_sliding_window: true, max_window_layers: 0, sliding_window: window }, "sliding_window"]),
  ...["gemma2", "gemma3_text"].flatMap(rows({ query_pre_attn_scalar: NO_POSITIVE, final_logit_softcapping: NO_POSITIVE })),
  ...rows({ attn_logit_softcapping: NO_POSITIVE })("gemma2"),
  ...["gemma", "gemma2", "gemma3_text"].flatMap(rows({ use_bidirectional_attention: [true, "false"] })),
  ...rows({ sliding_window_pattern: NO_COUNT, rope_local_base_freq: [...NO_POSITIVE, 1], rope_parameters: ["linear", []] })("gemma3_text"),
  ["gemma3_text", { rope_parameters: { rope_type: "linear", factor: 8 } }, "rope_parameters.full_attention"],
  ["gemma3_text", { rope_parameters: { full_attention: {} } }, "rope_parameters.sliding_attention"],
  ["gemma3_text", { rope_parameters: { full_attention: {}, sliding_attention: { rope_type: "yarn" } } }, "rope_scaling"],
  ...rows({
    vocab_size: [...NO_SIZE, 2 ** 20 + 1],
    n_embd: [...NO_SIZE, 2 ** 16 + 1],
    n_layer: [...NO_SIZE, 513],
    n_head: [...NO_SIZE, 3, 80],
    n_inner: [...NO_COUNT, 2 ** 18 + 1],
    n_positions: [...NO_COUNT, 2 ** 24 + 1],
    layer_norm_epsilon: NO_POSITIVE,
    activation_function: NO_NAME,
    tie_word_embeddings: NO_FLAG,
    scale_attn_weights: NO_FLAG,
    scale_attn_by_inverse_layer_idx: [true, "false"],
    add_cross_attention: [true, 0],
  })("gpt2"),
  ["gpt2", { n_embd: 4096, n_head: 2 }, "n_head"],
  ...rows({
    vocab_size: [...NO_SIZE, 2 ** 20 + 1],
    hidden_size: [...NO_SIZE, 2 ** 16 + 1],
    num_hidden_layers: [...NO_SIZE, 513],
    intermediate_size: [...NO_COUNT, 2 ** 18 + 1],
    expand: [...NO_POSITIVE, 1e-3, 1e300],
    state_size: [...NO_COUNT, 1025],
    conv_kernel: [...NO_COUNT, 9],
    time_step_rank: [0, -1, 2.5, "4", "most", true, 2 ** 16 + 1],
    layer_norm_epsilon: NO_POSITIVE,
    hidden_act: [...NO_NAME, "gelu"],
    use_bias: NO_FLAG,
    use_conv_bias: NO_FLAG,
    tie_word_embeddings: NO_FLAG,
  })("mamba"),
];

/** As the authors' package writes it. */
const ORIGINAL: Config = { d_model: 40, n_layer: 2, vocab_size: 100, pad_vocab_size_multiple: 8, ssm_cfg: { d_state: 8, d_conv: 3, expand: 3, dt_rank: 5 }, rms_norm: true };

const WRONG_ORIGINAL: readonly Row[] = [
  ...rows({
    vocab_size: [...NO_SIZE, 2 ** 20 + 1],
    d_model: [...NO_SIZE, 2 ** 16 + 1],
    n_layer: [...NO_SIZE, 513],
    pad_vocab_size_multiple: NO_COUNT,
    ssm_cfg: [true, [], "Mamba1"],
    rms_norm: [false, 1],
    attn_layer_idx: [[1], 3],
    d_intermediate: [64, -1],
    norm_epsilon: NO_POSITIVE,
    tie_embeddings: NO_FLAG,
  })("original"),
  ...Object.entries({
    layer: ["Mamba3", 1],
    d_state: [...NO_COUNT, 1025],
    d_conv: [9, ...NO_COUNT],
    expand: NO_POSITIVE,
    dt_rank: [0, "4"],
    bias: NO_FLAG,
    conv_bias: NO_FLAG,
  }).flatMap(([field, values]) => values.map((value): Row => ["original", { ssm_cfg: { [field]: value } }, field])),
];

test.each(WRONG_ORIGINAL.map(([, change, what]) => [JSON.stringify(change, (_, v) => (v === undefined ? "absent" : v)), change, what] as const))(
  "a config of Mamba's authors with %s",
  (_, change, what) => {
    const wrong = expect.objectContaining({ code: "model.config", place: { what }, message: expect.stringContaining(what) });
    expect(() => build({ ...ORIGINAL, ...change })).toThrow(wrong);
  },
);

test("a config of Mamba's authors means what one of transformers says", () => {
  const same = { model_type: "mamba", hidden_size: 40, num_hidden_layers: 2, vocab_size: 104, state_size: 8, conv_kernel: 3, expand: 3, time_step_rank: 5 };
  expect(build(ORIGINAL)).toEqual(build(same));
  expect(build({ ...ORIGINAL, ssm_cfg: {} })).toEqual(build({ ...same, state_size: 16, conv_kernel: 4, expand: 2, time_step_rank: 3 }));
});

test("a config without a model_type that nobody claims is refused by name", () => {
  for (const config of [{}, { d_model: 40 }, { hidden_size: 40 }]) expect(() => build(config)).toThrow(expect.objectContaining({ code: "model.architecture" }));
});

test.each(WRONG.map(([base, change, what]) => [base, JSON.stringify(change, (_, v) => (v === undefined ? "absent" : v)), change, what] as const))(
  "%s with %s",
  (base, _, change, what) => {
    const wrong = expect.objectContaining({ code: "model.config", place: { what }, message: expect.stringContaining(what) });
    expect(() => build({ ...bases[base], ...change })).toThrow(wrong);
  },
);

/** What a config leaves out or says in another way, and means the same. */
const SAME: readonly (readonly [base: string, change: Config])[] = [
  ["llama", { num_key_value_heads: 2, head_dim: 10, hidden_act: "swish" }],
  ["llama", { rope_scaling: { rope_type: "default" }, rope_theta: 10000 }],
  ["llama", { rope_theta: null, rope_scaling: null, rope_parameters: { rope_theta: 10000, rope_type: "default" } }],
  ["llama", { sliding_window: 4 }],
  ["llama", { layer_types: ["full_attention", "full_attention"] }],
  ["mistral", { attention_bias: null, hidden_act: null }],
  ["qwen2", { attention_bias: null, tie_word_embeddings: null, layer_types: null }],
  ["qwen2", { use_sliding_window: true, sliding_window: null }],
  ["qwen2", { use_sliding_window: true, max_window_layers: 3 }],
  ["gemma", { hidden_activation: null, hidden_act: "gelu" }],
  ["gemma", { hidden_activation: null, hidden_act: null, tie_word_embeddings: true, rms_norm_eps: null, use_bidirectional_attention: null }],
  ["gemma2", { layer_types: ["sliding_attention", "full_attention", "sliding_attention"] }],
  ["gemma3_text", { sliding_window_pattern: null, rope_theta: null, final_logit_softcapping: null, attn_logit_softcapping: null }],
  ["mamba", { expand: null, state_size: null, conv_kernel: null, time_step_rank: 3, intermediate_size: 80, hidden_act: "swish", layer_norm_epsilon: null, use_bias: null }],
  ["gpt2", { n_inner: 160, tie_word_embeddings: true, scale_attn_weights: true, scale_attn_by_inverse_layer_idx: false, activation_function: "gelu_pytorch_tanh" }],
];

test.each(SAME.map(([base, change]) => [base, JSON.stringify(change), change] as const))("%s means the same with %s", (base, _, change) => {
  expect(build({ ...bases[base], ...change })).toEqual(build(bases[base]));
});
