// A GGUF file of SmolLM2-135M's shape whose matrices are all Q4_0, with seeded random weights and a made-up byte vocabulary: speed does not depend on
// what the numbers are, and nobody's weights have to be fetched. Not for quality.
import { createCipheriv } from "node:crypto";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { f32ToF16 } from "../../runtime/num/half.ts";
import { cacheRoot } from "../../targets/hosts/node/cache.ts";
import { createFile } from "../../targets/hosts/node/files.ts";
import { hashText } from "../../targets/hosts/node/partial.ts";
import { buildGguf, f32Tensor, field, type GgufField, type GgufTensorSpec } from "../support/gguf.ts";
import { vocabFields } from "../support/gguf-vocab.ts";

/** Whatever changes the bytes of the file stands here: the cache knows the file by it. */
export interface SyntheticShape {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly hidden: number;
  readonly vocab: number;
  readonly context: number;
  readonly ropeBase: number;
  readonly seed: number;
  /** Of the writer; the next one when it writes other bytes for the same shape. */
  readonly writer: number;
}

export const SMOL: SyntheticShape = {
  layers: 30,
  width: 576,
  heads: 9,
  kvHeads: 3,
  hidden: 1536,
  vocab: 49152,
  context: 8192,
  ropeBase: 100000,
  seed: 1,
  writer: 1,
};

/** Weights and bytes of a Q4_0 block: an f16 scale, then two nibbles a byte, each 8 too large. */
const BLOCK = { weights: 32, bytes: 18 };
/** Standard deviation of a uniform nibble. */
const NIBBLE_SD = Math.sqrt((16 ** 2 - 1) / 12);
const [NORMAL, UNKNOWN, CONTROL, BYTE] = [1, 2, 3, 6];

/** Random Q4_0 blocks of an [rows][k] matrix with variance 1 / k. AES in counter mode is the quickest seeded source of bytes at hand. */
export function randomQ4(name: string, [rows, k]: readonly [number, number], seed: number): GgufTensorSpec {
  const key = Buffer.alloc(16);
  key.writeUInt32LE(seed);
  const data = new Uint8Array(createCipheriv("aes-128-ctr", key, Buffer.alloc(16)).update(new Uint8Array((rows * k * BLOCK.bytes) / BLOCK.weights)));
  const scale = f32ToF16(1 / (NIBBLE_SD * Math.sqrt(k)));
  for (let at = 0; at < data.length; at += BLOCK.bytes) {
    data[at] = scale & 255;
    data[at + 1] = scale >> 8;
  }
  return { name, dtype: "Q4_0", shape: [rows, k], data };
}

function tensorsOf({ layers, width, heads, kvHeads, hidden, vocab, seed }: SyntheticShape): GgufTensorSpec[] {
  const kv = (width / heads) * kvHeads;
  const norm = (name: string) => f32Tensor(name, [width], new Float32Array(width).fill(1));
  const matrices = {
    attn_q: [width, width],
    attn_k: [kv, width],
    attn_v: [kv, width],
    attn_output: [width, width],
    ffn_gate: [hidden, width],
    ffn_up: [hidden, width],
    ffn_down: [width, hidden],
  } as const;
  let made = seed << 16;
  const tensors = [randomQ4("token_embd.weight", [vocab, width], made++)];
  for (let layer = 0; layer < layers; layer++) {
    for (const part of ["attn_norm", "ffn_norm"]) tensors.push(norm(`blk.${layer}.${part}.weight`));
    for (const [part, shape] of Object.entries(matrices)) tensors.push(randomQ4(`blk.${layer}.${part}.weight`, shape, made++));
  }
  return [...tensors, norm("output_norm.weight")];
}

/** SentencePiece without a pair that could be joined: every byte of a text is one token, and the rest of the vocabulary fills the head. */
export function vocabulary(size: number): Record<string, GgufField> {
  const special = ["<unk>", "<s>", "</s>"];
  const bytes = Array.from({ length: 256 }, (_, b) => `<0x${b.toString(16).toUpperCase().padStart(2, "0")}>`);
  const rest = Array.from({ length: size - special.length - bytes.length }, (_, i) => `[${i}]`);
  const types = [UNKNOWN, CONTROL, CONTROL, ...bytes.map(() => BYTE), ...rest.map(() => NORMAL)];
  return vocabFields({
    model: "llama",
    pre: "default",
    tokens: [...special, ...bytes, ...rest],
    types,
    scores: types.map((_, i) => -i),
    more: {
      bos_token_id: field("u32", 1),
      eos_token_id: field("u32", 2),
      unknown_token_id: field("u32", 0),
      add_bos_token: field("bool", false),
      add_eos_token: field("bool", false),
      add_space_prefix: field("bool", false),
    },
  });
}

/** A Q4_0 file of `architecture` whose hyperparameters are `shape`'s. */
export function ggufOf(architecture: string, name: string, shape: SyntheticShape, tensors: Parameters<typeof buildGguf>[0]["tensors"]): Uint8Array {
  const { layers, width, heads, kvHeads, hidden, context, ropeBase, vocab } = shape;
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
      "general.architecture": field("string", architecture),
      "general.name": field("string", name),
      "general.file_type": field("u32", 2),
      ...Object.fromEntries(Object.entries(counts).map(([key, value]) => [`${architecture}.${key}`, field("u32", value)])),
      [`${architecture}.attention.layer_norm_rms_epsilon`]: field("f32", 1e-5),
      [`${architecture}.rope.freq_base`]: field("f32", ropeBase),
      ...vocabulary(vocab),
    },
    tensors,
  });
}

export const syntheticGguf = (shape: SyntheticShape): Uint8Array => ggufOf("llama", "synthetic, of SmolLM2-135M's shape", shape, tensorsOf(shape));

/** The folder of the cache that peers use: made files by the hash of what they are made from. */
export function peersCache(): string {
  const folder = join(cacheRoot(), "peers");
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Path of the file in the cache; written if it is not there. */
export const syntheticFile = (shape: SyntheticShape = SMOL): Promise<string> => keptFile("synthetic", shape, () => syntheticGguf(shape));

/** Path of a file of the cache, known by what it is made from; made and written if it is not there. */
export async function keptFile(name: string, from: object, make: () => Uint8Array): Promise<string> {
  const path = join(peersCache(), `${name}-${hashText(JSON.stringify(from)).slice(0, 16)}.gguf`);
  if (existsSync(path)) return path;
  const sink = await createFile(path);
  try {
    await sink.write(0, make());
    await sink.commit();
  } catch (e) {
    await sink.abort();
    throw e;
  }
  return path;
}
