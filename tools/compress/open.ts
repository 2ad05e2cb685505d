// Opens whatever a model may come as: a folder with safetensors, or a GGUF file.
import { existsSync, statSync } from "node:fs";
import { SkintError } from "../../runtime/errors.ts";
import { openSafetensors } from "../../runtime/formats/safetensors/reader.ts";
import { openFile, openFolder } from "../../targets/hosts/node/files.ts";
import { type Checkpoint, openCheckpoint } from "./checkpoint.ts";
import { openGgufCheckpoint } from "./gguf.ts";
import { initialisedFrom } from "./initial.ts";

/** Is the path a checkpoint (a folder or a .gguf), not a model.skint? */
export function isCheckpoint(path: string): boolean {
  return path.endsWith(".gguf") || (existsSync(path) && statSync(path).isDirectory());
}

/** Opens a checkpoint; `close` its store when done. Throws `file.missing` for a path that is not there. */
export async function openAny(path: string): Promise<Checkpoint> {
  if (!existsSync(path))
    throw new SkintError("file.missing", `there is no ${path}; give a folder with config.json, tokenizer.json and safetensors, or a .gguf file`, { what: path });
  return path.endsWith(".gguf") ? openGgufCheckpoint(path) : openCheckpoint(await openFolder(path));
}

/** The checkpoint with the weights that a safetensors file holds in place of its own. */
export async function openInitialised(path: string, weights: string | undefined): Promise<Checkpoint> {
  const checkpoint = await openAny(path);
  if (weights === undefined) return checkpoint;
  try {
    const other = await openSafetensors(await openFile(weights));
    try {
      return initialisedFrom(checkpoint, other);
    } catch (e) {
      await other.close();
      throw e;
    }
  } catch (e) {
    await checkpoint.store.close();
    throw e;
  }
}
