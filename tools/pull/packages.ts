// `npm:` and `pypi:`: one file of a package, which the user's own client fetches. No code of the package is run: npm is told to ignore scripts, pip to
// take wheels only. The archive is read by our own readers (tar.ts, zip.ts); only the wanted file's bytes are written, under a name of the cache's.
import { createReadStream, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { createGunzip } from "node:zlib";
import { SkintError, throwIfAborted } from "../../runtime/errors.ts";
import type { CacheFile } from "../../targets/hosts/node/cache.ts";
import { openFile } from "../../targets/hosts/node/files.ts";
import { sha256 } from "../../targets/hosts/node/hash.ts";
import type { FileStore } from "../../targets/hosts/node/partial.ts";
import type { Found, Puller } from "./fetch.ts";
import { type Program, runProgram } from "./program.ts";
import type { PackageSpec } from "./spec.ts";
import { type Receiver, readTar } from "./tar.ts";
import { readZip, unzip } from "./zip.ts";

function npm(spec: PackageSpec, into: string): Program {
  const wanted = spec.version ? `${spec.package}@${spec.version}` : spec.package;
  return {
    commands: [["npm", "pack", wanted, "--ignore-scripts", "--loglevel=error"]],
    env: { npm_config_pack_destination: into, npm_config_update_notifier: "false", npm_config_dry_run: "false" },
    into,
    absent: "it comes with Node: https://nodejs.org",
  };
}

function pip(spec: PackageSpec, into: string): Program {
  const wanted = spec.version ? `${spec.package}==${spec.version}` : spec.package;
  const args = ["download", wanted, "--no-deps", "--only-binary", ":all:", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"];
  return {
    commands: [
      ["pip", ...args],
      ["pip3", ...args],
      ["python3", "-m", "pip", ...args],
    ],
    env: { PIP_DEST: into },
    into,
    absent: "install Python with pip: https://pip.pypa.io",
  };
}

/** The one archive that the client left. */
function archive(folder: string, ending: string, spec: PackageSpec): string {
  const files = readdirSync(folder).filter((f) => f.endsWith(ending));
  if (files.length === 1) return files[0];
  throw new SkintError(
    "program.failed",
    `${spec.kind === "npm" ? "npm pack" : "pip download"} left ${files.length} ${ending} files for ${spec.package}; run it by hand to see why`,
    {
      what: spec.package,
    },
  );
}

/** The entry that is meant: the very path, or a bare name that stands only once. */
function meant(names: readonly string[], spec: PackageSpec, from: string): string {
  if (names.includes(spec.file)) return spec.file;
  const same = names.filter((n) => n.endsWith(`/${spec.file}`));
  if (same.length === 1) return same[0];
  const models = names.filter((n) => /\.(gguf|skint|safetensors|tflite|onnx)$/.test(n));
  const some = (same.length ? same : models.length ? models : names).slice(0, 30).join(", ");
  throw new SkintError("file.missing", `${from} holds ${same.length ? `${same.length} files` : "no file"} called ${spec.file}; name one of ${some || "none: it is empty"}`, {
    what: spec.file,
  });
}

/** In a package everything stands in one folder, mostly `package/`. */
const inner = (name: string) => name.slice(name.indexOf("/") + 1);

async function walkTar(path: string, name: string, onFile: (name: string, bytes: number) => Receiver | undefined): Promise<void> {
  const file = createReadStream(path, { highWaterMark: 1 << 20 });
  const unpacked = file.pipe(createGunzip());
  file.on("error", (e) => unpacked.destroy(e));
  try {
    await readTar(name, unpacked, (n, bytes) => onFile(inner(n), bytes));
  } catch (e) {
    if (/^Z_/.test((e as { code?: string }).code ?? ""))
      throw new SkintError("format.header", `${name} does not unpack (${(e as Error).message}); fetch it again`, { what: name }, { cause: e });
    throw e;
  } finally {
    file.destroy();
    unpacked.destroy();
  }
}

type Extract = (to: (bytes: number) => Receiver) => Promise<void>;

async function openTar(path: string, name: string, spec: PackageSpec): Promise<Extract> {
  const names: string[] = [];
  await walkTar(path, name, (n) => void names.push(n));
  const wanted = meant(names, spec, name);
  if (names.filter((n) => n === wanted).length > 1) throw new SkintError("format.duplicate", `${name} holds ${wanted} twice; ask its publisher which is right`, { what: wanted });
  return (to) => walkTar(path, name, (n, bytes) => (n === wanted ? to(bytes) : undefined));
}

async function openWheel(path: string, name: string, spec: PackageSpec): Promise<Extract> {
  return async (to) => {
    const source = await openFile(path);
    try {
      const entries = await readZip(source);
      const entry = entries.get(meant([...entries.keys()], spec, name));
      if (entry) await unzip(source, entry, to(entry.bytes));
    } finally {
      await source.close();
    }
  };
}

/** Unpacks into the cache. */
async function store(spec: PackageSpec & { name: string }, { cache, context }: Puller, extract: Extract): Promise<CacheFile> {
  const name = spec.file.split("/").at(-1) as string;
  const kept: FileStore = cache.partial(spec.name);
  const hash = sha256();
  const progress = context.progress(`unpacking ${name}`);
  try {
    await kept.reset({ url: spec.name });
    await extract((total) => async (piece) => {
      throwIfAborted(context.signal, `unpacking ${name}`);
      await kept.append(piece);
      hash.update(piece);
      progress.update(kept.size, total);
    });
    const digest = hash.digest();
    const bytes = kept.size;
    cache.adopt(kept, digest);
    return { name, sha256: digest, bytes };
  } finally {
    progress.end();
    // Half of a file is of no use: the archive is unpacked from its beginning.
    kept.discard();
  }
}

export async function pullPackage(spec: PackageSpec & { name: string }, puller: Puller): Promise<Found> {
  const into = puller.cache.scratch();
  try {
    await runProgram(spec.kind === "npm" ? npm(spec, into) : pip(spec, into), puller.context);
    const name = archive(into, spec.kind === "npm" ? ".tgz" : ".whl", spec);
    const path = join(into, name);
    const open = spec.kind === "npm" ? openTar : openWheel;
    if (!statSync(path).isFile()) throw new SkintError("file.unreadable", `${name} is no file`, { what: name });
    return { files: [await store(spec, puller, await open(path, name, spec))], revision: name };
  } finally {
    rmSync(into, { recursive: true, force: true });
  }
}
