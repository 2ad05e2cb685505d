// `skint verify`: whether a file still is what its writer, or the pull, says it is.
import { join } from "node:path";
import { SkintError } from "../../runtime/errors.ts";
import { openPack } from "../../runtime/formats/skint/reader.ts";
import { Cache } from "../../targets/hosts/node/cache.ts";
import { openFile } from "../../targets/hosts/node/files.ts";
import { sha256 } from "../../targets/hosts/node/hash.ts";
import type { Context } from "../cli/context.ts";
import { hashFile } from "../cli/copy.ts";
import { EXIT } from "../cli/errors.ts";
import { sha256Hex } from "../cli/values.ts";
import type { Verb } from "../verb.ts";

interface Verified {
  readonly file: string;
  readonly sha256: string;
  /** Who says what it must be. */
  readonly by: "header" | "cache" | "caller";
}

/** Hashes a model.skint as its header says. */
async function verifyPack(file: string, context: Context): Promise<Verified> {
  const source = await openFile(file);
  const progress = context.progress(`hashing ${source.name}`, "bytes", source.size);
  try {
    const pack = await openPack(source, { hasher: sha256(), signal: context.signal, onProgress: (done, total) => progress.update(done, total) });
    return { file, sha256: pack.digest, by: "header" };
  } finally {
    progress.end();
    await source.close();
  }
}

async function verifyHash(file: string, expected: string, by: Verified["by"], context: Context): Promise<Verified> {
  const digest = await hashFile(file, context);
  const next = by === "cache" ? "remove its entry with skint cache rm and pull it again" : "fetch or write it again";
  if (digest !== expected) throw new SkintError("format.hash", `${file} hashes to ${digest}, not to ${expected}; ${next}`, { what: file });
  return { file, sha256: digest, by };
}

async function verifyOne(file: string, given: string | undefined, context: Context): Promise<Verified[]> {
  const cache = new Cache();
  const entry = cache.list().find((e) => e.entry.name === file)?.entry;
  if (entry) {
    const cached = cache.find(file);
    if (!cached) throw new SkintError("file.missing", `a file of ${file} is missing or short in the cache; pull it again`, { what: file });
    const all = [];
    for (const f of cached.files) all.push(await verifyHash(join(cached.folder, f.name), f.sha256, "cache", context));
    return all;
  }
  const known = cache.expected(file);
  if (given) return [await verifyHash(file, given, "caller", context)];
  if (known) return [await verifyHash(file, known, "cache", context)];
  if (file.endsWith(".skint")) return [await verifyPack(file, context)];
  await (await openFile(file)).close();
  throw new SkintError("usage", `nothing says what ${file} must be: it is no .skint and not in the cache; give its hash with --sha256`, { what: file });
}

export const verb: Verb = {
  name: "verify",
  summary: "check that a file is what it says it is",
  description:
    "Reads a file once and compares its hash: a .skint with its own header, a file in the cache with what was pulled, any other with --sha256. What was pulled can be given by its name. A digest shows that nothing was damaged or changed, not that its writer is honest.",
  example: "skint verify model.skint\nskint verify hf:HuggingFaceTB/SmolLM2-135M-Instruct",
  arguments: [{ name: "<file>", description: "a file, or the name of something pulled" }],
  options: [{ flags: "--sha256 <hash>", description: "what it must hash to", parse: sha256Hex("--sha256") }],
  async run({ positional: [file], options }, context) {
    const verified = await verifyOne(file as string, options.sha256 as string | undefined, context);
    context.answer({ verified }, () => verified.map((v) => `${v.sha256}  ${v.file}`).join("\n"));
    return EXIT.ok;
  },
};
