// Opens what a page asked for and loads it, in the session worker: from a Blob, a file of OPFS, the cache, or a server with the cache filled on
// the way. One pass: bytes go from the server to their place in WebAssembly memory and, beside that, into the cache.
import { SkintError } from "../../../runtime/errors.ts";
import type { Source } from "../../../runtime/io/source.ts";
import type { Model } from "../../../runtime/session/model.ts";
import { type ModelCache, openCache } from "./cache.ts";
import { blobSource, openHandle, openUrl } from "./files.ts";
import type { CacheMode, LoadRequest, ModelFacts } from "./protocol.ts";
import type { StreamSource } from "./stream.ts";

export interface Opened {
  readonly model: Model;
  readonly cache: ModelFacts["cache"];
  readonly notes: readonly string[];
}

type Load = (source: Source) => Promise<Model>;

export async function openModel(location: LoadRequest["location"], mode: CacheMode, load: Load, signal?: AbortSignal): Promise<Opened> {
  if (typeof location === "string") return new FromUrl(location, load, signal).open(mode);
  return { model: await load(location instanceof Blob ? blobSource(location) : await openHandle(location)), cache: "none", notes: [] };
}

class FromUrl {
  private readonly notes: string[] = [];
  private readonly name: string;

  constructor(
    private readonly url: string,
    private readonly load: Load,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.name = new URL(url).pathname.split("/").pop() || url;
  }

  async open(mode: CacheMode): Promise<Opened> {
    const opened = mode === "off" ? undefined : await openCache();
    if (typeof opened === "string") this.notes.push(opened);
    const cache = typeof opened === "string" ? undefined : opened;
    const known = await cache?.known(this.url);
    const kept = mode === "trust" && known ? await this.fromCache(cache, known) : undefined;
    return kept ?? this.fromServer(cache, known);
  }

  private async fromServer(cache: ModelCache | undefined, known: string | undefined): Promise<Opened> {
    let source: Source | StreamSource;
    try {
      source = await openUrl(this.url, this.signal);
    } catch (e) {
      const kept = known && e instanceof SkintError && e.code === "network.unreachable" ? await this.fromCache(cache, known) : undefined;
      if (!kept) throw e;
      this.notes.push(`${this.url} cannot be reached; the copy kept here was taken`);
      return kept;
    }
    try {
      if (!cache || !("digest" in source)) return { model: await this.load(source), cache: "none", notes: this.notes };
      if (!(await cache.has(source.digest))) return await this.keeping(cache, source);
      await source.close();
      const kept = await this.fromCache(cache, source.digest);
      if (kept) return kept;
    } finally {
      await source.close();
    }
    // The copy was damaged: it is gone, or nobody can remove it.
    return this.fromServer((await cache.has(source.digest)) ? undefined : cache, undefined);
  }

  /** The kept copy; undefined if there is none, or if it turned out to be damaged: then it is gone. */
  private async fromCache(cache: ModelCache | undefined, digest: string): Promise<Opened | undefined> {
    const source = await cache?.open(digest, this.name);
    if (!cache) return undefined;
    if (!source) {
      await cache.remove(digest);
      return undefined;
    }
    try {
      const model = await this.load(source);
      await cache.remember(this.url, digest);
      return { model, cache: "hit", notes: this.notes };
    } catch (e) {
      if (!(e instanceof SkintError && e.code.startsWith("format."))) throw e;
      await source.close();
      await cache.remove(digest);
      this.notes.push(`the copy kept here was damaged and is fetched anew (${e.message})`);
      return undefined;
    } finally {
      await source.close();
    }
  }

  /** Loads, and lets what passes through the source go into the cache too. */
  private async keeping(cache: ModelCache, source: StreamSource): Promise<Opened> {
    const writer = await cache.write(source.digest);
    if (typeof writer === "string") {
      this.notes.push(writer);
      return { model: await this.load(source), cache: "none", notes: this.notes };
    }
    try {
      for (const bytes of source.front()) writer.write(bytes);
      source.onBytes = (bytes) => writer.write(bytes);
      const model = await this.load(source);
      // Loading has hashed every byte: what was written is the file its header names.
      const stored = await writer.commit(source.size);
      if (stored) await cache.remember(this.url, source.digest);
      if (writer.failure) this.notes.push(writer.failure);
      return { model, cache: stored ? "stored" : "none", notes: this.notes };
    } finally {
      await writer.abort();
    }
  }
}
