// `skint pull`, `cache` and `verify` against a server on 127.0.0.1 that misbehaves. Packages: pull-packages.test.ts.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { Cache } from "../../targets/hosts/node/cache.ts";
import { main } from "../../tools/cli/program.ts";
import { choose, parts } from "../../tools/pull/hub.ts";
import { parseSpec } from "../../tools/pull/spec.ts";
import { buildPack, SMALL } from "../formats/packs.ts";
import { cutAfter, serveFiles } from "../support/file-server.ts";
import { captureIo } from "./io.ts";
import { COMMIT, file, json, repo, sha, skint, stage, VERBS, WEIGHTS } from "./pulling.ts";

test("what can be written and what is refused", () => {
  expect(parseSpec("hf:org/repo")).toMatchObject({ kind: "hf", repo: "org/repo", revision: "main", file: undefined });
  expect(parseSpec("hf:org/repo@v1.0/sub/model.gguf")).toMatchObject({ repo: "org/repo", revision: "v1.0", file: "sub/model.gguf" });
  expect(parseSpec("npm:@org/pkg@1.2.3-rc.1/dist/a.gguf")).toMatchObject({ package: "@org/pkg", version: "1.2.3-rc.1", file: "dist/a.gguf" });
  expect(parseSpec("npm:pkg/a")).toMatchObject({ package: "pkg", version: undefined, file: "a" });
  expect(parseSpec("pypi:llm-x==0.1.2/llm_x/a.gguf")).toMatchObject({ package: "llm-x", version: "0.1.2", file: "llm_x/a.gguf" });
  expect(parseSpec("http://example.org/x", "0".repeat(64))).toMatchObject({ kind: "web" });
  const bad = [
    "",
    "x",
    "model.skint",
    "hf:",
    "hf:../x",
    "hf:a/b/../c",
    "hf:a/b//c",
    "hf:a/b@..",
    "ftp://x/y",
    "file:///etc/passwd",
    "https://",
    "https://u:p@x/y",
    "http://example.org/x",
  ];
  const packages = [
    "npm:pkg",
    "npm:pkg/",
    "npm:-g/x",
    "npm:file:x/y",
    "npm:pkg@1;ls/y",
    "npm:git+ssh://x/y",
    "npm:pkg/../x",
    "npm:pkg/-x",
    "pypi:-r/x",
    "pypi:x==1;ls/y",
    "pypi:x",
  ];
  for (const text of [...bad, ...packages]) expect(() => parseSpec(text), text).toThrow(expect.objectContaining({ code: "usage" }));
});

test("a file from a server: once over the net, then from the cache, then anew when it changed", async () => {
  const served = file("/models/a%20b.gguf".replace("%20", " "));
  const url = `${stage.server.url}/models/a%20b.gguf?x=1`;
  const first = await json("pull", url);
  expect(first).toMatchObject({ exit: 0, name: url, bytes: WEIGHTS.length, files: [{ name: "a b.gguf", sha256: sha(WEIGHTS) }] });
  expect(sha(readFileSync(first.path))).toBe(sha(WEIGHTS));
  const asked = stage.server.log.length;
  expect((await skint("pull", url)).out).toBe(first.path);
  expect(stage.server.log.slice(asked).map((l) => l.range)).toEqual(["bytes=0-0"]);
  Object.assign(served, { bytes: WEIGHTS.subarray(5), etag: '"2"' });
  const second = await json("pull", url);
  expect(second).toMatchObject({ exit: 0, bytes: WEIGHTS.length - 5 });
  expect(sha(readFileSync(second.path))).toBe(sha(WEIGHTS.subarray(5)));
});

