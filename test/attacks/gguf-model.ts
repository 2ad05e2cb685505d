// GGUF files that are sound as files and contradict themselves as models: the file opens, and opening, packing, loading and running the model must
// end as the row says.
import { createRandom } from "../../runtime/num/random.ts";
import { buildGguf, field, type GgufField, type GgufTensorSpec, list, randomTensor } from "../support/gguf.ts";
import type { Attack, Attacks } from "./attack.ts";

const WIDTH = 64;
const HIDDEN = 96;
const TOKENS = ["<unk>", "<s>", "</s>", "a", "b", "ab", "▁", "▁a"];

type Fields = Readonly<Record<string, GgufField>>;

export const LLAMA_FIELDS: Fields = {
  "general.architecture": field("string", "llama"),
  "llama.block_count": field("u32", 2),
  "llama.context_length": field("u32", 128),
  "llama.embedding_length": field("u32", WIDTH),
  "llama.feed_forward_length": field("u32", HIDDEN),
  "llama.attention.head_count": field("u32", 2),
  "llama.attention.head_count_kv": field("u32", 1),
  "llama.attention.layer_norm_rms_epsilon": field("f32", 1e-5),
  "llama.rope.dimension_count": field("u32", WIDTH / 2),
  "llama.vocab_size": field("u32", TOKENS.length),
  "tokenizer.ggml.model": field("string", "llama"),
  "tokenizer.ggml.tokens": list("string", TOKENS),
  "tokenizer.ggml.scores": list(
    "f32",
    TOKENS.map((_, i) => -i),
  ),
  "tokenizer.ggml.token_type": list("i32", [2, 3, 3, 1, 1, 1, 1, 1]),
  "tokenizer.ggml.bos_token_id": field("u32", 1),
  "tokenizer.ggml.eos_token_id": field("u32", 2),
  "tokenizer.ggml.unknown_token_id": field("u32", 0),
};

/** The tensors of a llama of `layers` layers, F32. */
export function llamaTensors(layers: number, vocab = TOKENS.length): GgufTensorSpec[] {
  const random = createRandom(7);
  const t = (name: string, ...shape: number[]) => randomTensor(name, "F32", shape, random);
  const block = (i: number) => [
    t(`blk.${i}.attn_norm.weight`, WIDTH),
    t(`blk.${i}.attn_q.weight`, WIDTH, WIDTH),
    t(`blk.${i}.attn_k.weight`, WIDTH / 2, WIDTH),
    t(`blk.${i}.attn_v.weight`, WIDTH / 2, WIDTH),
    t(`blk.${i}.attn_output.weight`, WIDTH, WIDTH),
    t(`blk.${i}.ffn_norm.weight`, WIDTH),
    t(`blk.${i}.ffn_gate.weight`, HIDDEN, WIDTH),
    t(`blk.${i}.ffn_up.weight`, HIDDEN, WIDTH),
    t(`blk.${i}.ffn_down.weight`, WIDTH, HIDDEN),
  ];
  return [t("token_embd.weight", vocab, WIDTH), ...Array.from({ length: layers }, (_, i) => block(i)).flat(), t("output_norm.weight", WIDTH), t("output.weight", vocab, WIDTH)];
}

const llama = (changes: Fields, expect: Attack["expect"], what?: string, layers = 2): Attack => ({
  make: () => buildGguf({ metadata: { ...LLAMA_FIELDS, ...changes }, tensors: llamaTensors(layers) }),
  expect,
  what,
});
const tokens = (texts: readonly string[]): Fields => ({ "tokenizer.ggml.tokens": list("string", texts) });
const without = (key: string, expect: Attack["expect"]): Attack => ({
  make: () => buildGguf({ metadata: Object.fromEntries(Object.entries(LLAMA_FIELDS).filter(([k]) => k !== key)), tensors: llamaTensors(2) }),
  expect,
  what: key,
});
const bpe = (merges: readonly string[]): Fields => ({
  "tokenizer.ggml.model": field("string", "gpt2"),
  "tokenizer.ggml.pre": field("string", "gpt-2"),
  "tokenizer.ggml.merges": list("string", merges),
});
/** A state-space model, whose state would be allocated by what a key says. */
const mamba = (state: number): Attack => ({
  make: () =>
    buildGguf({
      metadata: {
        ...LLAMA_FIELDS,
        "general.architecture": field("string", "mamba"),
        "mamba.block_count": field("u32", 1),
        "mamba.context_length": field("u32", 128),
        "mamba.embedding_length": field("u32", WIDTH),
        "mamba.ssm.conv_kernel": field("u32", 4),
        "mamba.ssm.inner_size": field("u32", 2 * WIDTH),
        "mamba.ssm.state_size": field("u32", state),
        "mamba.ssm.time_step_rank": field("u32", 4),
      },
      tensors: llamaTensors(1),
    }),
  expect: "model.config",
  what: "mamba.ssm.state_size",
});

