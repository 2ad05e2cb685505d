// Where a model comes from in a browser: servers and their faults, Blobs, and the copies kept in the origin's private file system.
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import "./door.ts";
import { fixture } from "./fixture.ts";

const f = fixture();
const NAME = "w4.skint";

/** Loads in the page; what a test wants to know of it, or the error's code and message. */
async function loadInPage({ location, options = {} }: { location: string; options?: object }) {
  try {
    const model = await skint.load(location, options);
    const { cache, notes, hash } = model;
    const tokens: number[] = [];
    for await (const { token } of model.session().generate("In the beginning", { maxTokens: 4, temperature: 0 })) if (token >= 0) tokens.push(token);
    model.close();
    return { cache, notes: notes.join(), hash, tokens: tokens.length };
  } catch (e) {
    const { code, message } = e as InstanceType<typeof skint.SkintError>;
    return { code, message };
  }
}

const load = (page: Page, options: object = {}, location = `models/${NAME}`) => page.evaluate(loadInPage, { location, options });

/** Names in the folder of kept models, digests shortened to their ending. */
function kept(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("skint-models", { create: true });
    const names: string[] = [];
    for await (const name of (folder as unknown as { keys(): AsyncIterable<string> }).keys()) names.push(name.replace(/[0-9a-f]{64}/, "*"));
    return names.sort();
  });
}

const modelsAsked = () => f.plain.asked.filter((path) => path.startsWith("/models/")).length;
const serve = (served: object) => f.plain.models.set(NAME, { bytes: f.packs.get(NAME) as Uint8Array, ...served });

test("a second load comes from the kept copy: without asking, after asking, and offline", async () => {
  const page = await f.page(f.plain);
  expect(await load(page)).toMatchObject({ cache: "stored", notes: "", tokens: 4 });
  expect(await kept(page)).toEqual(["*.bin", "*.ok", "url-*"]);
  expect(modelsAsked()).toBe(1);
  expect(await load(page, { cache: "trust" })).toMatchObject({ cache: "hit", notes: "", tokens: 4 });
  expect(modelsAsked()).toBe(1);
  expect(await load(page)).toMatchObject({ cache: "hit", notes: "" });
  expect(modelsAsked()).toBe(2);
  serve({ dead: true });
  expect(await load(page)).toMatchObject({ cache: "hit", notes: expect.stringContaining("cannot be reached; the copy kept here was taken") });
  await page.evaluate(() => skint.clearCache());
  await page.evaluate(() => skint.clearCache());
  expect(await load(page)).toMatchObject({ code: "network.unreachable" });
});

test("another file at the same address is noticed; `off` keeps nothing", async () => {
  const page = await f.page(f.plain);
  expect(await load(page, { cache: "off" })).toMatchObject({ cache: "none" });
  expect(await kept(page)).toEqual([]);
  await load(page);
  serve({ bytes: f.packs.get("w8.skint") });
  expect(await load(page)).toMatchObject({ cache: "stored" });
  expect(await kept(page)).toEqual(["*.bin", "*.bin", "*.ok", "*.ok", "url-*"]);
});

test("a damaged copy is fetched anew, a half-written one is never opened", async () => {
  const page = await f.page(f.plain);
  await load(page);
  await page.evaluate(async () => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("skint-models");
    for await (const [name, handle] of (folder as unknown as { entries(): AsyncIterable<[string, FileSystemFileHandle]> }).entries()) {
      if (!name.endsWith(".bin")) continue;
      const file = await handle.getFile();
      const writable = await handle.createWritable({ keepExistingData: true });
      await writable.write({ type: "write", position: file.size - 5000, data: new Uint8Array([1, 2, 3, 4, 5]) });
      await writable.close();
    }
    await (await folder.getFileHandle(`${"0".repeat(64)}.bin`, { create: true })).getFile();
  });
  expect(await kept(page)).toEqual(["*.bin", "*.bin", "*.ok", "url-*"]);
  expect(await load(page)).toMatchObject({ cache: "stored", notes: expect.stringContaining("damaged and is fetched anew"), tokens: 4 });
  expect(await kept(page)).toEqual(["*.bin", "*.ok", "url-*"]);
  expect(await load(page)).toMatchObject({ cache: "hit", notes: "" });
});

test("without room the model runs from memory and says so", async () => {
  const page = await f.page(f.plain);
  const devtools = await f.context.newCDPSession(page);
  await devtools.send("Storage.overrideQuotaForOrigin", { origin: f.plain.origin, quotaSize: 100_000 });
  expect(await load(page)).toMatchObject({ cache: "none", notes: expect.stringContaining("storage is full"), tokens: 4 });
  expect((await kept(page)).filter((name) => !name.startsWith("url-"))).toEqual([]);
  await devtools.send("Storage.overrideQuotaForOrigin", { origin: f.plain.origin });
  expect(await load(page)).toMatchObject({ cache: "stored", notes: "" });
});

