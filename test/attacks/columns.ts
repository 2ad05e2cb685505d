// Models whose columns (runtime/graph/columns.ts) or whose graph's use of them is wrong. Digests are right: whoever wrote the file meant it.
import { DIGEST_OFFSET } from "../../runtime/formats/skint/layout.ts";
import { openPack } from "../../runtime/formats/skint/reader.ts";
import { memorySource } from "../../runtime/io/source.ts";
import { sha256 } from "../../targets/hosts/node/hash.ts";
import { pack, tinyCheckpoint } from "../support/tiny.ts";
import type { Attack, Attacks } from "./attack.ts";

/** Columns of k = 64: 8 salient ones, the mask in bytes 0 … 7, then 56 factors, then two bytes of zero. */
const COLUMN_TENSOR = "layers.0.attention.q.columns";

/** Fresh bytes of a tiny model with q161 weights, the place of its columns, and of its graph. */
async function model() {
  const { bytes } = await pack(await tinyCheckpoint({ layers: 1, tied: false }), "q161");
  const file = await openPack(memorySource(bytes, "model"));
  const place = (at: { offset: number; bytes: number } | undefined) => bytes.subarray(at?.offset, (at?.offset ?? 0) + (at?.bytes ?? 0));
  return { bytes, file, columns: place(file.tensors.get(COLUMN_TENSOR)), graph: place(file.documents.get("graph")) };
}

/** The model after an edit of its columns and its graph's text, with the digest that belongs to it. */
async function edited(edit: (columns: Uint8Array) => void, rewrite: (graph: string) => string = (text) => text): Promise<Uint8Array> {
  const { bytes, file, columns, graph } = await model();
  edit(columns);
  const text = rewrite(new TextDecoder().decode(graph).trimEnd());
  graph.fill(32).set(new TextEncoder().encode(text).subarray(0, graph.length));
  return seal(bytes, file);
}

/** Gives the bytes of a pack, which was opened before it was changed, the digest that belongs to them. */
export function seal(bytes: Uint8Array, file: Awaited<ReturnType<typeof openPack>>): Uint8Array {
  const hasher = sha256();
  hasher.update(file.hashedHeader());
  hasher.update(bytes.subarray(file.dataOffset));
  bytes.set(new TextEncoder().encode(hasher.digest()), DIGEST_OFFSET);
  return bytes;
}

const damaged = (edit: (columns: Uint8Array) => void): Attack => ({ make: () => edited(edit), expect: "model.tensor", what: COLUMN_TENSOR });

/** The graph's JSON changed in place; no longer than it was. */
const rewritten = (from: string | RegExp, to: string, what?: string): Attack => ({
  make: () =>
    edited(
      () => {},
      (text) => {
        const changed = text.replace(from, to);
        if (changed === text) throw new Error("the edit changed nothing");
        return changed;
      },
    ),
  expect: "graph.invalid",
  what,
});

const firstSet = (mask: Uint8Array) => mask.findIndex((byte) => byte !== 0);

export const COLUMNS: Attacks = {
  "sound": { make: () => edited(() => {}), expect: "accept" },
  "no column salient": damaged((columns) => columns.fill(0, 0, 8)),
  "every column salient": damaged((columns) => columns.fill(0xff, 0, 8)),
  "one salient column too few": damaged((columns) => {
    const i = firstSet(columns);
    columns[i] &= columns[i] - 1;
  }),
  "one salient column too many": damaged((columns) => {
    const i = columns.findIndex((byte) => byte !== 0xff);
    columns[i] |= columns[i] + 1;
  }),
  "a factor that is infinite": damaged((columns) => columns.set([0x00, 0x7c], 8)),
  "a factor that is NaN": damaged((columns) => columns.set([0x01, 0xfe], 8 + 2 * 55)),
  "columns of another input": rewritten('"columns":"layers.0.ffn.down.columns"', '"columns":"layers.0.ffn.gate.columns"', "layers.0.ffn.down"),
  "columns that do not exist": rewritten('"columns":"layers.0.ffn.down.columns"', '"columns":"layers.0.ffn.down.columnz"', "layers.0.ffn.down"),
  "no columns for weights that want them": rewritten(',"columns":"layers.0.ffn.down.columns"', "", "layers.0.ffn.down"),
  "a matrix as columns": rewritten('"columns":"layers.0.ffn.down.columns"', '"columns":"layers.0.ffn.up.weight"', "layers.0.ffn.down"),
  "a norm as columns": rewritten('"columns":"layers.0.attention.q.columns"', '"columns":"layers.0.ffn.norm.weight"', "layers.0.attention.q"),
  "columns for weights that take none": rewritten(/("name":"layers.0.ffn.down.weight","role":"weight","format":)"q161"/, '$1"t2"', "layers.0.ffn.down"),
  "columns that are no weight": rewritten(/("name":"layers.0.ffn.down.columns","role":)"weight"/, '$1"value"', "layers.0.ffn.down.columns"),
  "an embedding with arranged weights": rewritten(/("name":"embed.weight","role":"weight","format":)"q8"/, '$1"q161"', "embed"),
};
