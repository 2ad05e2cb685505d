// Reads tensors of one safetensors file, whole or by rows, converted to f32. Nothing is kept in memory but the directory.
import { SkintError } from "../../errors.ts";
import type { Source } from "../../io/source.ts";
import { bf16ArrayToF32, f16ArrayToF32 } from "../../num/half.ts";
import type { TensorStore } from "../store.ts";
import { DTYPE_BITS, readHeader, type SafetensorsHeader, type TensorEntry } from "./header.ts";

/** f64 elements converted at a time. */
const F64_PIECE = 65536;

export interface SafetensorsFile extends TensorStore {
  readonly header: SafetensorsHeader;
}

/** Opens and checks a file. The store owns the source: `close` closes it. */
export async function openSafetensors(source: Source): Promise<SafetensorsFile> {
  const header = await readHeader(source);
  const entryOf = (name: string) => {
    const entry = header.tensors.get(name);
    if (entry === undefined) throw new SkintError("model.tensor", `${source.name} holds no tensor ${name}; list what it holds with skint inspect`, { what: name });
    return entry;
  };
  const readBytes = async (name: string, offset: number, into: Uint8Array) => {
    const entry = entryOf(name);
    checkRange(entry, offset, into.length, entry.bytes, "bytes");
    await source.read(header.dataOffset + entry.begin + offset, into);
  };
  return {
    name: source.name,
    header,
    tensors: header.tensors,
    readBytes,
    readF32: async (name, row, rows, out) => readRows(entryOf(name), row, rows, out, readBytes),
    close: () => source.close(),
  };
}

function checkRange(entry: TensorEntry, from: number, count: number, total: number, unit: string): void {
  if (!Number.isSafeInteger(from) || from < 0 || !(from + count <= total))
    throw new SkintError("usage", `${unit} ${from} … ${from + count} of tensor ${entry.name} were asked for, it has ${total}`, { what: entry.name });
}

type ReadBytes = (name: string, offset: number, into: Uint8Array) => Promise<void>;

async function readRows(entry: TensorEntry, row: number, rows: number, out: Float32Array, read: ReadBytes): Promise<void> {
  const { name, dtype, shape } = entry;
  const k = shape.slice(1).reduce((product, d) => product * d, 1);
  const count = rows * k;
  const size = DTYPE_BITS[dtype] / 8;
  checkRange(entry, row, rows, shape[0] ?? 1, "rows");
  if (out.length < count) throw new SkintError("usage", `${count} values of tensor ${name} do not fit into ${out.length}`, { what: name });
  const bytes = new Uint8Array(out.buffer, out.byteOffset, count * 4);
  const start = row * k * size;
  switch (dtype) {
    case "F32":
      return read(name, start, bytes);
    case "F16":
    case "BF16": {
      // The halves are read into the upper half of the result and widened from its front: no second buffer.
      await read(name, start, bytes.subarray(count * 2));
      const halves = new Uint16Array(out.buffer, out.byteOffset + count * 2, count);
      return dtype === "F16" ? f16ArrayToF32(halves, out) : bf16ArrayToF32(halves, out);
    }
    case "F64": {
      const piece = new Float64Array(Math.min(F64_PIECE, count));
      for (let i = 0; i < count; i += piece.length) {
        const part = piece.subarray(0, Math.min(piece.length, count - i));
        await read(name, start + i * 8, new Uint8Array(part.buffer, 0, part.byteLength));
        out.set(part, i);
      }
      return;
    }
    default:
      throw new SkintError("format.dtype", `tensor ${name} is ${dtype}; weights must be F32, F16, BF16 or F64: save the model in one of these`, { what: name });
  }
}
