// Writes the weights of a GGUF file as f32 in another one, decoded by our reader, with the same metadata: both engines then run the same numbers.

import type { GgufList } from "../../runtime/formats/gguf/lists.ts";
import { openGguf } from "../../runtime/formats/gguf/open.ts";
import type { GgufEntry } from "../../runtime/formats/gguf/values.ts";
import { roundup } from "../../runtime/num/int.ts";
import { createFile, openFile } from "../../targets/hosts/node/files.ts";
import { buildGguf, field, type GgufField, type GgufTensorSpec, list } from "../support/gguf.ts";

const ALIGNMENT = 32;
/** Weights converted at a time. */
const PIECE = 1 << 22;

const product = (shape: readonly number[]) => shape.reduce((p, d) => p * d, 1);

function written({ type, value }: GgufEntry): GgufField {
  if (type !== "array") return field(type, value as Exclude<typeof value, GgufList>);
  const items = value as GgufList;
  if (items.type === "array") throw new Error("arrays of arrays are not copied");
  return list(
    items.type,
    Array.from({ length: items.length }, (_, i) => items.at(i) as string | number),
  );
}

export async function writeFloatGguf(from: string, to: string): Promise<void> {
  const file = await openGguf(await openFile(from));
  try {
    const sink = await createFile(to);
    try {
      const metadata = [...file.metadata.keys()]
        .filter((key) => key !== "general.alignment")
        .map((key) => [key, key === "general.file_type" ? field("u32", 0) : written(file.metadata.get(key) as GgufEntry)] as const);
      let end = 0;
      const tensors = [...file.tensors.values()].map(({ name, shape }): GgufTensorSpec => {
        const offset = BigInt(end);
        end = roundup(end + 4 * product(shape), ALIGNMENT);
        return { name, shape, dtype: "F32", data: new Uint8Array(0), offset };
      });
      const front = buildGguf({ metadata, tensors, alignment: ALIGNMENT });
      await sink.write(0, front);
      let at = front.length;
      for (const { name, shape } of file.tensors.values()) {
        const [rows, ...rest] = shape;
        const k = product(rest);
        const run = Math.max(1, Math.floor(PIECE / k));
        for (let row = 0; row < rows; row += run) {
          const values = new Float32Array(Math.min(run, rows - row) * k);
          await file.readF32(name, row, values.length / k, values);
          await sink.write(at, new Uint8Array(values.buffer));
          at += values.byteLength;
        }
        const padding = roundup(at, ALIGNMENT) - at;
        if (padding) await sink.write(at, new Uint8Array(padding));
        at += padding;
      }
      await sink.commit();
    } catch (e) {
      await sink.abort();
      throw e;
    }
  } finally {
    await file.close();
  }
}