test("Ctrl-C keeps what there was, the next pull goes on there", async () => {
  const served = file("/m.gguf");
  const io = captureIo();
  stage.server.fault = (q, r, n) => {
    if (n === 0) return cutAfter(300_000, "breaks", served)(q, r, n);
    io.stop.abort();
    return true;
  };
  const url = `${stage.server.url}/m.gguf`;
  expect(await main(["pull", url], VERBS, io, "0.0.0")).toBe(130);
  expect(io.stderr).toContain("300000 bytes are kept, the next try goes on from there");
  expect((await json("cache", "ls")).unfinished).toEqual([{ url, bytes: 300_000 }]);
  stage.server.fault = () => undefined;
  stage.server.log.length = 0;
  expect(await json("pull", url)).toMatchObject({ exit: 0, files: [{ sha256: sha(WEIGHTS) }] });
  expect(stage.server.log[0].range).toMatch(/^bytes=300000-/);
  expect((await json("cache", "ls")).unfinished).toEqual([]);
});

test("silence and broken connections on the way are mended without a word", async () => {
  const served = file("/m.gguf");
  stage.server.fault = (q, r, n) => (n === 0 ? cutAfter(100_000, "stalls", served)(q, r, n) : n === 1 ? cutAfter(200_000, "breaks", served)(q, r, n) : undefined);
  expect(await json("pull", `${stage.server.url}/m.gguf`)).toMatchObject({ exit: 0, files: [{ sha256: sha(WEIGHTS) }] });
  expect(stage.server.log.map((l) => l.range?.split("-")[0])).toEqual(["bytes=0", "bytes=100000", "bytes=300000"]);
});

test("a file that changes under the pull is begun anew", async () => {
  const served = file("/m.gguf");
  stage.server.fault = (q, r, n) => {
    if (n !== 0) return undefined;
    const cut = cutAfter(100_000, "breaks", { ...served })(q, r, n);
    Object.assign(served, { bytes: WEIGHTS.map((b) => b ^ 1), etag: '"2"' });
    return cut;
  };
  expect(await json("pull", `${stage.server.url}/m.gguf`)).toMatchObject({ exit: 0, files: [{ sha256: sha(WEIGHTS.map((b) => b ^ 1)) }] });
});

test("the wrong hash is an error and leaves nothing in the cache", async () => {
  file("/m.gguf");
  const wrong = "0".repeat(64);
  expect(await json("pull", `${stage.server.url}/m.gguf`, "--sha256", wrong)).toMatchObject({ exit: 1, error: { code: "format.hash" } });
  expect(await json("cache", "ls")).toMatchObject({ bytes: 0, entries: [], unfinished: [] });
  expect(await json("pull", `${stage.server.url}/m.gguf`, "--sha256", sha(WEIGHTS).toUpperCase())).toMatchObject({ exit: 0 });
  expect(await json("pull", `${stage.server.url}/m.gguf`, "--offline", "--sha256", wrong)).toMatchObject({ exit: 1, error: { code: "format.hash" } });
  expect(await json("pull", `${stage.server.url}/m.gguf`, "--sha256", "12")).toMatchObject({ exit: 2, error: { code: "usage" } });
});

test("offline: what is in the cache is used and said so, what is not has an error that says what to do", async () => {
  file("/m.gguf");
  const url = `${stage.server.url}/m.gguf`;
  expect(await json("pull", url, "--offline")).toMatchObject({ exit: 3, error: { code: "file.missing" } });
  await skint("pull", url);
  stage.server.fault = (_q, r) => {
    r.destroy();
    return true;
  };
  const again = await skint("pull", url);
  expect(again).toMatchObject({ exit: 0 });
  expect(again.err).toMatch(/cannot be reached[\s\S]*using what was pulled on \d{4}-/);
  expect((await json("pull", url, "--offline")).exit).toBe(0);
  const other = await skint("pull", `${stage.server.url}/other.gguf`);
  expect(other).toMatchObject({ exit: 1, out: "" });
  expect(other.err).toMatch(/other\.gguf cannot be reached \(\w+\); check the connection and the address, then run it again\n {2}network\.unreachable: /);
  process.env.HTTPS_PROXY = "http://127.0.0.1:1";
  expect((await skint("pull", `${stage.server.url}/other.gguf`)).err).toContain("HTTPS_PROXY is set: Node 24 and later heed it with NODE_USE_ENV_PROXY=1");
}, 20_000);

