// The cache of pulled files: shared content, hostile entries, processes at once, and kill -9 at any moment.
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Cache, cacheRoot, isPlainName } from "../../targets/hosts/node/cache.ts";
import { content, FILES, urlOf } from "./puller-files.ts";

const dir = mkdtempSync(join(tmpdir(), "skint-cache-"));
const puller = join(dir, "puller.mjs");
const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

beforeAll(() => build({ entryPoints: ["test/hosts/puller.ts"], outfile: puller, bundle: true, platform: "node", format: "esm", logLevel: "error" }));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

let caches = 0;
const fresh = () => new Cache(join(dir, `cache-${caches++}`));

async function put(cache: Cache, name: string, files: Record<string, string>) {
  const entries = [];
  for (const [file, text] of Object.entries(files)) {
    const bytes = new TextEncoder().encode(text);
    const store = cache.partial(`${name}/${file}`);
    await store.reset({ url: `${name}/${file}` });
    await store.append(bytes);
    cache.adopt(store, digest(bytes));
    entries.push({ name: file, sha256: digest(bytes), bytes: bytes.length });
  }
  return cache.put({ name, files: entries, pulled: "2026-01-01T00:00:00Z" });
}

test("the folder is SKINT_CACHE, else the system's place for caches", () => {
  expect(cacheRoot({ SKINT_CACHE: "/a/b" })).toBe("/a/b");
  expect(cacheRoot({ XDG_CACHE_HOME: "/x" })).toBe("/x/skint");
  expect(cacheRoot({ XDG_CACHE_HOME: "relative" }).startsWith(homedir())).toBe(true);
});

test("what was put is found, under its own names, and content is stored once", async () => {
  const cache = fresh();
  const a = await put(cache, "hf:org/a", { "config.json": "{}", "model.gguf": "weights" });
  await put(cache, "hf:org/b", { "model.gguf": "weights" });
  expect(readFileSync(join(a.folder, "model.gguf"), "utf8")).toBe("weights");
  expect(readdirSync(join(cache.root, "blobs"))).toHaveLength(2);
  expect(cache.find("hf:org/a")).toMatchObject({ bytes: 9, folder: a.folder });
  expect(cache.find("hf:org/c")).toBeUndefined();
  expect(cache.list().map((e) => [e.entry.name, e.bytes, e.whole])).toEqual([
    ["hf:org/a", 9, true],
    ["hf:org/b", 7, true],
  ]);
  expect(cache.sizes()).toEqual({ blobs: 9, unused: 0, unfinished: [] });
  expect(cache.expected(join(a.folder, "model.gguf"))).toBe(digest(Buffer.from("weights")));
  expect(cache.expected(join(cache.root, "blobs", digest(Buffer.from("{}"))))).toBe(digest(Buffer.from("{}")));
  expect(cache.expected("package.json")).toBeUndefined();
  expect([cache.remove("hf:org/a"), cache.remove("hf:org/a"), existsSync(a.folder)]).toEqual([true, false, false]);
  expect(readFileSync(join(cache.find("hf:org/b")?.folder as string, "model.gguf"), "utf8")).toBe("weights");
  cache.remove("hf:org/b");
  expect(["blobs", "names", "views"].map((d) => readdirSync(join(cache.root, d)).length)).toEqual([0, 0, 0]);
});

test("an entry that lost a blob, or a byte of one, is not found; a view that was changed is made anew", async () => {
  const cache = fresh();
  const { folder } = await put(cache, "a", { "x.gguf": "weights" });
  rmSync(join(folder, "x.gguf"));
  writeFileSync(join(folder, "x.gguf"), "other, and longer");
  expect(readFileSync(join(cache.find("a")?.folder as string, "x.gguf"), "utf8")).toBe("weights");
  const blob = join(cache.root, "blobs", digest(Buffer.from("weights")));
  chmodSync(blob, 0o600);
  writeFileSync(blob, "weigh");
  expect(cache.find("a")).toBeUndefined();
  expect(cache.list()[0].whole).toBe(false);
});

test("entries that are damaged or hostile count as absent", async () => {
  const cache = fresh();
  await put(cache, "a", { "x.gguf": "weights" });
  const path = join(cache.root, "names", readdirSync(join(cache.root, "names"))[0]);
  const good = JSON.parse(readFileSync(path, "utf8"));
  const file = good.files[0];
  const bad = [
    { ...good, files: [{ ...file, name: "../../x" }] },
    { ...good, files: [{ ...file, sha256: "../x" }] },
    { ...good, files: [{ ...file, bytes: -1 }] },
    { ...good, files: [] },
    { ...good, files: undefined },
    { ...good, name: 3 },
    null,
    [],
  ];
  for (const text of [...bad.map((b) => JSON.stringify(b)), "", "{", " ".repeat(5_000_000)]) {
    writeFileSync(path, text);
    expect([cache.find("a"), cache.list()]).toEqual([undefined, []]);
  }
  await expect(put(cache, "b", { "../x": "1" })).rejects.toMatchObject({ code: "format.path" });
  for (const name of ["", ".", "..", "a/b", "a\\b", "C:x", "a\0", "a.", "a ", "x".repeat(256)]) expect(isPlainName(name)).toBe(false);
});

