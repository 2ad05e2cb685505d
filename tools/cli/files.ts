// Small files beside a model.
import type { Folder } from "../../runtime/io/source.ts";

/** Text of a file of the folder, or undefined if it is not there. */
export async function readOptional(folder: Folder, file: string): Promise<string | undefined> {
  if (!(await folder.list()).includes(file)) return undefined;
  const source = await folder.open(file);
  try {
    const bytes = new Uint8Array(source.size);
    await source.read(0, bytes);
    return new TextDecoder().decode(bytes);
  } finally {
    await source.close();
  }
}
