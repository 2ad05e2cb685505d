// A transfer against every fault of a network that was thought of: it ends with the right bytes, or with a typed error and all it had.
import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { SkintError } from "../../runtime/errors.ts";
import { memoryStore, type TransferStore } from "../../runtime/io/partial.ts";
import { samePin } from "../../runtime/io/pin.ts";
import { probe, type TransferOptions, transfer } from "../../runtime/io/transfer.ts";
import { sha256 } from "../../targets/hosts/node/hash.ts";
import { type Asked, answer, body, cut, type Fault, type Served, serve } from "./server.ts";

const URL_ = "https://files.example/model.skint?signature=secret";
const FILE = Uint8Array.from({ length: 10_500 }, (_, i) => (i * 31 + (i >> 8)) & 255);
const OTHER = FILE.map((b) => b ^ 85);
const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

interface Given extends Partial<TransferOptions> {
  readonly served?: Partial<Served>;
  readonly store?: ReturnType<typeof memoryStore>;
}

function start(fault: Fault, { served, store = memoryStore(), ...options }: Given = {}) {
  const server = serve(FILE, served, fault);
  const slept: number[] = [];
  const sleep = async (ms: number) => void slept.push(ms);
  const run = (more: Partial<TransferOptions> = {}) => transfer(URL_, store, { fetch: server.fetch, hasher: sha256, rangeBytes: 2000, stallMs: 40, sleep, ...options, ...more });
  return { ...server, store, slept, run };
}

const ranges = (log: readonly Asked[]) => log.map((a) => a.range?.replace("bytes=", ""));

async function whole(fault: Fault, given: Given = {}) {
  const t = start(fault, given);
  const result = await t.run();
  expect(result.sha256).toBe(digest(t.file.bytes));
  expect(result.bytes).toBe(t.file.bytes.length);
  expect(digest(t.store.bytes())).toBe(result.sha256);
  return { ...t, result };
}

/** The error that ends it; what is stored must be a beginning of the file, and a try without faults must finish it. */
async function failing(fault: Fault, given: Given = {}): Promise<{ code: string; message: string; kept: number; log: Asked[]; slept: number[] }> {
  const t = start(fault, given);
  const error = (await t.run().catch((e: unknown) => e)) as SkintError;
  expect(error).toBeInstanceOf(SkintError);
  expect(error.message).not.toContain("secret");
  const kept = t.store.size;
  if (t.store.pin?.etag === '"one"') expect(digest(t.store.bytes())).toBe(digest(FILE.subarray(0, kept)));
  if (error.code !== "format.hash" && !given.bytes && !given.maxBytes) {
    const { fetch } = serve(FILE, given.served);
    const resumed = t.store.pin?.etag === '"one"' ? kept : 0;
    expect(await transfer(URL_, t.store, { fetch, hasher: sha256, rangeBytes: 4000 })).toMatchObject({ sha256: digest(FILE), resumed });
  }
  return { code: error.code, message: error.message, kept, log: t.log, slept: t.slept };
}

const at = (request: number, fault: (asked: Asked, file: Served) => Response | Promise<Response> | undefined): Fault => {
  return (n, asked, file) => (n === request ? fault(asked, file) : undefined);
};
const status =
  (code: number, headers: Record<string, string> = {}) =>
  () =>
    new Response("no", { status: code, headers });

test("a file arrives in ranges, each asked for plainly, and is hashed as a whole", async () => {
  const seen: number[] = [];
  const { result, log } = await whole(() => undefined, { onProgress: (p) => seen.push(p.done) });
  expect(ranges(log)).toEqual(["0-1999", "2000-3999", "4000-5999", "6000-7999", "8000-9999", "10000-10499"]);
  expect(log.every((a) => a.headers["accept-encoding"] === "identity")).toBe(true);
  expect(result).toMatchObject({ resumed: 0, restarts: 0, requests: 6, pin: { etag: '"one"', bytes: FILE.length } });
  expect(seen.at(-1)).toBe(FILE.length);
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
});

test("empty, one byte, exactly one range, lengths unknown", async () => {
  for (const n of [0, 1, 1999, 2000, 2001, 4000]) {
    for (const lengths of [true, false]) {
      for (const hasRanges of [true, false]) await whole(() => undefined, { served: { bytes: FILE.subarray(0, n), lengths, ranges: hasRanges } });
    }
  }
});

