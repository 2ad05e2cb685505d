// A GGUF file of Arcee's architecture (no gate, ReLU²) with seeded random Q4_0 weights and a made-up byte vocabulary, for speed alone.
// AFM-4.5B's proportions: a quarter of its widths and heads, half its layers, an eighth of its vocabulary, so that each matrix has its share of the bytes.
import { f32Tensor, type GgufTensorSpec } from "../support/gguf.ts";
import { ggufOf, keptFile, randomQ4 } from "./synthetic.ts";

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

const arceeGguf = (): Uint8Array => ggufOf("arcee", "synthetic, of Arcee's proportions", ARCEE, tensorsOf());

/** Path of the file in the cache; written if it is not there. */
export const arceeFile = (): Promise<string> => keptFile("arcee", ARCEE, arceeGguf);
