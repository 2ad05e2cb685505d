// Models kept in the origin's private file system (OPFS), by the digest in their header, for the session worker. A model is `<digest>.bin` and
// counts as there only with its marker `<digest>.ok`, an empty file made last; its bytes are hashed again at every load. `url-<hash>` holds
// the digest an address had last. Two tabs may load at once: who comes second goes without writing.
import type { Source } from "../../../runtime/io/source.ts";
import { CACHE_FOLDER } from "./clear.ts";
import { openHandle } from "./files.ts";
import { sha256 } from "./hash.ts";

const DIGEST = /^[0-9a-f]{64}$/;

/** A model on its way into the cache. */
export interface CacheWriter {
  /** Takes the next bytes. After a failure (no room) it takes none and `failure` says why. */
  write(bytes: Uint8Array): void;
  readonly failure: string | undefined;
  /** Makes the model count as there; false if it could not be kept whole. */
  commit(size: number): Promise<boolean>;
  /** Removes what was written; after `commit` does nothing. */
  abort(): Promise<void>;
}

/** Opens the cache, or says why there is none. */
export async function openCache(): Promise<ModelCache | string> {
  if (typeof FileSystemFileHandle === "undefined" || !("createSyncAccessHandle" in FileSystemFileHandle.prototype) || !navigator.storage?.getDirectory)
    return "this browser keeps no files for workers (OPFS with sync access handles), so the model is fetched anew each time";
  try {
    const root = await navigator.storage.getDirectory();
    const cache = new ModelCache(await root.getDirectoryHandle(CACHE_FOLDER, { create: true }));
    await cache.sweep();
    return cache;
  } catch (e) {
    return `the browser refuses to keep files for this site (${e}); the model is fetched anew each time`;
  }
}

export class ModelCache {
  constructor(private readonly folder: FileSystemDirectoryHandle) {}

  /** Removes what an ended tab left half-written; what another tab is writing stays, as it is locked. */
  async sweep(): Promise<void> {
    const names = new Set<string>();
    for await (const name of (this.folder as FileSystemDirectoryHandle & { keys(): AsyncIterable<string> }).keys()) names.add(name);
    for (const name of names) if (name.endsWith(".bin") && !names.has(name.replace(".bin", ".ok"))) await this.drop(name);
  }

  async open(digest: string, name: string): Promise<Source | undefined> {
    if (!(await this.has(digest))) return undefined;
    try {
      return await openHandle(await this.folder.getFileHandle(`${digest}.bin`), name);
    } catch {
      return undefined;
    }
  }

  /** Starts to keep a model; a text says why it cannot be kept. */
  async write(digest: string): Promise<CacheWriter | string> {
    const name = `${digest}.bin`;
    try {
      await this.drop(`${digest}.ok`);
      const file = await this.folder.getFileHandle(name, { create: true });
      const handle = await file.createSyncAccessHandle();
      handle.truncate(0);
      return this.writer(digest, handle);
    } catch (e) {
      return `the model was not kept (${e}); another tab may be loading it`;
    }
  }

  private writer(digest: string, handle: FileSystemSyncAccessHandle): CacheWriter {
    let at = 0;
    let failure: string | undefined;
    let open = true;
    const close = () => {
      if (open) handle.close();
      open = false;
    };
    const abort = async () => {
      if (!open && !failure) return;
      close();
      await this.drop(`${digest}.bin`);
    };
    return {
      get failure() {
        return failure;
      },
      write(bytes) {
        if (!open) return;
        try {
          const count = handle.write(bytes as Uint8Array<ArrayBuffer>, { at });
          // Chromium answers a full disk with 2^32 - 8 instead of an error.
          if (count !== bytes.length) throw new Error(`${bytes.length} bytes were given, ${count} written`);
          at += count;
        } catch (e) {
          failure = `the model was not kept: this site's storage is full (${e}); it runs from memory, and is fetched anew next time`;
          handle.truncate(0);
          close();
        }
      },
      commit: async (size) => {
        if (failure || at !== size) {
          await abort();
          return false;
        }
        handle.flush();
        close();
        await this.folder.getFileHandle(`${digest}.ok`, { create: true });
        return true;
      },
      abort,
    };
  }

  async remove(digest: string): Promise<void> {
    await this.drop(`${digest}.ok`);
    await this.drop(`${digest}.bin`);
  }

  /** Digest of the model that `url` gave last, if that model may still be here. */
  async known(url: string): Promise<string | undefined> {
    try {
      const text = await (await (await this.folder.getFileHandle(nameOf(url))).getFile()).text();
      return DIGEST.test(text) ? text : undefined;
    } catch {
      return undefined;
    }
  }

  async remember(url: string, digest: string): Promise<void> {
    if ((await this.known(url)) === digest) return;
    try {
      const handle = await (await this.folder.getFileHandle(nameOf(url), { create: true })).createSyncAccessHandle();
      handle.truncate(0);
      handle.write(new TextEncoder().encode(digest), { at: 0 });
      handle.close();
    } catch {
      // another tab writes the same, or there is no room: the server is asked next time
    }
  }

  async has(digest: string): Promise<boolean> {
    return this.folder.getFileHandle(`${digest}.ok`).then(
      () => true,
      () => false,
    );
  }

  private async drop(name: string): Promise<void> {
    await this.folder.removeEntry(name).catch(() => {});
  }
}

function nameOf(url: string): string {
  const hash = sha256();
  hash.update(new TextEncoder().encode(url));
  return `url-${hash.digest()}`;
}
