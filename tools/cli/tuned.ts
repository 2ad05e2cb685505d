// What `skint bench tune` found fastest for a model here: kept in the cache folder, by machine, engine, core and model, and taken by default
// afterwards. Whatever stands in a file is checked; a file that is not sound counts as none.
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import type { Source } from "../../runtime/io/source.ts";
import { KERNELS } from "../../targets/devices/wasm/catalogue.gen.ts";
import { MAX_LANES } from "../../targets/devices/wasm/control.ts";
import { cacheRoot } from "../../targets/hosts/node/cache.ts";
import { sha256 } from "../../targets/hosts/node/hash.ts";
import { host } from "../../targets/hosts/node/host.ts";
import { writeAtomic } from "../../targets/hosts/node/partial.ts";

export const ISAS = ["scalar", "simd", "relaxed", "dot32"] as const;

export interface Tuned {
  readonly isa: (typeof ISAS)[number];
  readonly threads: number;
}

const folder = () => join(cacheRoot(), "tuned");

/** Bytes at the head of a model that tell it from others: its names, shapes and offsets, and its size beside them. */
const HEAD_BYTES = 64 * 1024;

/** SHA-256 of what decides how fast a model runs here, `more` beside it. */
export async function keyOf(source: Source, engineFlags: boolean, more = ""): Promise<string> {
  const hash = sha256();
  const text = (s: string) => hash.update(new TextEncoder().encode(`${s}\n`));
  text(`${cpus()[0]?.model} ${availableParallelism()} ${process.arch} ${process.versions.v8} ${engineFlags}${more}`);
  for (const build of Object.keys(KERNELS)) hash.update(await host.core(build));
  const head = new Uint8Array(Math.min(HEAD_BYTES, source.size));
  await source.read(0, head);
  hash.update(head);
  text(String(source.size));
  return hash.digest();
}

function parse(text: string): Tuned | undefined {
  const { isa, threads } = JSON.parse(text) as Partial<Tuned>;
  const fine = ISAS.some((name) => name === isa) && Number.isInteger(threads) && (threads as number) >= 1 && (threads as number) <= MAX_LANES;
  return fine ? ({ isa, threads } as Tuned) : undefined;
}

/** What was found for the model in `source`; undefined if it was not tuned here. */
export async function findTuned(source: Source, engineFlags: boolean): Promise<Tuned | undefined> {
  if (!existsSync(folder())) return undefined;
  try {
    return parse(readFileSync(join(folder(), `${await keyOf(source, engineFlags)}.json`), "utf8"));
  } catch {
    return undefined;
  }
}

/** Keeps what was found; returns the file. */
export async function keepTuned(source: Source, engineFlags: boolean, tuned: Tuned): Promise<string> {
  mkdirSync(folder(), { recursive: true });
  const path = join(folder(), `${await keyOf(source, engineFlags)}.json`);
  writeAtomic(path, JSON.stringify(tuned));
  return path;
}