test("200 instead of 206: the whole is taken; in the middle, what is there is passed over", async () => {
  expect((await whole(() => undefined, { served: { ranges: false } })).log).toHaveLength(1);
  const late = at(2, (_, file) => answer({ range: undefined }, file));
  expect((await whole(late)).log).toHaveLength(3);
  const { result, log } = await whole((n, a, f) => (n === 0 ? cut(a, f, { after: 5000, how: "breaks" }) : undefined), { served: { ranges: false } });
  expect([log.length, result.restarts]).toEqual([2, 0]);
  // Nothing tells whether it is the same file: begun anew.
  const blind = { ranges: false, etag: undefined };
  expect((await whole((n, a, f) => (n === 0 ? cut(a, f, { after: 5000, how: "breaks" }) : undefined), { served: blind })).result.restarts).toBe(1);
  expect((await failing((_n, a, f) => cut(a, f, { after: 5000, how: "breaks" }), { served: blind })).code).toBe("network.interrupted");
});

test("a range that was not asked for is never stored", async () => {
  for (const wrong of [
    "bytes 0-1999/10500",
    "bytes 4001-5999/10500",
    "bytes 4000-6000/10500",
    "bytes 5999-4000/10500",
    "bytes 4000-5999/5000",
    "pages 1-2/3",
    "",
    "bytes 4000-99999999999999999999/*",
  ]) {
    const lie = (_: Asked, file: Served) => new Response(body(file.bytes.subarray(0, 2000)), { status: 206, headers: { "content-range": wrong, "etag": '"one"' } });
    expect((await whole(at(2, lie))).log).toHaveLength(7);
    expect(await failing((n, a, f) => (n >= 2 ? lie(a, f) : undefined))).toMatchObject({ code: "network.answer", kept: 4000 });
  }
});

test("a compressed range is refused, a compressed whole is what fetch makes of it", async () => {
  const gzip = (a: Asked, file: Served) => {
    const right = answer(a, file);
    right.headers.set("content-encoding", "gzip");
    return right;
  };
  expect((await whole(at(1, gzip))).log).toHaveLength(7);
  expect(await failing((n, a, f) => (n >= 1 ? gzip(a, f) : undefined))).toMatchObject({ code: "network.answer", kept: 2000 });
  const packed = (_: Asked, file: Served) => new Response(body(file.bytes), { status: 200, headers: { "content-encoding": "gzip", "content-length": "77" } });
  await whole(at(0, packed));
});

test("short bodies, broken connections and silence are gone on from", async () => {
  for (const how of ["ends", "breaks", "stalls"] as const) {
    const { log, result } = await whole(at(1, (a, f) => cut(a, f, { after: 1500, how })));
    expect(ranges(log).slice(0, 3)).toEqual(["0-1999", "2000-3999", "3500-5499"]);
    expect(result.restarts).toBe(0);
    const { code, kept, slept } = await failing((n, a, f) => (n >= 1 ? cut(a, f, { after: 0, how }) : undefined));
    expect({ code, kept, pauses: slept.length }).toEqual({ code: "network.interrupted", kept: 2000, pauses: 4 });
    expect(slept.every((ms, i) => ms <= 500 * 2 ** i && ms >= 375 * 2 ** i)).toBe(true);
  }
  await whole((_n, a, f) => cut(a, f, { after: 1000, how: "breaks" }));
  expect((await failing(() => new Promise(() => {}))).message).toContain("sent nothing for 0.04 s");
});

test("a body that is longer than announced is not believed", async () => {
  const long = (_: Asked, file: Served) => new Response(body(file.bytes.subarray(2000)), { status: 206, headers: { "content-range": "bytes 2000-3999/10500", "etag": '"one"' } });
  expect((await failing((n, a, f) => (n >= 1 ? long(a, f) : undefined))).code).toBe("network.answer");
  const endless = new Response(new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(65536)) }), { status: 200 });
  expect(await failing(() => endless, { maxBytes: 200_000 })).toMatchObject({ code: "format.limit" });
  const huge = () => new Response(body(FILE), { status: 206, headers: { "content-range": "bytes 0-1999/9007199254740991" } });
  expect(await failing(huge, { maxBytes: 2 ** 42 })).toMatchObject({ code: "format.limit", kept: 0 });
});

test("a file that changes between ranges is begun anew, with nothing of the old one in it", async () => {
  for (const change of [{ bytes: OTHER, etag: '"two"' }, { bytes: FILE.subarray(0, 9000) }, { bytes: OTHER, etag: undefined, lastModified: "Tue" }]) {
    const served = change.lastModified ? { etag: undefined, lastModified: "Mon" } : {};
    const { result } = await whole(
      at(3, (_, file) => void Object.assign(file, change)),
      { served },
    );
    expect(result.restarts).toBe(1);
  }
  const shrunk = await whole(at(3, (_, file) => void Object.assign(file, { bytes: OTHER.subarray(0, 3000), etag: '"two"' })));
  expect(shrunk.result.restarts).toBe(1);
  const restless = await failing((n, _, file) => void Object.assign(file, { etag: `"${n}"` }));
  expect(restless.code).toBe("network.changed");
});