test("--out copies to a file or a folder, and only what hashes right", async () => {
  repo({ "config.json": "{}", "tokenizer.json": "[]", "model.safetensors": WEIGHTS });
  const out = join(stage.root, "deep/model");
  expect(await json("pull", "hf:org/repo", "--out", out)).toMatchObject({ exit: 0, path: out });
  expect(readdirSync(out).sort()).toEqual(["config.json", "model.safetensors", "tokenizer.json"]);
  const single = join(stage.root, "one.gguf");
  expect((await skint("pull", "hf:org/repo/model.safetensors", "--out", single)).out).toBe(single);
  expect((await skint("pull", "hf:org/repo/model.safetensors", "--out", stage.root)).out).toBe(join(stage.root, "model.safetensors"));
  const { path } = await json("pull", "hf:org/repo/model.safetensors");
  chmodSync(path, 0o600);
  const bytes = readFileSync(path);
  bytes[1000] ^= 1;
  writeFileSync(path, bytes);
  expect(await json("pull", "hf:org/repo/model.safetensors", "--out", join(stage.root, "bad.gguf"))).toMatchObject({ exit: 1, error: { code: "format.hash" } });
  expect(existsSync(join(stage.root, "bad.gguf"))).toBe(false);
  expect(await json("verify", path)).toMatchObject({ exit: 1, error: { code: "format.hash" } });
  expect(await json("verify", "hf:org/repo/model.safetensors")).toMatchObject({ exit: 1 });
});

test("hf: which files a repository stands for", () => {
  expect(choose(["README.md", "config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors", "onnx/model.onnx", "pytorch_model.bin"], "r")).toEqual([
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "model.safetensors",
  ]);
  expect(choose(["README.md", "m.Q4.gguf"], "r")).toEqual(["m.Q4.gguf"]);
  expect(choose(["m-00001-of-00002.gguf", "m-00002-of-00002.gguf"], "r")).toEqual(["m-00001-of-00002.gguf", "m-00002-of-00002.gguf"]);
  for (const files of [["a.gguf", "b.gguf"], ["README.md"], []]) expect(() => choose(files, "r")).toThrow(expect.objectContaining({ code: "usage" }));
  expect(parts("x-00002-of-00003.gguf")).toHaveLength(3);
  expect(parts("x-00001-of-99999.gguf")).toHaveLength(1);
});

test("hf: shards by their index, all of one commit, nothing twice; a new commit fetches what changed", async () => {
  const index = (shard: string) => JSON.stringify({ metadata: {}, weight_map: { a: "model-1.safetensors", b: shard } });
  const files = {
    "config.json": "{}",
    "model.safetensors.index.json": index("model-2.safetensors"),
    "model-1.safetensors": WEIGHTS,
    "model-2.safetensors": WEIGHTS.subarray(9),
    "x.bin": "no",
  };
  repo(files);
  const first = await json("pull", "hf:org/repo");
  expect(first.files.map((f: { name: string }) => f.name)).toEqual(["config.json", "model.safetensors.index.json", "model-1.safetensors", "model-2.safetensors"]);
  expect(first.revision).toBe(COMMIT);
  stage.server.log.length = 0;
  expect((await json("pull", "hf:org/repo")).path).toBe(first.path);
  expect(stage.server.log.map((l) => l.path)).toEqual(["/api/models/org/repo/revision/main"]);
  repo({ ...files, "model-2.safetensors": WEIGHTS.subarray(11) }, "org/repo", "d".repeat(40));
  stage.server.log.length = 0;
  const second = await json("pull", "hf:org/repo");
  expect(second.revision).toBe("d".repeat(40));
  expect(stage.server.log.filter((l) => l.path.includes("model-1"))).toEqual([]);
  for (const hostile of ["../../x.safetensors", "/etc/passwd", "a/b.safetensors", "x.bin"]) {
    repo({ "model.safetensors.index.json": index(hostile) }, "org/bad");
    expect(await json("pull", "hf:org/bad")).toMatchObject({ exit: 1, error: { code: "format.path" } });
  }
});

