// A GGUF file of Mamba-130M's shape with seeded random weights and a made-up byte vocabulary, for speed alone: matrices Q8_0, but for those whose rows are
// no whole blocks of 32 (the steps' projection) and the small ones that llama.cpp keeps in f32.
import { createCipheriv } from "node:crypto";
import { f32ToF16 } from "../../runtime/num/half.ts";
import { createRandom } from "../../runtime/num/random.ts";
import { buildGguf, f32Tensor, field, type GgufTensorSpec } from "../support/gguf.ts";
import { keptFile, vocabulary } from "./synthetic.ts";

const SHAPE = { layers: 24, width: 768, inner: 1536, states: 16, rank: 48, taps: 4, vocab: 50280, context: 4096, seed: 1, writer: 1 } as const;

/** Weights and bytes of a Q8_0 block: an f16 scale, then int8. */
const BLOCK = { weights: 32, bytes: 34 };
/** Standard deviation of a uniform byte. */
const BYTE_SD = Math.sqrt((256 ** 2 - 1) / 12);

/** Random Q8_0 blocks of an [rows][k] matrix with variance 1 / k. */
function randomQ8(name: string, [rows, k]: readonly [number, number], seed: number): GgufTensorSpec {
  const key = Buffer.alloc(16);
  key.writeUInt32LE(seed);
  const data = new Uint8Array(createCipheriv("aes-128-ctr", key, Buffer.alloc(16)).update(new Uint8Array((rows * k * BLOCK.bytes) / BLOCK.weights)));
  const scale = f32ToF16(1 / (BYTE_SD * Math.sqrt(k)));
  for (let at = 0; at < data.length; at += BLOCK.bytes) {
    data[at] = scale & 255;
    data[at + 1] = scale >> 8;
  }
  return { name, dtype: "Q8_0", shape: [rows, k], data };
}

function randomF32(name: string, shape: readonly number[], seed: number, around = 0, spread = 0.1): GgufTensorSpec {
  const random = createRandom(seed);
  const count = shape.reduce((p, d) => p * d, 1);
  return f32Tensor(
    name,
    shape,
    Float32Array.from({ length: count }, () => around + (spread * (random.below(2001) - 1000)) / 1000),
  );
}

function tensorsOf(): GgufTensorSpec[] {
  const { layers, width, inner, states, rank, taps, vocab, seed } = SHAPE;
  let made = seed << 16;
  const tensors = [randomQ8("token_embd.weight", [vocab, width], made++), randomF32("output_norm.weight", [width], made++, 1)];
  for (let layer = 0; layer < layers; layer++) {
    const at = `blk.${layer}`;
    tensors.push(
      randomF32(`${at}.attn_norm.weight`, [width], made++, 1),
      randomQ8(`${at}.ssm_in.weight`, [2 * inner, width], made++),
      randomF32(`${at}.ssm_conv1d.weight`, [inner, taps], made++, 0, 0.5),
      randomF32(`${at}.ssm_conv1d.bias`, [inner], made++),
      randomQ8(`${at}.ssm_x.weight`, [rank + 2 * states, inner], made++),
      randomF32(`${at}.ssm_dt.weight`, [inner, rank], made++),
      randomF32(`${at}.ssm_dt.bias`, [inner], made++, -3),
      randomF32(`${at}.ssm_a`, [inner, states], made++, -2, 1),
      randomF32(`${at}.ssm_d`, [inner], made++, 1),
      randomQ8(`${at}.ssm_out.weight`, [width, inner], made++),
    );
  }
  return tensors;
}

function mambaGguf(): Uint8Array {
  const { layers, width, inner, states, rank, taps, vocab, context } = SHAPE;
  const counts = {
    block_count: layers,
    context_length: context,
    embedding_length: width,
    feed_forward_length: 0,
    "attention.head_count": 0,
    "ssm.conv_kernel": taps,
    "ssm.inner_size": inner,
    "ssm.state_size": states,
    "ssm.time_step_rank": rank,
    vocab_size: vocab,
  };
  return buildGguf({
    metadata: {
      "general.architecture": field("string", "mamba"),
      "general.name": field("string", "synthetic, of Mamba-130M's shape"),
      "general.file_type": field("u32", 7),
      ...Object.fromEntries(Object.entries(counts).map(([key, value]) => [`mamba.${key}`, field("u32", value)])),
      "mamba.attention.layer_norm_rms_epsilon": field("f32", 1e-5),
      ...vocabulary(vocab),
    },
    tensors: tensorsOf(),
  });
}

/** Path of the file in the cache; written if it is not there. */
export const mambaFile = (): Promise<string> => keptFile("mamba", SHAPE, mambaGguf);
