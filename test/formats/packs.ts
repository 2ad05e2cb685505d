// A small pack and a small safetensors file, for tests that read, break or measure them.
import { SkintError } from "../../runtime/errors.ts";
import { layoutSafetensors, type TensorDeclaration } from "../../runtime/formats/safetensors/writer.ts";
import { createPack, type PackSpec, type PackTensorSpec } from "../../runtime/formats/skint/writer.ts";
import { sha256 } from "../../targets/hosts/node/hash.ts";
import { memorySink } from "../support/memory.ts";

export const METADATA = { architecture: "llama", recipe: "q4g32", licence: "Apache-2.0", provenance: "made by a test" };
export const GOLDEN_RESERVE = 200;

export function specOf(tensors: readonly PackTensorSpec[]): PackSpec {
  return {
    metadata: METADATA,
    documents: { graph: '{"ops":[]}', card: '{"name":"tést"}', recipe: "{}", tokenizer: '{"model":{}}', golden: { reserve: GOLDEN_RESERVE } },
    tensors,
  };
}

/** Byte i of a tensor with that seed; never zero, so that padding is told from content. */
export function contentOf(bytes: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => 1 + ((i * 31 + seed * 17 + (i >> 8)) % 255));
}

export async function buildPack(tensors: readonly PackTensorSpec[], chunk = 1000): Promise<Uint8Array> {
  const sink = memorySink();
  const pack = await createPack(sink, sha256(), specOf(tensors));
  for (const [seed, { name, bytes }] of tensors.entries()) {
    const content = contentOf(bytes, seed);
    for (let at = 0; at < bytes; at += chunk) await pack.write(name, content.subarray(at, at + chunk));
  }
  await pack.document("golden", '{"tokens":[1,2,3]}');
  await pack.finish();
  const bytes = sink.bytes();
  if (bytes === undefined) throw new SkintError("file.missing", "the pack was not committed; see memorySink", {});
  return bytes;
}

export const SMALL: readonly PackTensorSpec[] = [
  { name: "embed", dtype: "U8", bytes: 5000 },
  { name: "norm", dtype: "F32", bytes: 4 * 20 },
  { name: "head", dtype: "U8", bytes: 4096 },
];

/** A whole safetensors file in memory. */
export function buildSafetensors(tensors: readonly (TensorDeclaration & { readonly data: Uint8Array })[], metadata = new Map<string, string>()): Uint8Array {
  const layout = layoutSafetensors(tensors, metadata);
  const file = new Uint8Array(layout.fileBytes);
  file.set(layout.head);
  for (const [i, { begin }] of layout.tensors.entries()) file.set(tensors[i].data, layout.head.length + begin);
  return file;
}
