// What tests of `skint pull` stand on: a server on 127.0.0.1, a cache of each test's own, and the command in process.
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { verb as cacheVerb } from "../../tools/cache/command.ts";
import { main } from "../../tools/cli/program.ts";
import { verb as pullVerb } from "../../tools/pull/command.ts";
import { verb as verifyVerb } from "../../tools/verify/command.ts";
import { type FileServer, type Served, serveFiles } from "../support/file-server.ts";
import { captureIo } from "./io.ts";

export const WEIGHTS = Uint8Array.from({ length: 700_000 }, (_, i) => (i * 37 + (i >> 9)) & 255);
export const COMMIT = "c".repeat(40);
export const VERBS = [pullVerb, cacheVerb, verifyVerb];
export const sha = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex");

const saved = { ...process.env };
const PROXIES = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

export const stage = {
  dir: mkdtempSync(join(tmpdir(), "skint-pull-")),
  /** Folder of the running test. */
  root: "",
  server: undefined as unknown as FileServer,
};

let cases = 0;

beforeAll(async () => {
  stage.server = await serveFiles();
});
afterAll(async () => {
  await stage.server.close();
  rmSync(stage.dir, { recursive: true, force: true });
});
beforeEach(() => {
  const { server, dir } = stage;
  stage.root = join(dir, `case-${cases++}`);
  mkdirSync(stage.root);
  Object.assign(process.env, { SKINT_CACHE: join(stage.root, "cache"), HF_ENDPOINT: server.url, SKINT_STALL_SECONDS: "0.3" });
  for (const name of ["HF_TOKEN", ...PROXIES]) delete process.env[name];
  server.files.clear();
  server.log.length = 0;
  server.fault = () => undefined;
});
afterEach(() => {
  for (const name of Object.keys(process.env)) if (!(name in saved)) delete process.env[name];
  Object.assign(process.env, saved);
});

export async function skint(...argv: string[]) {
  const io = captureIo();
  const exit = await main(argv, VERBS, io, "0.0.0");
  return { exit, out: io.stdout.trim(), err: io.stderr };
}

/** Runs with --json; what it answered, with the exit code. */
export async function json(...argv: string[]) {
  const { exit, out } = await skint(...argv, "--json");
  return { exit, ...JSON.parse(out) };
}

/** Puts a file on the server. */
export function file(path: string, bytes: Uint8Array | string = WEIGHTS, etag = '"1"'): Served {
  const served = { bytes: typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes, etag };
  stage.server.files.set(path, served);
  return served;
}

/** Puts a repository on the server, listed as a hub does; what is no text is in its large-file storage. */
export function repo(files: Record<string, Uint8Array | string>, name = "org/repo", commit = COMMIT): void {
  for (const [path, bytes] of Object.entries(files)) file(`/${name}/resolve/${commit}/${path}`, bytes);
  const siblings = Object.entries(files).map(([rfilename, b]) => ({ rfilename, size: b.length, ...(typeof b === "string" ? {} : { lfs: { sha256: sha(b), size: b.length } }) }));
  file(`/api/models/${name}/revision/main`, JSON.stringify({ sha: commit, siblings }), `"${commit}"`);
}