test("hf: the token goes to the hub and to nobody else; a link is followed", async () => {
  process.env.HF_TOKEN = "hf_secret";
  repo({ "m.gguf": WEIGHTS });
  const cdn = await serveFiles();
  cdn.files.set("/blob", { bytes: WEIGHTS, etag: '"1"' });
  stage.server.files.set(`/org/repo/resolve/${COMMIT}/m.gguf`, { bytes: new Uint8Array(), to: `${cdn.url}/blob` });
  expect(await json("pull", "hf:org/repo")).toMatchObject({ exit: 0, files: [{ name: "m.gguf", sha256: sha(WEIGHTS) }] });
  expect(stage.server.log.every((l) => l.authorization === "Bearer hf_secret")).toBe(true);
  expect(cdn.log.map((l) => l.authorization)).toEqual([undefined]);
  await cdn.close();
  stage.server.fault = (_q, r) => {
    r.writeHead(401).end();
    return true;
  };
  expect((await json("pull", "hf:org/closed")).error.message).toContain("it wants a login: set the token it asks for");
});

test("hf: a lying hub, a file that is not there, a mirror without listings", async () => {
  repo({ "m.gguf": WEIGHTS });
  file(
    `/org/repo/resolve/${COMMIT}/m.gguf`,
    WEIGHTS.map((b) => b ^ 1),
  );
  expect(await json("pull", "hf:org/repo")).toMatchObject({ exit: 1, error: { code: "format.hash" } });
  expect(await json("pull", "hf:org/repo/nope.gguf")).toMatchObject({ exit: 3, error: { code: "file.missing" } });
  for (const listing of ["{}", "[]", '{"sha":"../..","siblings":[]}']) {
    file("/api/models/org/odd/revision/main", listing);
    expect(await json("pull", "hf:org/odd")).toMatchObject({ exit: 1, error: { code: "network.answer" } });
  }
  file("/api/models/org/odd/revision/main", "<html>");
  expect(await json("pull", "hf:org/odd")).toMatchObject({ exit: 1, error: { code: "format.header" } });
  file("/org/mirror/resolve/main/m.gguf");
  expect(await json("pull", "hf:org/mirror/m.gguf")).toMatchObject({ exit: 0, files: [{ sha256: sha(WEIGHTS) }] });
  process.env.HF_ENDPOINT = "nowhere";
  expect(await json("pull", "hf:org/repo")).toMatchObject({ exit: 2, error: { code: "usage" } });
});

test("cache: ls and rm", async () => {
  repo({ "config.json": "{}", "model.safetensors": WEIGHTS });
  await skint("pull", "hf:org/repo");
  await skint("pull", "hf:org/repo/model.safetensors");
  const { out } = await skint("cache", "ls");
  expect(out).toMatch(/name +size +files +pulled\nhf:org\/repo +700 kB +2 .*\nhf:org\/repo\/model.safetensors +700 kB +1 .*\n\n.*: 700 kB$/s);
  expect(await json("cache", "ls")).toMatchObject({ bytes: 700_002, entries: [{ name: "hf:org/repo", whole: true }, { name: "hf:org/repo/model.safetensors" }] });
  expect(await json("cache", "rm", "hf:org/repo")).toEqual({ exit: 0, removed: ["hf:org/repo"], freedBytes: 2 });
  expect((await json("pull", "hf:org/repo/model.safetensors", "--offline")).exit).toBe(0);
  expect(await json("cache", "rm", "hf:org/repo")).toMatchObject({ exit: 3, error: { code: "file.missing" } });
  expect(await json("cache", "rm")).toMatchObject({ exit: 2 });
  expect(await json("cache", "drop")).toMatchObject({ exit: 2 });
  expect(await json("cache", "rm", "--all")).toMatchObject({ exit: 0, freedBytes: 700_000 });
  expect((await skint("cache", "ls")).out).toContain("nothing was pulled yet");
});

