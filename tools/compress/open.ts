// Opens whatever a model may come as: a folder with safetensors, or a GGUF file.
import { existsSync, statSync } from "node:fs";
import { SkintError } from "../../runtime/errors.ts";
import { openFolder } from "../../targets/hosts/node/files.ts";
import { type Checkpoint, openCheckpoint } from "./checkpoint.ts";
import { openGgufCheckpoint } from "./gguf.ts";

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
