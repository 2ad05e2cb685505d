// `hf:org/repo`: files of a repository on a hub that speaks Hugging Face's addresses. HF_ENDPOINT names another hub or a mirror, HF_TOKEN is sent to
// it and to nobody else. All files of one pull are of one commit.
import { SkintError } from "../../runtime/errors.ts";
import { type Json, JsonScanner, parseJson } from "../../runtime/formats/safetensors/json.ts";
import { shown } from "../../runtime/io/http.ts";
import { memoryStore } from "../../runtime/io/partial.ts";
import { transfer } from "../../runtime/io/transfer.ts";
import { decodeUtf8 } from "../../runtime/io/utf8.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { type Cached, isPlainName } from "../../targets/hosts/node/cache.ts";
import { openFile } from "../../targets/hosts/node/files.ts";
import { type Found, fetchFile, network, type Puller } from "./fetch.ts";
import type { HubSpec } from "./spec.ts";

interface HubFile {
  readonly path: string;
  readonly bytes?: number;
  /** Known for files in large-file storage. */
  readonly sha256?: string;
}

interface Listing {
  /** Undefined where the hub gives files but no listings. */
  readonly commit?: string;
  readonly files: ReadonlyMap<string, HubFile>;
}

interface Hub {
  readonly endpoint: string;
  readonly secret: Readonly<Record<string, string>>;
}

export function hubOf(env: Puller["env"]): Hub {
  const endpoint = (env.HF_ENDPOINT || "https://huggingface.co").replace(/\/+$/, "");
  let url: URL;
  try {
    url = new URL(endpoint);
  } catch (cause) {
    throw new SkintError("usage", `HF_ENDPOINT is ${JSON.stringify(endpoint)}, which is no address; set it to one like https://huggingface.co`, { what: "HF_ENDPOINT" }, { cause });
  }
  const safe = url.protocol === "https:" || /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  return { endpoint, secret: env.HF_TOKEN && safe ? { authorization: `Bearer ${env.HF_TOKEN}` } : {} };
}

const encoded = (path: string) => path.split("/").map(encodeURIComponent).join("/");
const fileUrl = (hub: Hub, { repo, revision }: HubSpec, commit: string | undefined, path: string) => `${hub.endpoint}/${repo}/resolve/${commit ?? revision}/${encoded(path)}`;

const field = (json: Json | undefined, key: string): Json | undefined => (json instanceof Map ? json.get(key) : undefined);
const text = (json: Json | undefined) => (typeof json === "string" ? json : undefined);
const size = (json: Json | undefined) => (typeof json === "number" && Number.isSafeInteger(json) && json >= 0 ? json : undefined);

async function list(hub: Hub, spec: HubSpec, puller: Puller): Promise<Listing> {
  const url = `${hub.endpoint}/api/models/${spec.repo}/revision/${spec.revision}?blobs=true`;
  const store = memoryStore();
  await transfer(url, store, { ...network(puller), secret: hub.secret, maxBytes: LIMITS.listingBytes, headers: { accept: "application/json" } });
  const what = shown(url);
  const json = parseJson(decodeUtf8(store.bytes(), what), what);
  const commit = text(field(json, "sha"));
  const siblings = field(json, "siblings");
  if (commit === undefined || !/^[0-9a-f]{40,64}$/.test(commit) || !Array.isArray(siblings))
    throw new SkintError("network.answer", `${what} does not list a repository; check HF_ENDPOINT`, { what });
  const files = new Map<string, HubFile>();
  for (const entry of siblings) {
    const path = text(field(entry, "rfilename"));
    if (path === undefined) continue;
    const sha256 = text(field(field(entry, "lfs"), "sha256"));
    files.set(path, { path, bytes: size(field(entry, "size")), sha256: /^[0-9a-f]{64}$/.test(sha256 ?? "") ? sha256 : undefined });
  }
  return { commit, files };
}

/** A single file can be had from a mirror that lists nothing. */
async function listOrGuess(hub: Hub, spec: HubSpec, puller: Puller): Promise<Listing> {
  try {
    return await list(hub, spec, puller);
  } catch (e) {
    if (spec.file !== undefined && e instanceof SkintError && e.code === "network.status" && /answered with 404/.test(e.message))
      return { files: new Map([[spec.file, { path: spec.file }]]) };
    throw e;
  }
}

