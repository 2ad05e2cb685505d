// A page and its session worker: what a browser may lack, who is blocked by whom, how things end, what a person sees.
import { expect, test } from "vitest";
import { openPage, workersOf } from "./chromium.ts";
import "./door.ts";
import { fixture } from "./fixture.ts";
import { serve } from "./server.ts";

const f = fixture();

/** Loads with a worker that lacks things, writes a little. */
async function lacking(what: string) {
  const page = await f.page(f.isolated);
  return page.evaluate(async (what) => {
    const model = await skint.load("models/w4.skint", { urls: { worker: `lacking-worker.js?${what}` } });
    let text = "";
    for await (const piece of model.session().generate("In the", { maxTokens: 8, temperature: 0, ignoreEos: true })) text += piece.text;
    const { build, lanes, whySingle, cache, notes } = model;
    model.close();
    return { build, lanes, whySingle, cache, notes: notes.join(), text };
  }, what);
}

test("browsers that lack something still write the same text, and say what is missing", async () => {
  const all = await lacking("");
  expect(all).toMatchObject({ cache: "stored", notes: "" });
  const without = {
    shared: await lacking("SharedArrayBuffer"),
    files: await lacking("OPFS"),
    storage: await lacking("storage"),
    worker: await lacking("Worker"),
    relaxed: await lacking("relaxed"),
    simd: await lacking("SIMD"),
    safari: await lacking("SharedArrayBuffer,OPFS,relaxed"),
  };
  for (const result of Object.values(without)) expect(result.text).toBe(all.text);
  expect(without.shared).toMatchObject({ build: expect.stringMatching(/^(relaxed|dot32)$/), lanes: 1, whySingle: expect.stringContaining("no shared WebAssembly memory") });
  expect(without.files).toMatchObject({ cache: "none", notes: expect.stringContaining("OPFS") });
  expect(without.storage).toMatchObject({ cache: "none", notes: expect.stringContaining("OPFS") });
  expect(without.worker).toMatchObject({ build: all.build, lanes: all.lanes });
  expect(without.relaxed.build).toMatch(/^simd/);
  expect(without.simd).toMatchObject({ build: "scalar", lanes: 1 });
  expect(without.safari).toMatchObject({ build: "simd", lanes: 1, cache: "none" });
});

test("the page is never blocked: a timer ticks on while a text is written", async () => {
  const page = await f.page(f.isolated);
  const { ticks, ms, worst } = await page.evaluate(async () => {
    const model = await skint.load("models/f32.skint", { context: 160 });
    let ticks = 0;
    let last = performance.now();
    let worst = 0;
    const timer = setInterval(() => {
      ticks++;
      worst = Math.max(worst, performance.now() - last);
      last = performance.now();
    }, 10);
    const begin = performance.now();
    while (performance.now() - begin < 1500) for await (const _ of model.session().generate("In the beginning", { maxTokens: 100, ignoreEos: true }));
    clearInterval(timer);
    model.close();
    return { ticks, worst, ms: performance.now() - begin };
  });
  // A busy machine may delay a tick; a blocked page has next to none.
  expect(ticks).toBeGreaterThan(ms / 100);
  expect(worst).toBeLessThan(ms / 3);
});

test("generation stops when asked to; a reader may leave; the session goes on from there", async () => {
  const page = await f.page(f.isolated);
  const result = await page.evaluate(async () => {
    const model = await skint.load("models/w4.skint");
    const session = model.session();
    const options = { temperature: 0, ignoreEos: true };
    const read = async (most: number, signal?: AbortSignal, onToken = (_: number) => {}) => {
      const tokens: number[] = [];
      for await (const { token } of session.generate("In the", { ...options, maxTokens: most, signal })) {
        if (token >= 0) tokens.push(token);
        onToken(tokens.length);
      }
      return tokens;
    };
    const whole = await read(60);
    const stats = session.stats;
    const controller = new AbortController();
    const error = (await read(60, controller.signal, (n) => n === 5 && controller.abort()).catch((e) => e)) as InstanceType<typeof skint.SkintError>;
    let left = 0;
    for await (const _ of session.generate("In the", { ...options, maxTokens: 100 })) if (++left === 3) break;
    const ahead = session.stats.generatedTokens;
    const again = await read(60);
    const tokens = await session.encode("In the");
    const text = await model.tokenizer?.decode(await model.tokenizer.encode("In the"));
    session.reset();
    const length = [session.length, (await session.feed(tokens)).length, session.length, (await session.next(tokens[0])).length, session.length];
    const usage = (await session.feed(new Uint32Array()).catch((e) => e)) as typeof error;
    model.close();
    return { whole, again, stats, code: error.code, ahead, text, length, prompt: tokens.length, vocab: model.vocab, usage: usage.code };
  });
  expect(result.whole.length).toBe(60);
  expect(result.again).toEqual(result.whole);
  expect(result.stats).toMatchObject({ generatedTokens: 60, stop: "length" });
  expect(result.stats.decodeMs.length).toBe(59);
  expect(result).toMatchObject({ code: "aborted", usage: "usage", text: "In the" });
  expect(result.ahead).toBeGreaterThanOrEqual(3);
  expect(result.ahead).toBeLessThanOrEqual(3 + 32);
  expect(result.length).toEqual([0, result.vocab, result.prompt, result.vocab, result.prompt + 1]);
});