const ONE_FEWER: Fields = {
  ...tokens(TOKENS.slice(0, -1)),
  "tokenizer.ggml.scores": list(
    "f32",
    TOKENS.slice(1).map((_, i) => -i),
  ),
  "tokenizer.ggml.token_type": list("i32", [2, 3, 3, 1, 1, 1, 1]),
  "llama.vocab_size": field("u32", TOKENS.length - 1),
};

export const GGUF_MODELS: Attacks = {
  "sound": llama({}, "accept"),
  "24 layers are stated, tensors have 23": llama({ "llama.block_count": field("u32", 24) }, "model.tensor", "blk.23.attn_norm.weight", 23),
  "512 layers are stated, tensors have 2": llama({ "llama.block_count": field("u32", 512) }, "model.tensor", "blk.511.attn_norm.weight"),
  "1 layer is stated, tensors have 2": llama({ "llama.block_count": field("u32", 1) }, "model.config", "llama.block_count"),
  "2^32 - 1 layers": llama({ "llama.block_count": field("u32", 2 ** 32 - 1) }, "model.config", "llama.block_count"),
  "head count 0": llama({ "llama.attention.head_count": field("u32", 0) }, "model.config", "llama.attention.head_count"),
  "head count -1": llama({ "llama.attention.head_count": field("i32", -1) }, "model.config", "llama.attention.head_count"),
  "head count as text": llama({ "llama.attention.head_count": field("string", "2") }, "model.config", "llama.attention.head_count"),
  "key and value heads that do not divide the heads": llama({ "llama.attention.head_count_kv": field("u32", 3) }, "model.config"),
  "epsilon NaN": llama({ "llama.attention.layer_norm_rms_epsilon": field("f32", Number.NaN) }, "model.config", "llama.attention.layer_norm_rms_epsilon"),
  "width of another model": llama({ "llama.embedding_length": field("u32", WIDTH * 2), "llama.rope.dimension_count": field("u32", WIDTH) }, "format.shape"),
  "width that does not fit the rotated part of a head": llama({ "llama.embedding_length": field("u32", WIDTH * 2) }, "model.config", "llama.rope.dimension_count"),
  "architecture unknown": llama({ "general.architecture": field("string", "constructor") }, "model.architecture"),
  "no architecture": without("general.architecture", "model.config"),
  "no layer count": without("llama.block_count", "model.config"),
  "no tokens": without("tokenizer.ggml.tokens", "model.tokenizer"),
  "state size 0": mamba(0),
  "state size 2^31": mamba(2 ** 31),
  "vocabulary size differs from the tokens": llama({ "llama.vocab_size": field("u32", 9) }, "model.config", "llama.vocab_size"),
  "one token fewer than rows of the embedding": llama(ONE_FEWER, "format.shape", "token_embd.weight"),
  "scores shorter": llama({ "tokenizer.ggml.scores": list("f32", [0, -1]) }, "model.config", "tokenizer.ggml.scores"),
  "scores as u8": llama({ "tokenizer.ggml.scores": list("u8", [0, 1, 2, 3, 4, 5, 6, 7]) }, "model.config", "tokenizer.ggml.scores"),
  "scores with NaN": llama({ "tokenizer.ggml.scores": list("f32", Array(8).fill(Number.NaN)) }, "model.config", "tokenizer.ggml.scores"),
  "token_type as f32": llama({ "tokenizer.ggml.token_type": list("f32", Array(8).fill(1)) }, "model.config", "tokenizer.ggml.token_type"),
  "token_type as text": llama({ "tokenizer.ggml.token_type": list("string", Array(8).fill("1")) }, "model.config", "tokenizer.ggml.token_type"),
  "token_type shorter": llama({ "tokenizer.ggml.token_type": list("i32", [1]) }, "model.config", "tokenizer.ggml.token_type"),
  "tokens as numbers": llama({ "tokenizer.ggml.tokens": list("u32", Array(8).fill(1)) }, "model.config", "tokenizer.ggml.tokens"),
  "bos id is the vocabulary size": llama({ "tokenizer.ggml.bos_token_id": field("u32", TOKENS.length) }, "model.config", "tokenizer.ggml.bos_token_id"),
  "bos id 2^32 - 1": llama({ "tokenizer.ggml.bos_token_id": field("u32", 2 ** 32 - 1) }, "model.config", "tokenizer.ggml.bos_token_id"),
  "merges naming unknown tokens": llama(bpe(["a b", "x y"]), "model.tokenizer"),
  "a merge of one token": llama(bpe(["ab"]), "model.tokenizer"),
  "a merge of three": llama(bpe(["a b a"]), "model.tokenizer"),
  "a merge twice": llama(bpe(["a b", "a b"]), "accept"),
  "duplicate tokens": llama(tokens(["<unk>", "<s>", "</s>", "a", "a", "ab", "▁", "▁a"]), "accept"),
  "tokenizer model unknown": llama({ "tokenizer.ggml.model": field("string", "__proto__") }, "model.tokenizer"),
};
