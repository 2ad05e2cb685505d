// Reads tensors of one GGUF file, as blocks or as f32 rows. Nothing is kept in memory but the front of the file.
import { SkintError } from "../../errors.ts";
import type { Source } from "../../io/source.ts";
import type { TensorStore } from "../store.ts";
import type { Block } from "./blocks/block.ts";
import { BLOCKS } from "./blocks/index.ts";
import { type GgufTensor, readHeader } from "./header.ts";
import type { GgufMetadata } from "./metadata.ts";

/** Bytes of blocks that are decoded at a time, rounded down to whole blocks. */
const PIECE = 1 << 18;

export interface GgufFile extends TensorStore {
  readonly version: number;
  readonly metadata: GgufMetadata;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

/** One file, be it a part or a whole model. */
export async function openOne(source: Source): Promise<GgufFile> {
  const { version, metadata, tensors, dataOffset } = await readHeader(source);
  const tensorOf = (name: string) => {
    const tensor = tensors.get(name);
    if (tensor === undefined) throw new SkintError("model.tensor", `${source.name} holds no tensor ${name}; list what it holds with skint inspect`, { what: name });
    return tensor;
  };
  const readBytes = async (name: string, offset: number, into: Uint8Array) => {
    const tensor = tensorOf(name);
    checkRange(tensor, offset, into.length, tensor.bytes, "bytes");
    await source.read(dataOffset + tensor.begin + offset, into);
  };
  return {
    name: source.name,
    version,
    metadata,
    tensors,
    readBytes,
    readF32: async (name, row, rows, out) => readRows(tensorOf(name), row, rows, out, readBytes),
    close: () => source.close(),
  };
}

function checkRange(tensor: GgufTensor, from: number, count: number, total: number, unit: string): void {
  if (!Number.isSafeInteger(from) || from < 0 || !(from + count <= total))
    throw new SkintError("usage", `${unit} ${from} … ${from + count} of tensor ${tensor.name} were asked for, it has ${total}`, { what: tensor.name });
}

type ReadBytes = (name: string, offset: number, into: Uint8Array) => Promise<void>;

async function readRows(tensor: GgufTensor, row: number, rows: number, out: Float32Array, read: ReadBytes): Promise<void> {
  const { name, dtype, shape } = tensor;
  const k = shape.slice(1).reduce((product, d) => product * d, 1);
  const count = rows * k;
  checkRange(tensor, row, rows, shape[0] ?? 1, "rows");
  if (out.length < count) throw new SkintError("usage", `${count} values of tensor ${name} do not fit into ${out.length}`, { what: name });
  const block = BLOCKS.get(dtype);
  if (block === undefined)
    throw new SkintError("format.dtype", `tensor ${name} is ${dtype}; weights must be ${[...BLOCKS.keys()].join(", ")}: convert the model with llama-quantize of llama.cpp`, {
      what: name,
    });
  const begin = row * k;
  const first = begin - (begin % block.elements);
  const last = Math.ceil((begin + count) / block.elements) * block.elements;
  if (last - first === count) return decodeBlocks(name, block, first / block.elements, out.subarray(0, count), read);
  // Only a tensor of one dimension has rows, of one element, that end inside a block.
  const covering = new Float32Array(last - first);
  await decodeBlocks(name, block, first / block.elements, covering, read);
  out.set(covering.subarray(begin - first, begin - first + count));
}

/** Blocks from number `first` on, as many as fill `out`. */
async function decodeBlocks(name: string, block: Block, first: number, out: Float32Array, read: ReadBytes): Promise<void> {
  if (block.name === "F32") return read(name, first * block.bytes, new Uint8Array(out.buffer, out.byteOffset, out.byteLength));
  const blocks = out.length / block.elements;
  const most = Math.min(blocks, Math.floor(PIECE / block.bytes));
  const piece = new Uint8Array(most * block.bytes);
  for (let at = 0; at < blocks; at += most) {
    const count = Math.min(most, blocks - at);
    const bytes = piece.subarray(0, count * block.bytes);
    await read(name, (first + at) * block.bytes, bytes);
    block.decode(bytes, count, out.subarray(at * block.elements));
  }
}