test("an unfinished download is one process's at a time, and outlives it", async () => {
  const cache = fresh();
  const pin = { url: "u", etag: '"1"', bytes: 9 };
  const first = cache.partial("u");
  await first.reset(pin);
  await first.append(Buffer.from("abcdef"));
  await first.keep();
  const second = cache.partial("u");
  expect([second.size, second.path === first.path]).toEqual([0, false]);
  second.release();
  first.release();
  const third = cache.partial("u");
  expect([third.size, third.pin]).toEqual([6, { ...pin, lastModified: undefined }]);
  const into = new Uint8Array(6);
  await third.read(0, into);
  expect(Buffer.from(into).toString()).toBe("abcdef");
  third.release();
  expect(cache.sizes().unfinished).toMatchObject([{ url: "u" }]);
  cache.prune();
  expect(cache.sizes().unfinished).toEqual([]);
});

test("what a full disk left is kept all the same", async () => {
  const cache = fresh();
  const store = cache.partial("u");
  await store.reset({ url: "u" });
  await store.append(new Uint8Array(500_000).fill(7));
  // As after a keep that found no room for the pin.
  store.release();
  const again = cache.partial("u");
  expect(again.size).toBe(500_000 - 131_072);
  const into = new Uint8Array(again.size);
  await again.read(0, into);
  expect(into.every((b) => b === 7)).toBe(true);
  again.discard();
});

test("downloads of dead processes are taken over, of other machines only when long untouched", async () => {
  const cache = fresh();
  const first = cache.partial("u");
  await first.reset({ url: "u" });
  await first.append(Buffer.from("abc"));
  await first.keep();
  first.release();
  const partial = join(cache.root, "partial");
  const key = readdirSync(partial)[0].split(".")[0];
  const rename = (owner: string) => {
    const [name] = readdirSync(partial);
    mkdirSync(join(partial, `${key}.${owner}`), { recursive: true });
    for (const f of readdirSync(join(partial, name))) writeFileSync(join(partial, `${key}.${owner}`, f), readFileSync(join(partial, name, f)));
    rmSync(join(partial, name), { recursive: true });
  };
  rename("00000000-1-0");
  const other = cache.partial("u");
  expect(other.size).toBe(0);
  other.release();
  const old = new Date(Date.now() - 8 * 24 * 3600_000);
  for (const f of [`${key}.00000000-1-0/data`, `${key}.00000000-1-0`]) utimesSync(join(partial, f), old, old);
  const mine = cache.partial("u");
  expect(mine.size).toBe(3);
  mine.discard();
});

function start(root: string, rounds: string, seed: number): ChildProcess {
  return spawn(process.execPath, [puller, root, rounds, String(seed)], { stdio: ["ignore", "pipe", "inherit"] });
}

/** Everything that can be seen of a cache is right: entries that are whole hash to what they say, unfinished ones are beginnings. */
async function inspect(root: string): Promise<void> {
  const cache = new Cache(root);
  for (const { entry, whole } of cache.list()) {
    if (!whole) continue;
    const { folder, files } = cache.find(entry.name) as NonNullable<ReturnType<Cache["find"]>>;
    expect(digest(readFileSync(join(folder, files[0].name)))).toBe(files[0].sha256);
  }
  cache.sizes();
  for (const blob of readdirSync(join(root, "blobs"))) expect(digest(readFileSync(join(root, "blobs", blob)))).toBe(blob);
  for (let i = 0; i < FILES; i++) {
    const store = cache.partial(urlOf(i));
    const kept = new Uint8Array(store.size);
    await store.read(0, kept);
    expect(digest(kept)).toBe(digest(content(i).subarray(0, kept.length)));
    store.release();
  }
}

test("kill -9 at any moment leaves a cache that works", async () => {
  const root = join(dir, "killed");
  for (let run = 0; run < 15; run++) {
    const child = start(root, "1e9", run);
    await once(child.stdout as NodeJS.ReadableStream, "data");
    await new Promise((r) => setTimeout(r, 5 + 120 * Math.random()));
    child.kill("SIGKILL");
    await once(child, "exit");
    await inspect(root);
  }
  const last = start(root, String(FILES), 0);
  expect(await once(last, "exit")).toEqual([0, null]);
  const cache = new Cache(root);
  for (let i = 0; i < FILES; i++) expect(cache.find(urlOf(i))?.files[0].sha256).toBe(digest(content(i)));
  cache.prune();
  expect(readdirSync(join(root, "partial"))).toEqual([]);
  expect(readdirSync(join(root, "blobs"))).toHaveLength(FILES);
  expect(readdirSync(join(root, "views"))).toHaveLength(FILES);
  expect(readdirSync(join(root, "names"))).toHaveLength(FILES);
});

test("processes that pull the same at once do not disturb one another", async () => {
  const root = join(dir, "shared");
  const children = [0, 0, 1].map((seed) => start(root, "12", seed));
  const ends = await Promise.all(children.map((c) => once(c, "exit")));
  expect(ends.map(([code]) => code)).toEqual([0, 0, 0]);
  await inspect(root);
  expect(new Cache(root).list().map((e) => e.whole)).toEqual(Array(FILES).fill(true));
});
