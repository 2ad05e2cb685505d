// Where the other engines are installed. They are never installed with Skint: what needs one says how to get it.
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { SkintError } from "../../runtime/errors.ts";

const HERE = "test/peers";
export const INSTALL = "npm --prefix test/peers ci --ignore-scripts";

/** The folder whose node_modules hold the peers. */
export const peersFolder = (): string => resolve(process.env.SKINT_PEERS ?? HERE);

/** A file of a peer by its path below node_modules. Throws `file.missing` with advice. */
export function peerFile(path: string): string {
  const file = join(peersFolder(), "node_modules", path);
  if (existsSync(file)) return file;
  throw new SkintError("file.missing", `there is no ${file}; install the peers with ${INSTALL}, or name the folder they are in as SKINT_PEERS`, { what: path });
}

/** Imports a module of a peer by its path below node_modules. */
export async function importPeer<T>(path: string): Promise<T> {
  return (await import(pathToFileURL(peerFile(path)).href)) as T;
}