test("verify: by header, by cache, by what the caller says", async () => {
  repo({ "m.gguf": WEIGHTS });
  const { path } = await json("pull", "hf:org/repo");
  expect(await json("verify", path)).toMatchObject({ exit: 0, verified: [{ sha256: sha(WEIGHTS), by: "cache" }] });
  expect(await json("verify", new Cache().blob(sha(WEIGHTS), WEIGHTS.length) as string)).toMatchObject({ exit: 0 });
  expect((await skint("verify", "hf:org/repo")).out).toBe(`${sha(WEIGHTS)}  ${path}`);
  expect(await json("verify", "README.md")).toMatchObject({ exit: 2, error: { code: "usage" } });
  expect(await json("verify", "README.md", "--sha256", sha(readFileSync("README.md")))).toMatchObject({ exit: 0, verified: [{ by: "caller" }] });
  expect(await json("verify", "README.md", "--sha256", "0".repeat(64))).toMatchObject({ exit: 1, error: { code: "format.hash" } });
  expect(await json("verify", join(stage.root, "nope.skint"))).toMatchObject({ exit: 3 });
});

test("verify: a .skint against its header, whole and with one bit changed", async () => {
  const path = join(stage.root, "model.skint");
  const pack = await buildPack(SMALL);
  writeFileSync(path, pack);
  expect(await json("verify", path)).toMatchObject({ exit: 0, verified: [{ by: "header" }] });
  for (const at of [3000, pack.length - 300]) {
    writeFileSync(path, pack.with(at, pack[at] ^ 1));
    expect(await json("verify", path)).toMatchObject({ exit: 1, error: { code: "format.hash" } });
  }
});

test("Ctrl-C and kill -9 on the real command: nothing half-written, and the next pull goes on", async () => {
  const program = join(stage.dir, "skint.mjs");
  await build({
    stdin: { contents: PROGRAM, resolveDir: process.cwd(), loader: "ts" },
    outfile: program,
    bundle: true,
    platform: "node",
    format: "esm",
    logLevel: "error",
    banner: { js: REQUIRE },
  });
  const served = file("/m.gguf");
  const url = `${stage.server.url}/m.gguf`;
  const pull = () => spawn(process.execPath, [program, "pull", url, "--out", join(stage.root, "m.gguf"), "--progress", "json"], { stdio: ["ignore", "pipe", "pipe"] });
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGKILL", null],
  ] as const) {
    stage.server.fault = cutAfter(200_000, "stalls", served);
    process.env.SKINT_STALL_SECONDS = "30";
    const asked = stage.server.log.length;
    const child = pull();
    let said = "";
    child.stderr.on("data", (d) => (said += d));
    while (stage.server.log.length === asked) await new Promise((r) => setTimeout(r, 10));
    await new Promise((r) => setTimeout(r, 150));
    child.kill(signal);
    expect(await once(child, "exit")).toEqual([code, code === null ? signal : null]);
    if (code !== null) expect(said).toContain("200000 bytes are kept");
    expect(existsSync(join(stage.root, "m.gguf"))).toBe(false);
  }
  stage.server.fault = () => undefined;
  const last = pull();
  expect((await once(last, "exit"))[0]).toBe(0);
  expect(sha(readFileSync(join(stage.root, "m.gguf")))).toBe(sha(WEIGHTS));
  expect(stage.server.log.at(-1)?.range).toMatch(/^bytes=[24]00000-/);
  expect(spawnSync(process.execPath, [program, "cache", "ls", "--json"], { encoding: "utf8" }).stdout).toContain(sha(WEIGHTS));
}, 30_000);

const REQUIRE = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';
const PROGRAM = `
import { main } from "./tools/cli/program.ts";
import { stopSignal } from "./tools/cli/signals.ts";
import { verb as pull } from "./tools/pull/command.ts";
import { verb as cache } from "./tools/cache/command.ts";
const io = { out: (t) => process.stdout.write(t), err: (t) => process.stderr.write(t), outIsTerminal: false, errIsTerminal: false, env: process.env, signal: stopSignal() };
process.exitCode = await main(process.argv.slice(2), [pull, cache], io, "0.0.0");
`;
