// The cache of pulled files on Node. Content is stored once, by its SHA-256; names point to it. Any number of processes use it at once, without locks:
// everything appears by one rename, a name's entry last, and what a killed process leaves is either usable or cleared away later.
//
//   blobs/<sha256>             a file, read-only
//   names/<name>.json          what was pulled under a name: files, hashes, where they came from
//   views/<name>-<hash>/<file> the files of an entry under their own names (hard links to blobs)
//   partial/                   unfinished downloads (partial.ts), and `scratch.<owner>` folders
import { copyFileSync, existsSync, linkSync, mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { SkintError } from "../../../runtime/errors.ts";
import type { Pin } from "../../../runtime/io/pin.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import { attempt, syncFolder } from "./files.ts";
import { claimPartial, type FileStore, hashText, isFree, listPartials, ownSuffix, writeAtomic } from "./partial.ts";

export interface CacheFile {
  /** Plain file name. */
  readonly name: string;
  readonly sha256: string;
  readonly bytes: number;
  /** The version on its server. */
  readonly pin?: Pin;
}

export interface CacheEntry {
  /** What was pulled: `hf:org/repo`, a URL. */
  readonly name: string;
  readonly files: readonly CacheFile[];
  /** Commit or version that the name stood for. */
  readonly revision?: string;
  /** When, ISO 8601. */
  readonly pulled: string;
}

export interface Cached extends CacheEntry {
  /** Folder with the files under their names. */
  readonly folder: string;
  readonly bytes: number;
}

type Env = Readonly<Record<string, string | undefined>>;

/** SKINT_CACHE, else `skint` in XDG_CACHE_HOME or the system's folder for caches. */
export function cacheRoot(env: Env = process.env): string {
  if (env.SKINT_CACHE) return resolve(env.SKINT_CACHE);
  // XDG says that a relative path is to be ignored.
  if (env.XDG_CACHE_HOME?.startsWith("/")) return join(env.XDG_CACHE_HOME, "skint");
  if (process.platform === "win32" && env.LOCALAPPDATA) return join(env.LOCALAPPDATA, "skint", "cache");
  return join(homedir(), process.platform === "darwin" ? "Library/Caches" : ".cache", "skint");
}

const HASH = /^[0-9a-f]{64}$/;

/** Whether a name can stand in a folder on any system, and stays in it. */
export function isPlainName(name: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that must not come in
  return name.length > 0 && name.length <= 255 && !/[\u0000-\u001f\u007f"*/:<>?\\|]/.test(name) && !/^\.{1,2}$|[. ]$/.test(name);
}

const slug = (name: string) => name.replace(/[^A-Za-z0-9._-]+/g, "-").slice(0, 80);

export class Cache {
  readonly root: string;

  constructor(root: string = cacheRoot()) {
    this.root = root;
  }

  private dir(kind: "blobs" | "names" | "views" | "partial"): string {
    const path = join(this.root, kind);
    attempt(path, "made", () => mkdirSync(path, { recursive: true }));
    return path;
  }

  private namePath(name: string): string {
    return join(this.dir("names"), `${slug(name)}-${hashText(name).slice(0, 12)}.json`);
  }

  /** The stored bytes of an unfinished download, for this process alone. `adopt` or `release` it. */
  partial(url: string): FileStore {
    return claimPartial(this.dir("partial"), url);
  }

  /** A folder for this process alone; whoever makes it removes it. */
  scratch(): string {
    this.sweep();
    const path = join(this.dir("partial"), `scratch.${ownSuffix()}`);
    attempt(path, "made", () => mkdirSync(path));
    return path;
  }

  /** Path of a blob that is there with the right size. */
  blob(sha256: string, bytes: number): string | undefined {
    const path = join(this.dir("blobs"), sha256);
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat?.isFile() && stat.size === bytes ? path : undefined;
  }

  /** Takes over the bytes of a finished download, whose hash the caller has computed. */
  adopt(store: FileStore, sha256: string): void {
    const bytes = store.size;
    const url = store.pin?.url;
    if (this.blob(sha256, bytes) === undefined) store.moveTo(join(this.dir("blobs"), sha256));
    store.discard();
    // What others had left of the same file is of no more use.
    for (const p of listPartials(this.dir("partial"))) if (p.url === url) rmSync(p.folder, { recursive: true, force: true });
  }

  /** Writes an entry, when all its blobs are there. Throws `file.missing` when one was removed meanwhile. */
  put(entry: CacheEntry): Cached {
    const names = new Set(entry.files.map((f) => f.name));
    if (names.size !== entry.files.length || !entry.files.every((f) => isPlainName(f.name)))
      throw new SkintError("format.path", `${entry.name} has files that cannot stand in one folder (${[...names].join(", ")}); pull them one by one`, { what: entry.name });
    const folder = this.view(entry);
    writeAtomic(this.namePath(entry.name), JSON.stringify(entry));
    syncFolder(this.dir("names"));
    return { ...entry, folder, bytes: total(entry) };
  }

  /** What was pulled under a name, if all of it is here. */
  find(name: string): Cached | undefined {
    const entry = this.readEntry(this.namePath(name));
    if (entry?.name !== name || !this.isWhole(entry)) return undefined;
    return { ...entry, folder: this.view(entry), bytes: total(entry) };
  }

  /** Every entry, by name; those of which a file is missing or short are not `whole`. */
  list(): { entry: CacheEntry; bytes: number; whole: boolean; folder: string }[] {
    const paths = readdirSync(this.dir("names")).filter((f) => f.endsWith(".json"));
    const entries = paths.map((f) => this.readEntry(join(this.dir("names"), f))).filter((e) => e !== undefined);
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1)).map((entry) => ({ entry, bytes: total(entry), whole: this.isWhole(entry), folder: this.viewPath(entry) }));
  }

  /** Unfinished downloads, and blobs that no entry names, in bytes; and everything. */
  sizes(): { blobs: number; unused: number; unfinished: { url: string | undefined; bytes: number }[] } {
    const used = this.usedBlobs();
    const sizes = readdirSync(this.dir("blobs")).map((name) => ({ name, bytes: statSync(join(this.dir("blobs"), name), { throwIfNoEntry: false })?.size ?? 0 }));
    const sum = (of: typeof sizes) => of.reduce((a, b) => a + b.bytes, 0);
    return { blobs: sum(sizes), unused: sum(sizes.filter((b) => !used.has(b.name))), unfinished: listPartials(this.dir("partial")).map(({ url, bytes }) => ({ url, bytes })) };
  }

  /** Removes an entry and the content that no other entry shares; false if there is none. */
  remove(name: string): boolean {
    const path = this.namePath(name);
    if (!existsSync(path)) return false;
    const entry = this.readEntry(path);
    rmSync(path, { force: true });
    if (entry) {
      if (!this.list().some((e) => e.folder === this.viewPath(entry))) rmSync(this.viewPath(entry), { recursive: true, force: true });
      const used = this.usedBlobs();
      for (const f of entry.files) if (!used.has(f.sha256)) rmSync(join(this.dir("blobs"), f.sha256), { force: true });
    }
    return true;
  }

  /** Removes what no entry needs: unfinished downloads nobody works on, blobs and views without an entry. */
  prune(): void {
    const used = this.usedBlobs();
    const views = new Set(this.list().map((e) => e.folder));
    for (const p of listPartials(this.dir("partial"))) rmSync(p.folder, { recursive: true, force: true });
    for (const name of readdirSync(this.dir("blobs"))) if (!used.has(name)) rmSync(join(this.dir("blobs"), name), { recursive: true, force: true });
    for (const name of readdirSync(this.dir("views")))
      if (!name.startsWith(".new.") && !views.has(join(this.dir("views"), name))) rmSync(join(this.dir("views"), name), { recursive: true, force: true });
    this.sweep();
  }

  /** The hash that a path inside the cache must have; undefined for paths outside. */
  expected(path: string): string | undefined {
    if (!existsSync(path) || !existsSync(this.root)) return undefined;
    const real = realpathSync(path);
    const root = realpathSync(this.root);
    if (dirname(real) === join(root, "blobs") && HASH.test(basename(real))) return basename(real);
    const view = this.list().find((e) => join(root, "views", basename(e.folder)) === dirname(real));
    return view?.entry.files.find((f) => f.name === basename(real))?.sha256;
  }

  private usedBlobs(): Set<string> {
    return new Set(this.list().flatMap(({ entry }) => entry.files.map((f) => f.sha256)));
  }

  private isWhole(entry: CacheEntry): boolean {
    return entry.files.every((f) => this.blob(f.sha256, f.bytes) !== undefined);
  }

  private viewPath(entry: CacheEntry): string {
    const content = JSON.stringify(entry.files.map((f) => [f.name, f.sha256]));
    return join(this.dir("views"), `${slug(entry.name)}-${hashText(content).slice(0, 12)}`);
  }

  /** The folder with the files' own names; its name tells its content, so one that is there is right. */
  private view(entry: CacheEntry): string {
    const path = this.viewPath(entry);
    const isThere = () => entry.files.every((f) => statSync(join(path, f.name), { throwIfNoEntry: false })?.size === f.bytes);
    if (isThere()) return path;
    const aside = join(this.dir("views"), `.new.${ownSuffix()}`);
    mkdirSync(aside);
    try {
      for (const f of entry.files) this.link(f, join(aside, f.name));
      // One that is there, and not right, was changed by hand.
      if (existsSync(path)) renameSync(path, `${aside}-old`);
      renameSync(aside, path);
    } catch (e) {
      // Another process was faster.
      if (!isThere()) throw e;
    } finally {
      for (const f of [aside, `${aside}-old`]) rmSync(f, { recursive: true, force: true });
    }
    syncFolder(this.dir("views"));
    return path;
  }

  private link(file: CacheFile, to: string): void {
    const from = this.blob(file.sha256, file.bytes);
    if (from === undefined) throw new SkintError("file.missing", `${file.name} left the cache while it was pulled; pull it again`, { what: file.name });
    try {
      linkSync(from, to);
    } catch {
      attempt(to, "written", () => copyFileSync(from, to));
    }
  }

  private readEntry(path: string): CacheEntry | undefined {
    try {
      if (statSync(path).size > LIMITS.cacheEntryBytes) return undefined;
      const entry = JSON.parse(readFileSync(path, "utf8")) as CacheEntry;
      const good = (f: CacheFile) => isPlainName(f.name) && HASH.test(f.sha256) && Number.isSafeInteger(f.bytes) && f.bytes >= 0;
      return typeof entry.name === "string" && typeof entry.pulled === "string" && entry.files.length > 0 && entry.files.every(good) ? entry : undefined;
    } catch {
      // Not there, or not ours: as good as absent, and written anew by the next pull.
      return undefined;
    }
  }

  /** Clears away what killed processes left, other than downloads. */
  private sweep(): void {
    const stale = (dir: string, ours: RegExp) =>
      readdirSync(dir)
        .filter((name) => ours.test(name) && isFree(dir, name.replace(/-old$/, "")))
        .map((name) => join(dir, name));
    for (const path of [...stale(this.dir("partial"), /^scratch\./), ...stale(this.dir("views"), /^\.new\./), ...stale(this.dir("names"), /\.json\./)])
      rmSync(path, { recursive: true, force: true });
  }
}

const total = (entry: CacheEntry) => entry.files.reduce((sum, f) => sum + f.bytes, 0);
