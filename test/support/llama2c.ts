// Checkpoints of llama2.c (its first format) and their tokenizers, read as the GGUF file they amount to, which Skint opens like any other.
//
// A checkpoint is seven int32 (width, hidden, layers, heads, key/value heads, vocabulary, positions; a negative vocabulary says that the head is not the
// embedding), then f32 tensors without a gap, those of one name for all layers together; last two tables of rotations that nobody needs, and the head if
// it is one of its own. Rotary pairs are neighbours, as in GGUF; base 10000; epsilon of the norms 1e-5.
// A tokenizer is an int32 (length of the longest piece), then for each token its score f32, its length int32 and its bytes.
import { f32Tensor, field, type GgufSpec, type GgufTensorSpec } from "./gguf.ts";
import { type VocabSpec, vocabFields } from "./gguf-vocab.ts";

export interface Llama2cShape {
  readonly width: number;
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvheads: number;
  readonly vocab: number;
  readonly context: number;
  readonly tied: boolean;
}

const HEADER = 7;

export function readShape(bytes: Uint8Array): Llama2cShape {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [width, hidden, layers, heads, kvheads, vocab, context] = Array.from({ length: HEADER }, (_, i) => view.getInt32(4 * i, true));
  return { width, hidden, layers, heads, kvheads, vocab: Math.abs(vocab), context, tied: vocab > 0 };
}

/** Tensors in file order, by GGUF's names; `*` stands for the layer; undefined is skipped. */
function parts({ width, hidden, heads, kvheads, vocab, context, tied }: Llama2cShape): (readonly [name: string | undefined, shape: readonly number[]])[] {
  const dh = width / heads;
  const kv = dh * kvheads;
  return [
    ["token_embd", [vocab, width]],
    ["blk.*.attn_norm", [width]],
    ["blk.*.attn_q", [width, width]],
    ["blk.*.attn_k", [kv, width]],
    ["blk.*.attn_v", [kv, width]],
    ["blk.*.attn_output", [width, width]],
    ["blk.*.ffn_norm", [width]],
    ["blk.*.ffn_gate", [hidden, width]],
    ["blk.*.ffn_down", [width, hidden]],
    ["blk.*.ffn_up", [hidden, width]],
    ["output_norm", [width]],
    [undefined, [2, context, dh / 2]],
    ...(tied ? [] : [["output", [vocab, width]] as const]),
  ];
}

/** The tensors of a checkpoint as GGUF keeps them. Throws where the file is not as long as its header says. */
export function readTensors(bytes: Uint8Array): GgufTensorSpec[] {
  const shape = readShape(bytes);
  const values = new Float32Array(bytes.slice(4 * HEADER).buffer);
  const tensors: GgufTensorSpec[] = [];
  let at = 0;
  for (const [name, dims] of parts(shape)) {
    const count = dims.reduce((p, d) => p * d, 1);
    for (let layer = 0; layer < (name?.includes("*") ? shape.layers : 1); layer++) {
      if (name) tensors.push(f32Tensor(`${name.replace("*", String(layer))}.weight`, dims, values.subarray(at, at + count)));
      at += count;
    }
  }
  if (at !== values.length) throw new Error(`a llama2.c checkpoint of this shape has ${at} numbers, the file has ${values.length}`);
  return tensors;
}

/** The vocabulary of a tokenizer file: SentencePiece's, with blanks for ▁. */
export function readVocab(bytes: Uint8Array): VocabSpec {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [tokens, scores, types]: [string[], number[], number[]] = [[], [], []];
  for (let at = 4; at < bytes.length; ) {
    const id = tokens.length;
    const length = view.getInt32(at + 4, true);
    const text = new TextDecoder().decode(bytes.subarray(at + 8, at + 8 + length));
    scores.push(view.getFloat32(at, true));
    // The file writes them with line ends around; ids are the same in all SentencePiece models.
    tokens.push(["<unk>", "<s>", "</s>"][id] ?? text.replaceAll(" ", "▁"));
    types.push([2, 3, 3][id] ?? (/^<0x[0-9A-F]{2}>$/.test(text) ? 6 : 1));
    at += 8 + length;
  }
  return { model: "llama", pre: "default", tokens, scores, types, more: { bos_token_id: field("u32", 1), eos_token_id: field("u32", 2) } };
}

/** Checkpoint and tokenizer as one GGUF file. */
export function llama2cGguf(checkpoint: Uint8Array, tokenizer: Uint8Array): GgufSpec {
  const { width, hidden, layers, heads, kvheads, context } = readShape(checkpoint);
  const numbers = {
    embedding_length: width,
    feed_forward_length: hidden,
    block_count: layers,
    "attention.head_count": heads,
    "attention.head_count_kv": kvheads,
    context_length: context,
  };
  return {
    metadata: {
      "general.architecture": field("string", "llama"),
      "general.name": field("string", "llama2.c"),
      ...Object.fromEntries(Object.entries(numbers).map(([key, value]) => [`llama.${key}`, field("u32", value)])),
      "llama.attention.layer_norm_rms_epsilon": field("f32", 1e-5),
      "llama.rope.freq_base": field("f32", 10000),
      ...vocabFields(readVocab(tokenizer)),
    },
    tensors: readTensors(checkpoint),
  };
}
