// One file from a server into the cache.

import type { HasherFactory } from "../../runtime/io/hash.ts";
import type { Fetch } from "../../runtime/io/http.ts";
import { transfer } from "../../runtime/io/transfer.ts";
import type { Cache, CacheFile } from "../../targets/hosts/node/cache.ts";
import { sha256 } from "../../targets/hosts/node/hash.ts";
import type { Context } from "../cli/context.ts";

/** What every source needs. */
export interface Puller {
  readonly cache: Cache;
  readonly context: Context;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly offline: boolean;
  /** What the one file must hash to, if the caller says so. */
  readonly sha256?: string;
}

export interface Wanted {
  readonly url: string;
  /** Under which it is stored. */
  readonly name: string;
  readonly sha256?: string;
  readonly bytes?: number;
  readonly maxBytes?: number;
  readonly secret?: Readonly<Record<string, string>>;
}

/** What a source found: an entry without its date. */
export interface Found {
  readonly files: readonly CacheFile[];
  readonly revision?: string;
}

const fetched: Fetch = (url, init) => globalThis.fetch(url, init);

/** Fetch, hash and signal for a transfer of this process. `SKINT_STALL_SECONDS` shortens the patience with a silent server. */
export function network({ context, env }: Puller): { fetch: Fetch; hasher: HasherFactory; signal: AbortSignal; stallMs: number } {
  const seconds = Number(env.SKINT_STALL_SECONDS);
  return { fetch: fetched, hasher: sha256, signal: context.signal, stallMs: 1000 * (seconds > 0 && seconds < 86_400 ? seconds : 30) };
}

/** Fetches a file, going on where an earlier try ended; one whose content is in the cache already is not fetched. */
export async function fetchFile(puller: Puller, { url, name, ...wanted }: Wanted): Promise<CacheFile> {
  const { cache, context } = puller;
  if (wanted.sha256 && wanted.bytes !== undefined && cache.blob(wanted.sha256, wanted.bytes)) return { name, sha256: wanted.sha256, bytes: wanted.bytes };
  const store = cache.partial(url);
  const progress = context.progress(`pulling ${name}`, "bytes", wanted.bytes);
  try {
    const result = await transfer(url, store, { ...network(puller), ...wanted, onProgress: (p) => progress.update(p.done, p.total, p.resumed) });
    cache.adopt(store, result.sha256);
    const { url: _, ...version } = result.pin;
    return { name, sha256: result.sha256, bytes: result.bytes, pin: { url, ...version } };
  } finally {
    progress.end();
    store.release();
  }
}
