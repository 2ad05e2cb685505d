// Writes a safetensors file as a stream: the header is computed from declared tensors, then their bytes follow in that order, in chunks of
// any length. Memory: the header. What is declared passes the reader's own checks, so nothing is written that cannot be read.
import { SkintError } from "../../errors.ts";
import type { Sink } from "../../io/source.ts";
import { roundup } from "../../num/int.ts";
import { type Dtype, parseHeader, tensorBytes } from "./header.ts";

export interface TensorDeclaration {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

export interface SafetensorsLayout {
  readonly tensors: readonly { readonly name: string; readonly begin: number; readonly end: number }[];
  /** Length prefix, JSON text, padding: the file's first bytes. */
  readonly head: Uint8Array;
  /** Bytes of the JSON text without padding. */
  readonly textBytes: number;
  readonly fileBytes: number;
}

export interface SafetensorsWriter {
  /** Next bytes of tensor `name`; tensors in declared order. */
  write(name: string, chunk: Uint8Array): Promise<void>;
  /** Throws unless every byte came. */
  complete(): void;
  /** `complete`, then makes the file visible. */
  finish(): Promise<void>;
  /** Removes what was written. */
  abort(): Promise<void>;
}

/** Lays tensors out in the given order; the data section starts at a multiple of `align` bytes. Metadata comes first in the header, in its own order. */
export function layoutSafetensors(declared: readonly TensorDeclaration[], metadata: ReadonlyMap<string, string>, align = 8): SafetensorsLayout {
  const members: string[] = [];
  if (metadata.size > 0) members.push(`"__metadata__":{${[...metadata].map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",")}}`);
  const tensors: { name: string; begin: number; end: number }[] = [];
  let at = 0;
  for (const { name, dtype, shape } of declared) {
    const begin = at;
    at += tensorBytes(name, dtype, shape);
    tensors.push({ name, begin, end: at });
    members.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, at] })}`);
  }
  const text = new TextEncoder().encode(`{${members.join(",")}}`);
  const head = new Uint8Array(roundup(8 + text.length, align)).fill(32);
  new DataView(head.buffer).setBigUint64(0, BigInt(head.length - 8), true);
  head.set(text, 8);
  const fileBytes = head.length + at;
  parseHeader(`{${members.join(",")}}`, head.length, fileBytes, "the file to be written");
  return { tensors, head, textBytes: text.length, fileBytes };
}

/** Starts a file; the sink is the writer's from here on. */
export async function createSafetensors(sink: Sink, layout: SafetensorsLayout): Promise<SafetensorsWriter> {
  const { tensors, head } = layout;
  let current = 0;
  let at = 0;
  const skipFull = () => {
    while (current < tensors.length && at === tensors[current].end) current++;
  };
  const complete = () => {
    skipFull();
    const missing = tensors[current];
    if (missing !== undefined) throw new SkintError("usage", `tensor ${missing.name} lacks ${missing.end - at} bytes; write all of it before finishing`, { what: missing.name });
  };
  await sink.write(0, head);
  return {
    complete,
    async write(name, chunk) {
      if (chunk.length === 0) return;
      skipFull();
      const tensor = tensors[current];
      if (tensor?.name !== name)
        throw new SkintError("usage", `tensor ${name} was written where ${tensor?.name ?? "the end"} was due; write tensors in declared order`, { what: name });
      if (at + chunk.length > tensor.end)
        throw new SkintError("usage", `tensor ${name} got ${at + chunk.length - tensor.end} bytes more than its ${tensor.end - tensor.begin}`, { what: name });
      const offset = head.length + at;
      at += chunk.length;
      await sink.write(offset, chunk);
    },
    async finish() {
      complete();
      await sink.commit();
    },
    abort: () => sink.abort(),
  };
}
