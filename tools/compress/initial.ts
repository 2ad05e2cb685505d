// Weights from another file of the same model, such as one that was trained to survive quantisation: what it holds replaces what the checkpoint
// holds, tensor by tensor, before anything is compressed.
import { SkintError } from "../../runtime/errors.ts";
import type { StoredTensor, TensorStore } from "../../runtime/formats/store.ts";
import type { Checkpoint } from "./checkpoint.ts";

/** The checkpoint with the tensors that `other` has too taken from there. Throws `format.shape` where shapes differ, `model.tensor` if it has none of them. */
export function initialisedFrom(c: Checkpoint, other: TensorStore): Checkpoint {
  const taken = new Set<string>();
  const tensors = new Map<string, StoredTensor>(c.store.tensors);
  for (const [name, mine] of c.store.tensors) {
    const theirs = other.tensors.get(name);
    if (!theirs) continue;
    if (theirs.shape.join() !== mine.shape.join())
      throw new SkintError("format.shape", `tensor ${name} has the shape [${theirs.shape.join(", ")}] in ${other.name}, [${mine.shape.join(", ")}] in ${c.store.name}`, {
        what: name,
      });
    tensors.set(name, theirs);
    taken.add(name);
  }
  if (taken.size === 0) throw new SkintError("model.tensor", `${other.name} holds no tensor of ${c.store.name}; give weights of the same model`, { what: other.name });
  const storeOf = (name: string) => (taken.has(name) ? other : c.store);
  const store: TensorStore = {
    name: `${c.store.name} with weights of ${other.name}`,
    tensors,
    readBytes: (name, offset, into) => storeOf(name).readBytes(name, offset, into),
    readF32: (name, row, rows, into) => storeOf(name).readF32(name, row, rows, into),
    async close() {
      await c.store.close();
      await other.close();
    },
  };
  return { ...c, store };
}