test("two tabs at once", async () => {
  const pages = [await f.page(f.plain), await f.page(f.plain)];
  serve({ slow: 2 });
  const first = await Promise.all(pages.map((page) => load(page)));
  for (const result of first) expect(result).toMatchObject({ tokens: 4 });
  expect(first.map((r) => r.cache)).toContain("stored");
  const second = await Promise.all(pages.map((page) => load(page)));
  for (const result of second) expect(result).toMatchObject({ cache: "hit", tokens: 4 });
});

test("Blobs, Files and files of OPFS, in any order of reading", async () => {
  const page = await f.page(f.plain);
  const results = await page.evaluate(async (name) => {
    const bytes = await (await fetch(`models/${name}`)).arrayBuffer();
    const handle = await (await navigator.storage.getDirectory()).getFileHandle("mine.skint", { create: true });
    const writable = await handle.createWritable();
    await writable.write(bytes);
    await writable.close();
    const names: string[] = [];
    for (const location of [new Blob([bytes]), new File([bytes], "chosen.skint"), handle, new URL(`models/${name}`, document.baseURI)]) {
      const model = await skint.load(location);
      for await (const _ of model.session().generate("a", { maxTokens: 2 }));
      names.push(model.name);
      model.close();
    }
    return names;
  }, NAME);
  expect(results).toEqual(["blob", "chosen.skint", "mine.skint", NAME]);
});

const FAULTS: readonly [what: string, served: object, want: object][] = [
  ["404", { status: 404 }, { code: "file.missing", message: expect.stringContaining("check the address") }],
  ["503", { status: 503 }, { code: "network.status", message: expect.stringContaining("503") }],
  ["no answer", { dead: true }, { code: "network.unreachable" }],
  ["a transfer that breaks off, no ranges", { cut: 150_000, whole: true }, { code: "network.interrupted", message: expect.stringContaining("load it again") }],
  ["a transfer that always breaks off at the same byte", { cut: 150_000 }, { code: "network.interrupted" }],
  ["another version behind the break", { cut: 150_000, cuts: 1, etag: "*" }, { code: "network.changed" }],
  ["a page instead of a model", { bytes: new TextEncoder().encode("<!doctype html><p>Not found</p>") }, { code: "format.limit" }],
  ["an empty file", { bytes: new Uint8Array(0) }, { code: "format.truncated" }],
];

test.each(FAULTS)("%s ends in a typed error, leaves nothing, and the next load works", async (_, served, want) => {
  const page = await f.page(f.plain);
  serve(served);
  expect(await load(page)).toMatchObject(want);
  expect(await kept(page)).toEqual([]);
  serve({});
  expect(await load(page)).toMatchObject({ cache: "stored", tokens: 4 });
});

test("a break in a transfer is mended with ranges; answers without a length are taken whole", async () => {
  const page = await f.page(f.plain);
  serve({ cut: 150_000, cuts: 1, etag: '"1"' });
  expect(await load(page)).toMatchObject({ cache: "stored", tokens: 4 });
  expect(modelsAsked()).toBe(2);
  expect(f.plain.sent).toBe(f.packs.get(NAME)?.length);
  serve({ chunked: true, bytes: f.packs.get("f32.skint") });
  expect(await load(page)).toMatchObject({ cache: "none", tokens: 4 });
});

test("loading stops when asked to, tells how far it is, and can be begun again", async () => {
  const page = await f.page(f.plain);
  serve({ slow: 5, bytes: f.packs.get("f32.skint") });
  const stopped = await page.evaluate(async (location) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error("enough")), 300);
    const begin = performance.now();
    const error = (await skint.load(location, { signal: controller.signal }).catch((e) => e)) as InstanceType<typeof skint.SkintError>;
    const early = (await skint.load(location, { signal: controller.signal }).catch((e) => e)) as typeof error;
    return { code: error.code, cause: String(error.cause), ms: performance.now() - begin, early: early.code };
  }, `models/${NAME}`);
  expect(stopped).toMatchObject({ code: "aborted", cause: "Error: enough", early: "aborted" });
  const whole = f.packs.get("f32.skint")?.length as number;
  expect(f.plain.sent).toBeLessThan(whole);
  expect(await kept(page)).toEqual([]);
  serve({});
  const seen = await page.evaluate(async (location) => {
    const seen: [number, number][] = [];
    const model = await skint.load(location, { onProgress: (done, total) => seen.push([done, total]) });
    model.close();
    return seen;
  }, `models/${NAME}`);
  const [done, total] = seen.at(-1) as [number, number];
  expect(done).toBe(total);
});
