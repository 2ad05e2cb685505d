// A GGUF file of Arcee's architecture (no gate, ReLU²) with seeded random Q4_0 weights and a made-up byte vocabulary, for speed alone.
// AFM-4.5B's proportions: a quarter of its widths and heads, half its layers, an eighth of its vocabulary, so that each matrix has its share of the bytes.
import { buildGguf, f32Tensor, field, type GgufTensorSpec } from "../support/gguf.ts";
import { keptFile, randomQ4, vocabulary } from "./synthetic.ts";

export const ARCEE = { layers: 18, width: 640, heads: 5, kvHeads: 1, hidden: 4608, vocab: 16000, context: 4096, ropeBase: 10000, seed: 1, writer: 1 } as const;

function tensorsOf(): GgufTensorSpec[] {
  const { layers, width, heads, kvHeads, hidden, vocab, seed } = ARCEE;
  const kv = (width / heads) * kvHeads;
  const norm = (name: string) => f32Tensor(name, [width], new Float32Array(width).fill(1));
  const matrices = {
    attn_q: [width, width],
    attn_k: [kv, width],
    attn_v: [kv, width],
    attn_output: [width, width],
    ffn_up: [hidden, width],
    ffn_down: [width, hidden],
  } as const;
  let made = seed << 16;
  const tensors = [randomQ4("token_embd.weight", [vocab, width], made++), randomQ4("output.weight", [vocab, width], made++), norm("output_norm.weight")];
  for (let layer = 0; layer < layers; layer++) {
    for (const part of ["attn_norm", "ffn_norm"]) tensors.push(norm(`blk.${layer}.${part}.weight`));
    for (const [part, shape] of Object.entries(matrices)) tensors.push(randomQ4(`blk.${layer}.${part}.weight`, shape, made++));
  }
  return tensors;
}

function arceeGguf(): Uint8Array {
  const { layers, width, heads, kvHeads, hidden, context, ropeBase, vocab } = ARCEE;
  const counts = {
    block_count: layers,
    context_length: context,
    embedding_length: width,
    feed_forward_length: hidden,
    "attention.head_count": heads,
    "attention.head_count_kv": kvHeads,
    "rope.dimension_count": width / heads,
    vocab_size: vocab,
  };
  return buildGguf({
    metadata: {
      "general.architecture": field("string", "arcee"),
      "general.name": field("string", "synthetic, of Arcee's proportions"),
      "general.file_type": field("u32", 2),
      ...Object.fromEntries(Object.entries(counts).map(([key, value]) => [`arcee.${key}`, field("u32", value)])),
      "arcee.attention.layer_norm_rms_epsilon": field("f32", 1e-5),
      "arcee.rope.freq_base": field("f32", ropeBase),
      ...vocabulary(vocab),
    },
    tensors: tensorsOf(),
  });
}

/** Path of the file in the cache; written if it is not there. */
export const arceeFile = (): Promise<string> => keptFile("arcee", ARCEE, arceeGguf);
