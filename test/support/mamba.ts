// A tiny Mamba checkpoint with hashed weights (support/hashed.ts), under the names of transformers or of the authors' package.
import type { Folder } from "../../runtime/io/source.ts";
import { hashedFolder, type Shapes } from "./hashed.ts";

export interface MambaShape {
  readonly width: number;
  readonly layers: number;
  readonly states: number;
  readonly taps: number;
  readonly vocab: number;
}

/** Vocabulary of support/tokenizers.ts and some rows that pad it. */
const TINY: MambaShape = { width: 40, layers: 2, states: 16, taps: 4, vocab: 300 };

export function mambaConfig(options: Partial<MambaShape> = {}): Record<string, unknown> {
  const s = { ...TINY, ...options };
  return { model_type: "mamba", hidden_size: s.width, num_hidden_layers: s.layers, state_size: s.states, conv_kernel: s.taps, vocab_size: s.vocab };
}

/** Twice as many channels as the width, steps from a sixteenth of it. */
function shapesOf({ width, layers, states, taps, vocab }: MambaShape): Shapes {
  const [inner, rank] = [2 * width, Math.ceil(width / 16)];
  const mixer = {
    "norm.weight": [width],
    "mixer.in_proj.weight": [2 * inner, width],
    "mixer.conv1d.weight": [inner, 1, taps],
    "mixer.conv1d.bias": [inner],
    "mixer.x_proj.weight": [rank + 2 * states, inner],
    "mixer.dt_proj.weight": [inner, rank],
    "mixer.dt_proj.bias": [inner],
    "mixer.A_log": [inner, states],
    "mixer.D": [inner],
    "mixer.out_proj.weight": [width, inner],
  };
  const all = Array.from({ length: layers }, (_, i) => Object.entries(mixer).map(([name, shape]) => [`backbone.layers.${i}.${name}`, shape] as const));
  return Object.fromEntries([["backbone.embeddings.weight", [vocab, width]], ...all.flat(), ["backbone.norm_f.weight", [width]]]);
}

/** @param change of weights */
export function mambaFolder(options: Partial<MambaShape> = {}, change?: (name: string, values: Float32Array) => Float32Array): Promise<Folder> {
  return hashedFolder(mambaConfig(options), shapesOf({ ...TINY, ...options }), undefined, change);
}