const SPLIT = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/;

/** A split GGUF is all of its parts. */
export function parts(path: string): string[] {
  const [, stem, , count] = SPLIT.exec(path) ?? [];
  const n = Number(count ?? 0);
  if (n === 0 || n > LIMITS.shards) return [path];
  return Array.from({ length: n }, (_, i) => `${stem}-${String(i + 1).padStart(5, "0")}-of-${count}.gguf`);
}

const BESIDE = /^(config\.json|tokenizer[\w.-]*\.json|chat_template\.(jinja|json))$/;
const INDEX = "model.safetensors.index.json";

/** The files that a whole repository stands for, the shards of an index not yet among them. */
export function choose(paths: readonly string[], repo: string): string[] {
  const root = paths.filter((p) => !p.includes("/"));
  const beside = root.filter((p) => BESIDE.test(p));
  if (root.includes("model.safetensors")) return [...beside, "model.safetensors"];
  if (root.includes(INDEX)) return [...beside, INDEX];
  const models = [...new Set(root.filter((p) => /\.(gguf|skint)$/.test(p)).map((p) => parts(p)[0]))];
  if (models.length === 1) return parts(models[0]);
  const some = (models.length ? models : paths).slice(0, 30).join(", ");
  const why = models.length ? `holds ${models.length} models` : "holds no model.safetensors, no .gguf and no .skint at its top";
  throw new SkintError("usage", `${repo} ${why}; name the file you want, hf:${repo}/<file>: ${some || "it is empty"}`, { what: repo });
}

/** Shards that an index names. */
async function shards(path: string): Promise<string[]> {
  const source = await openFile(path);
  try {
    if (source.size > LIMITS.indexBytes)
      throw new SkintError("format.limit", `${INDEX} has ${source.size} bytes, the limit is ${LIMITS.indexBytes}; this is no index`, { what: INDEX });
    const bytes = new Uint8Array(source.size);
    await source.read(0, bytes);
    const json = new JsonScanner(decodeUtf8(bytes, INDEX), INDEX);
    const names = new Set<string>();
    json.object((key) => {
      if (key !== "weight_map") return json.skip();
      return json.object(() => {
        const name = json.string(LIMITS.nameLength);
        if (!isPlainName(name) || !name.endsWith(".safetensors")) json.fail("a shard must be a plain .safetensors file beside its index", "format.path", name);
        names.add(name);
      }, LIMITS.modelTensors);
    });
    json.end();
    if (names.size === 0 || names.size > LIMITS.shards) json.fail(`it names ${names.size} shards`, "format.limit");
    return [...names].sort();
  } finally {
    await source.close();
  }
}

/** Fetches what the spec stands for, unless the hub still has the commit that `cached` is of. */
export async function pullHub(spec: HubSpec, puller: Puller, cached: Cached | undefined): Promise<Found> {
  const hub = hubOf(puller.env);
  const listing = await listOrGuess(hub, spec, puller);
  if (cached && listing.commit !== undefined && cached.revision === listing.commit) return cached;
  const paths = spec.file === undefined ? choose([...listing.files.keys()], spec.repo) : parts(spec.file);
  const fetchOne = (path: string) => {
    const known = listing.files.get(path);
    if (!known)
      throw new SkintError("file.missing", `${spec.repo} (${spec.revision}) holds no ${path}; it holds ${[...listing.files.keys()].slice(0, 30).join(", ")}`, { what: path });
    const name = path.split("/").at(-1) as string;
    return fetchFile(puller, {
      url: fileUrl(hub, spec, listing.commit, path),
      name,
      bytes: known.bytes,
      sha256: known.sha256 ?? (paths.length === 1 ? puller.sha256 : undefined),
      secret: hub.secret,
    });
  };
  const files = [];
  for (const path of paths) files.push(await fetchOne(path));
  const index = files.find((f) => f.name === INDEX && spec.file === undefined);
  if (index) for (const path of await shards(puller.cache.blob(index.sha256, index.bytes) as string)) files.push(await fetchOne(path));
  return { files, revision: listing.commit };
}
