// Checkpoints of rwkv.cpp (RWKV-5.2, f32) read as the folder of safetensors they amount to, which Skint opens like any other.
//
// A file is six int32 (magic, version 101, vocabulary, width, layers, type), then tensors without a gap: int32 number of dimensions, length of the name
// and type (0: f32), dimensions with the innermost first, the name, the numbers. Decays are stored as what is left a token, and become logarithms of
// rates again. The size of a head is the innermost dimension of a decay. Tokens of such a vocabulary of 256 are bytes.
import type { Folder } from "../../runtime/io/source.ts";
import { memoryFolder } from "./memory.ts";
import { safetensorsOf, type Weight } from "./tiny.ts";
import { byteCharacters } from "./tokenizers.ts";

const MAGIC = 0x67676d66;
const VERSION = 101;
const HEADER = 6;

export interface RwkvFile {
  readonly vocab: number;
  readonly width: number;
  readonly layers: number;
  readonly tensors: ReadonlyMap<string, Weight>;
}

export function readRwkv(bytes: Uint8Array): RwkvFile {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (at: number) => view.getInt32(at, true);
  const [magic, version, vocab, width, layers] = Array.from({ length: HEADER }, (_, i) => word(4 * i));
  if (magic !== MAGIC || version !== VERSION) throw new Error("this is no file of rwkv.cpp, version 101");
  const tensors = new Map<string, Weight>();
  for (let at = 4 * HEADER; at < bytes.length; ) {
    const [dims, nameLength, type] = [word(at), word(at + 4), word(at + 8)];
    if (type !== 0) throw new Error(`a tensor has the type ${type}, f32 was expected`);
    const shape = Array.from({ length: dims }, (_, i) => word(at + 12 + 4 * i)).reverse();
    at += 12 + 4 * dims;
    const name = new TextDecoder().decode(bytes.subarray(at, at + nameLength));
    at += nameLength;
    const count = shape.reduce((p, d) => p * d, 1);
    const values = new Float32Array(bytes.slice(at, at + 4 * count).buffer);
    tensors.set(name, { shape, values: name.endsWith(".time_decay") ? values.map((left) => Math.log(-Math.log(left))) : values });
    at += 4 * count;
  }
  return { vocab, width, layers, tensors };
}

/** The tokenizer of such a vocabulary: bytes alone, in order. */
const BYTES = {
  version: "1.0",
  added_tokens: [],
  pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
  decoder: { type: "ByteLevel" },
  model: { type: "BPE", vocab: Object.fromEntries(byteCharacters().map((character, byte) => [character, byte])), merges: [] },
};

/** The files of the folder that a checkpoint amounts to, by name. */
export async function rwkvFiles(bytes: Uint8Array): Promise<ReadonlyMap<string, Uint8Array>> {
  const { vocab, width, layers, tensors } = readRwkv(bytes);
  const shapeOf = (name: string) => (tensors.get(name) as Weight).shape;
  const config = {
    model_type: "rwkv5",
    vocab_size: vocab,
    hidden_size: width,
    num_hidden_layers: layers,
    head_size: shapeOf("blocks.0.att.time_decay")[1],
    intermediate_size: shapeOf("blocks.0.ffn.key.weight")[0],
  };
  const text = (value: object) => new TextEncoder().encode(JSON.stringify(value));
  return new Map([
    ["config.json", text(config)],
    ["tokenizer.json", text(BYTES)],
    ["tokenizer_config.json", text({})],
    ["model.safetensors", await safetensorsOf(tensors, "F32")],
  ]);
}

export const rwkvFolder = async (bytes: Uint8Array): Promise<Folder> => memoryFolder(new Map(await rwkvFiles(bytes)), "rwkv");