test("close ends all workers at once, and what still runs", async () => {
  const page = await f.page(f.isolated);
  const code = await page.evaluate(async () => {
    const model = await skint.load("models/w4.skint", { threads: 3 });
    Object.assign(globalThis, { model });
    const endless = (async () => {
      for (;;) for await (const _ of model.session().generate("In the", { maxTokens: 100 }));
    })();
    setTimeout(() => model.close(), 200);
    const error = (await endless.catch((e) => e)) as InstanceType<typeof skint.SkintError>;
    const after = (await model
      .session()
      .feed(Uint32Array.of(1))
      .catch((e) => e)) as typeof error;
    return [error.code, after.code];
  });
  expect(code).toEqual(["session.failed", "session.failed"]);
  // The browser's own patience with a worker that hears nothing is 2 s.
  await expect.poll(() => workersOf(f.browser), { timeout: 1500, interval: 50 }).toEqual([]);
  await page.evaluate(async () => {
    const model = await skint.load("models/w4.skint", { threads: 2 });
    Object.assign(globalThis, { model });
  });
  expect(await workersOf(f.browser)).toEqual(["browser-lane.js", "browser-worker.js"]);
  await page.close();
  await expect.poll(() => workersOf(f.browser), { timeout: 10_000, interval: 100 }).toEqual([]);
});

test.each([
  ["worker", { urls: { worker: "none.js" } }, /session worker did not start.*urls\.worker/],
  ["lane", { threads: 2, urls: { lane: "none.js" } }, /lane 1 did not start.*threads: 1/],
  ["core", { urls: { core: "none/" } }, /core could not be fetched.*urls\.core/],
] as const)("a missing %s script is named", async (_, options, message) => {
  const page = await f.page(f.isolated);
  const error = await page.evaluate(async (options) => {
    const e = (await skint.load("models/w4.skint", options).catch((e) => e)) as InstanceType<typeof skint.SkintError>;
    return { code: e.code, message: e.message, is: e instanceof skint.SkintError };
  }, options);
  expect(error).toMatchObject({ code: "device.unavailable", is: true });
  expect(error.message).toMatch(message);
  await expect.poll(() => workersOf(f.browser), { timeout: 5000, interval: 50 }).toEqual([]);
});

test("options that make no sense are refused with their reason", async () => {
  const page = await f.page(f.plain);
  const codes = await page.evaluate(async () => {
    const tried = [{ threads: 0 }, { context: 1e9 }, { urls: { core: "http://[" } }, { taps: () => 0 } as object];
    return Promise.all(tried.map((options) => skint.load("models/w4.skint", options).then(String, (e) => e.code)));
  });
  expect(codes).toEqual(["usage", "usage", "usage", "usage"]);
});

test("a policy that forbids WebAssembly is named", async () => {
  const server = await serve({ isolated: false, csp: "default-src 'self'" });
  try {
    const problems: string[] = [];
    const page = await openPage(f.context, server.origin, problems);
    const error = await page.evaluate(() => skint.load("models/w4.skint").catch((e) => ({ code: e.code, message: e.message })));
    expect(error).toMatchObject({ code: "device.unavailable", message: expect.stringContaining("'wasm-unsafe-eval'") });
  } finally {
    await server.close();
  }
});

test("a person loads a model on the plain page and reads a text", async () => {
  const page = await f.page(f.plain);
  await page.click("button");
  await page.waitForFunction(() => (document.querySelector("#text")?.textContent ?? "").length > 10, undefined, { timeout: 20_000 });
  expect(await page.textContent("#state")).toMatch(/^w4\.skint: (relaxed|dot32), 1 threads\. the page is not cross-origin isolated.*Cache: stored/);
  await page.fill("[name=model]", "models/none.skint");
  await page.click("button");
  await page.waitForFunction(() => document.querySelector("#state")?.textContent?.startsWith("file.missing"), undefined, { timeout: 20_000 });
});