test("404 and 416: at once at the beginning, after retries in the middle", async () => {
  expect(await failing(status(404))).toMatchObject({ code: "network.status", kept: 0, slept: [] });
  expect(await failing(status(401))).toMatchObject({ code: "network.status", slept: [] });
  expect((await whole(at(4, status(404)))).log).toHaveLength(7);
  expect((await whole(at(4, status(403)))).log).toHaveLength(7);
  const gone = await failing((n) => (n >= 4 ? status(404)() : undefined));
  expect(gone).toMatchObject({ code: "network.status", kept: 8000 });
  expect(gone.message).toMatch(/404; there is no such file.*8000 bytes are kept/);
  expect((await failing(status(416))).code).toBe("network.status");
  expect((await whole(at(3, status(416, { "content-range": "bytes */10500" })))).result.restarts).toBe(1);
  expect((await failing((n) => (n % 3 === 2 ? status(416)() : undefined))).code).toBe("network.changed");
});

test("a busy server is waited for, as long as it asks, within reason", async () => {
  const busy = await whole((n) => (n === 0 ? status(503, { "retry-after": "7" })() : n === 1 ? status(429, { "retry-after": "9999" })() : undefined));
  expect(busy.slept).toEqual([7000, 30_000]);
  expect(await failing(status(503))).toMatchObject({ code: "network.status", log: { length: 5 } });
  expect(await failing(status(302))).toMatchObject({ code: "network.status" });
});

test("offline", async () => {
  const offline = () => Promise.reject(Object.assign(new TypeError("fetch failed"), { cause: Object.assign(new Error("getaddrinfo"), { code: "ENOTFOUND" }) }));
  const { code, message, log } = await failing(offline);
  expect({ code, requests: log.length }).toEqual({ code: "network.unreachable", requests: 2 });
  expect(message).toBe("https://files.example/model.skint cannot be reached (ENOTFOUND); check the connection and the address, then run it again");
  expect(await failing((n) => (n >= 2 ? offline() : undefined))).toMatchObject({ code: "network.unreachable", kept: 4000, log: { length: 7 } });
});

test("redirects: counted, never to plain http, and secrets stay at home", async () => {
  const to = (location: string) => new Response(null, { status: 302, headers: { location } });
  const secret = { authorization: "Bearer t" };
  const cdn = await whole((_, a) => (a.url.includes("files.") ? to("https://cdn.example/x?y=1") : undefined), { secret });
  expect(cdn.log.map((a) => [new URL(a.url).host, a.headers.authorization])).toEqual(
    Array(6)
      .fill([
        ["files.example", "Bearer t"],
        ["cdn.example", undefined],
      ])
      .flat(),
  );
  expect((await whole((_, a) => (a.url === URL_ ? to("/other") : undefined), { secret })).log[1]).toMatchObject({ url: "https://files.example/other", headers: secret });
  expect((await failing((_, a) => to(`${a.url}1`))).message).toContain("redirects more than 8 times");
  for (const bad of ["http://files.example/model.skint", "file:///etc/passwd", "data:,x", "https://"]) expect((await failing(() => to(bad))).code).toBe("network.answer");
});

test("abort at each await", async () => {
  const quiet = await whole(() => undefined);
  const steps = 3 * quiet.log.length + 14;
  for (let step = 0; step < steps; step++) {
    const stop = new AbortController();
    let left = step;
    const tick = () => {
      if (left-- === 0) stop.abort();
    };
    const store = memoryStore();
    const ticking = watched(store, tick);
    const server = serve(FILE, {}, () => void tick());
    const error = (await transfer(URL_, ticking, { fetch: server.fetch, hasher: sha256, rangeBytes: 2000, signal: stop.signal, onProgress: tick }).catch(
      (e: unknown) => e,
    )) as SkintError;
    if (left >= 0) break;
    // A stop that comes with the last byte may come too late.
    if (error instanceof SkintError) expect(error.code).toBe("aborted");
    else expect(store.size).toBe(FILE.length);
    expect(digest(store.bytes())).toBe(digest(FILE.subarray(0, store.size)));
    const kept = store.size;
    const again = await transfer(URL_, store, { fetch: server.fetch, hasher: sha256 });
    expect(again).toMatchObject({ sha256: digest(FILE), resumed: kept });
  }
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 20);
  expect((await failing(() => new Promise(() => {}), { signal: stop.signal, stallMs: 60_000 })).code).toBe("aborted");
  const pausing = new AbortController();
  setTimeout(() => pausing.abort(), 20);
  expect((await failing(status(503), { signal: pausing.signal, sleep: undefined })).code).toBe("aborted");
});

