// Models in several GGUF files, as gguf-split of llama.cpp writes them: name-00001-of-00003.gguf and so on, each with the keys split.no (from 0),
// split.count and split.tensors.count. The first part's metadata are the model's.
import { SkintError } from "../../errors.ts";
import type { Folder } from "../../io/source.ts";
import { LIMITS } from "../../limits.ts";
import type { GgufTensor } from "./header.ts";
import { type GgufFile, openOne } from "./reader.ts";

const PART = /^(.*)-([0-9]{5})-of-([0-9]{5})\.gguf$/s;
const U16 = 0xffff;

export interface Split {
  /** From 0. */
  readonly index: number;
  /** Parts in all; 1 for a whole model. */
  readonly count: number;
  /** Tensors of all parts together, if the file says. */
  readonly tensors: number | undefined;
}

/** What a file says about the split it is part of. */
export function splitOf({ metadata, name }: GgufFile): Split {
  const count = metadata.whole("split.count", U16, 1, 0);
  if (count < 2) return { index: 0, count: 1, tensors: undefined };
  const index = metadata.whole("split.no", U16, undefined, 0);
  const tensors = metadata.has("split.tensors.count") ? metadata.whole("split.tensors.count", Number.MAX_SAFE_INTEGER, undefined, 0) : undefined;
  if (index >= count) throw new SkintError("format.header", `${name} is part ${index + 1} of ${count}, which cannot be; fetch it again`, { what: name });
  return { index, count, tensors };
}

/** Opens `file` of a folder and, if it is one part of several, all the others. */
export async function openParts(folder: Folder, file: string): Promise<GgufFile> {
  const present = new Set(await folder.list());
  const given = await openPart(folder, file, present);
  const opened = [given];
  try {
    const split = splitOf(given);
    if (split.count === 1) return given;
    const names = partNames(file, split.count);
    const parts: GgufFile[] = [];
    for (const name of names) {
      const part = name === file ? given : await openPart(folder, name, present);
      if (part !== given) opened.push(part);
      parts.push(part);
    }
    checkOrder(names, parts.map(splitOf), split);
    return join(folder.name, names, parts, split);
  } catch (error) {
    for (const part of opened) await part.close();
    throw error;
  }
}

async function openPart(folder: Folder, file: string, present: ReadonlySet<string>): Promise<GgufFile> {
  if (!present.has(file)) throw new SkintError("file.missing", `${folder.name} holds no ${file}; fetch it into the folder`, { what: file });
  const source = await folder.open(file);
  try {
    return await openOne(source);
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** Names of all parts, the first one's first. */
function partNames(file: string, count: number): string[] {
  if (count > LIMITS.shards) throw new SkintError("format.limit", `${file} is one of ${count} parts, the limit is ${LIMITS.shards}; merge them with gguf-split`, { what: file });
  const match = PART.exec(file);
  const digits = (n: number) => String(n).padStart(5, "0");
  if (match === null)
    throw new SkintError("file.missing", `${file} is one of ${count} parts, but its name does not end in -00001-of-${digits(count)}.gguf; give all parts their names back`, {
      what: file,
    });
  if (Number(match[3]) !== count)
    throw new SkintError("format.header", `${file} says inside that there are ${count} parts; give all parts their names back, or fetch them again`, { what: file });
  return Array.from({ length: count }, (_, i) => `${match[1]}-${digits(i + 1)}-of-${match[3]}.gguf`);
}

/** Each part says it is the one its name says. */
function checkOrder(names: readonly string[], splits: readonly Split[], given: Split): void {
  const seen = new Map<number, string>();
  for (const [i, { index, count, tensors }] of splits.entries()) {
    const what = names[i];
    if (count !== given.count || tensors !== given.tensors)
      throw new SkintError("format.header", `${what} belongs to another split than the other parts: its counts differ; fetch all parts from one place`, { what });
    const other = seen.get(index);
    if (other !== undefined) throw new SkintError("format.duplicate", `${what} and ${other} are both part ${index + 1}; fetch them again`, { what });
    seen.set(index, what);
  }
  for (const [i, { index }] of splits.entries())
    if (index !== i) throw new SkintError("format.header", `${names[i]} is part ${index + 1} by what it holds; give all parts their names back`, { what: names[i] });
}

function join(name: string, names: readonly string[], parts: readonly GgufFile[], split: Split): GgufFile {
  const tensors = new Map<string, GgufTensor>();
  const holders = new Map<string, GgufFile>();
  for (const [i, part] of parts.entries()) {
    for (const tensor of part.tensors.values()) {
      if (tensors.has(tensor.name))
        throw new SkintError("format.duplicate", `tensor ${tensor.name} stands in two parts, one is ${names[i]}; fetch the parts again`, { what: tensor.name });
      tensors.set(tensor.name, tensor);
      holders.set(tensor.name, part);
    }
    if (tensors.size > LIMITS.modelTensors)
      throw new SkintError("format.limit", `the parts hold more than ${LIMITS.modelTensors} tensors; this is not a model that Skint can run`, { what: names[i] });
  }
  if (split.tensors !== undefined && split.tensors !== tensors.size)
    throw new SkintError("format.header", `the parts of ${name} hold ${tensors.size} tensors, ${split.tensors} are stated; fetch all parts from one place`, { what: names[0] });
  const holderOf = (tensor: string) => {
    const holder = holders.get(tensor);
    if (holder === undefined) throw new SkintError("model.tensor", `${name} holds no tensor ${tensor}; list what it holds with skint inspect`, { what: tensor });
    return holder;
  };
  return {
    name,
    version: parts[0].version,
    metadata: parts[0].metadata,
    tensors,
    readBytes: async (tensor, offset, into) => holderOf(tensor).readBytes(tensor, offset, into),
    readF32: async (tensor, row, rows, out) => holderOf(tensor).readF32(tensor, row, rows, out),
    close: async () => {
      for (const part of parts) await part.close();
    },
  };
}
