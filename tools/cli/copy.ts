// Copies and hashes files with progress and Ctrl-C.
import { basename } from "node:path";
import { SkintError, throwIfAborted } from "../../runtime/errors.ts";
import { createFile, openFile } from "../../targets/hosts/node/files.ts";
import { sha256 } from "../../targets/hosts/node/hash.ts";
import type { Context } from "./context.ts";

const PIECE = 4 << 20;

async function each(path: string, what: string, context: Context, use: (offset: number, bytes: Uint8Array) => Promise<void>): Promise<string> {
  const source = await openFile(path);
  const progress = context.progress(`${what} ${basename(path)}`, "bytes", source.size);
  const hasher = sha256();
  try {
    const piece = new Uint8Array(Math.min(PIECE, source.size));
    for (let at = 0; at < source.size; at += PIECE) {
      throwIfAborted(context.signal, `${what} ${path}`);
      const bytes = piece.subarray(0, Math.min(PIECE, source.size - at));
      await source.read(at, bytes);
      hasher.update(bytes);
      await use(at, bytes);
      progress.update(at + bytes.length);
    }
    return hasher.digest();
  } finally {
    progress.end();
    await source.close();
  }
}

/** SHA-256 of a file. */
export function hashFile(path: string, context: Context): Promise<string> {
  return each(path, "hashing", context, async () => {});
}

/** Copies a file that must hash to `sha256`; nothing appears under the new name otherwise. */
export async function copyFile(from: string, to: string, context: Context, sha256: string): Promise<void> {
  const sink = await createFile(to);
  try {
    const digest = await each(from, "copying", context, (offset, bytes) => sink.write(offset, bytes));
    if (digest !== sha256) throw new SkintError("format.hash", `${from} hashes to ${digest}, not to ${sha256}; remove it with skint cache rm and pull it again`, { what: from });
    await sink.commit();
  } finally {
    await sink.abort();
  }
}