/** A store that calls `tick` before and after everything it does. */
function watched(store: ReturnType<typeof memoryStore>, tick: () => void): TransferStore {
  const around = async (work: () => Promise<void>) => {
    tick();
    await work();
    tick();
  };
  return {
    get pin() {
      return store.pin;
    },
    get size() {
      return store.size;
    },
    read: (offset, into) => around(() => store.read(offset, into)),
    append: (bytes) => around(() => store.append(bytes)),
    keep: () => around(() => store.keep()),
    reset: (pin) => around(() => store.reset(pin)),
  };
}

test("a full disk at each write ends it with what there is", async () => {
  for (let write = 0; write < 11; write++) {
    const store = memoryStore();
    let left = write;
    const { append } = store;
    store.append = async (bytes) => {
      if (left-- === 0) throw new SkintError("file.unreadable", "no space left", {});
      await append(bytes);
    };
    expect(await failing(() => undefined, { store })).toMatchObject({ code: "file.unreadable", kept: 1000 * write });
  }
});

test("stored bytes of another version or address are not used; damaged ones are noticed and fetched anew", async () => {
  const half = async (pin: object) => {
    const store = memoryStore();
    await store.reset({ url: URL_, etag: '"one"', bytes: FILE.length, ...pin });
    await store.append(OTHER.subarray(0, 5000));
    return store;
  };
  for (const pin of [{ etag: '"zero"' }, { url: "https://files.example/x" }, { etag: undefined }]) {
    expect((await whole(() => undefined, { store: await half(pin) })).result.resumed).toBe(0);
  }
  const mended = await whole(() => undefined, { store: await half({}), sha256: digest(FILE) });
  expect(mended.result).toMatchObject({ resumed: 0, bytes: FILE.length });
});

test("the wrong file is refused by hash and by length, and leaves nothing", async () => {
  const wrong = await failing(() => undefined, { sha256: digest(OTHER) });
  expect(wrong).toMatchObject({ code: "format.hash", kept: 0 });
  expect(await failing(() => undefined, { bytes: 10_499 })).toMatchObject({ code: "network.answer", slept: [] });
});

test("a probe tells the version without the body", async () => {
  for (const served of [{}, { ranges: false }, { bytes: new Uint8Array() }]) {
    const { fetch, file } = serve(FILE, served);
    expect(samePin(await probe(URL_, { fetch, hasher: sha256 }), { url: URL_, etag: file.etag, bytes: file.bytes.length })).toBe(true);
  }
  expect(samePin({ url: "", etag: 'W/"a"', lastModified: "Mon" }, { url: "", etag: '"a"', lastModified: "Tue" })).toBe(true);
  expect(samePin({ url: "", lastModified: "Mon" }, { url: "", lastModified: "Tue" })).toBe(false);
});

test("whatever mix of faults: the right bytes or a typed error, and never a wrong byte kept", async () => {
  const faults: Record<string, (a: Asked, f: Served) => Response | undefined> = {
    none: () => undefined,
    ends: (a, f) => cut(a, f, { after: 700, how: "ends" }),
    breaks: (a, f) => cut(a, f, { after: 1300, how: "breaks" }),
    whole: (_, f) => answer({ range: undefined }, f),
    shifted: (_, f) => answer({ range: "bytes=1-2000" }, f),
    404: status(404),
    416: status(416),
    503: status(503),
    changed: (_, f) => void Object.assign(f, f.bytes === FILE ? { bytes: OTHER, etag: '"two"' } : { bytes: FILE, etag: '"one"' }),
  };
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...Object.keys(faults)), { maxLength: 25 }), async (script) => {
      const t = start((n, a, f) => faults[script[n] ?? "none"](a, f));
      const error = await t.run().then(
        () => undefined,
        (e: unknown) => e,
      );
      const of = t.store.pin?.etag === '"two"' ? OTHER : FILE;
      expect(digest(t.store.bytes())).toBe(digest(of.subarray(0, t.store.size)));
      if (error === undefined) expect(t.store.size).toBe(FILE.length);
      else expect((error as SkintError).code).toMatch(/^network\./);
    }),
    { numRuns: 300 },
  );
});
