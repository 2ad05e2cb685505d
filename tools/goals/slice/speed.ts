// Figures of time, size and sameness.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, mkdtempSync, openSync, readdirSync, readSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadModel } from "../../../runtime/session/model.ts";
import { bootstrapRatio } from "../../../runtime/stats/bootstrap.ts";
import { createFile } from "../../../targets/hosts/node/files.ts";
import { host } from "../../../targets/hosts/node/host.ts";
import { openDevice } from "../../cli/model.ts";
import { compressModel } from "../../compress/compress.ts";
import { recipeNamed } from "../../compress/recipe.ts";
import type { GoalContext, Measured } from "../goal.ts";
import { madeUp } from "../madeup.ts";
import { enableRelaxed, withModel } from "./model.ts";

/** Seconds of `npm start` on an installed checkout. */
export async function secondsToStart(): Promise<Measured> {
  const begin = performance.now();
  execFileSync("npm", ["start", "--silent"], { stdio: "ignore" });
  return { value: (performance.now() - begin) / 1000 };
}

/** Bytes of all builds of the core in dist/. */
export async function coreBytes(): Promise<Measured> {
  const files = readdirSync("dist/core").filter((f) => f.endsWith(".wasm"));
  return { value: files.reduce((sum, f) => sum + statSync(join("dist/core", f)).size, 0), note: `${files.length} builds` };
}

const TOKENS = 200;
const MOST_THREADS = 8;

/** Distinct greedy texts (with the bits of the last logits) over builds and threads. */
export async function distinctOutputs({ signal, note }: GoalContext): Promise<Measured> {
  const isas = ["scalar", "simd", ...(enableRelaxed() ? ["relaxed"] : [])] as ("scalar" | "simd" | "relaxed")[];
  const seen = new Set<string>();
  let runs = 0;
  for (const isa of isas)
    for (let threads = 1; threads <= MOST_THREADS; threads++) {
      note(`  ${isa}, ${threads} threads`);
      seen.add(
        await withModel("w4", { isa, threads }, async (model) => {
          const session = model.session();
          const hash = createHash("sha256");
          for await (const { token } of session.generate("And it came to pass", { temperature: 0, maxTokens: TOKENS, ignoreEos: true, signal })) hash.update(`${token},`);
          hash.update(new Uint8Array(model.engine.program.view(model.engine.graph.points.logits)));
          return hash.digest("hex");
        }),
      );
      runs++;
    }
  return { value: seen.size, note: `${runs} runs of ${TOKENS} tokens on ${isas.join(", ")}${isas.length < 3 ? "; this engine has no relaxed SIMD" : ""}` };
}

const LOADS = 15;
/** 100 MB at int8. */
const SHAPE = {
  model_type: "llama",
  hidden_size: 1024,
  num_attention_heads: 16,
  intermediate_size: 4096,
  num_hidden_layers: 6,
  vocab_size: 1024,
  max_position_embeddings: 512,
  tie_word_embeddings: true,
};

export async function makeFile(path: string, signal?: AbortSignal): Promise<void> {
  const { env } = await openDevice({ threads: 1 });
  await compressModel(madeUp(SHAPE), await createFile(path), env, { recipe: recipeNamed("w8"), golden: "never", signal });
}

/** Reads, hashes and copies a file into fresh WebAssembly memory: the least a load can do. */
export function readHashCopy(path: string): number {
  const begin = performance.now();
  const size = statSync(path).size;
  const memory = new Uint8Array(new WebAssembly.Memory({ initial: Math.ceil(size / 65536) }).buffer);
  const piece = Buffer.alloc(4 * 2 ** 20);
  const hash = createHash("sha256");
  const fd = openSync(path, "r");
  for (let at = 0; at < size; ) {
    const n = readSync(fd, piece, 0, piece.length, at);
    hash.update(piece.subarray(0, n));
    memory.set(piece.subarray(0, n), at);
    at += n;
  }
  closeSync(fd);
  hash.digest("hex");
  return performance.now() - begin;
}

async function loadOnce(path: string): Promise<number> {
  const begin = performance.now();
  const { env } = await openDevice({});
  const model = await loadModel(await host.open(path), env, {});
  const ms = performance.now() - begin;
  model.close();
  return ms;
}

/** Load of a 100 MB model over read + hash + copy of the same file, alternating. */
export async function loadRatio({ signal, note }: GoalContext): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), "skint-load-"));
  const path = join(folder, "model.skint");
  try {
    await makeFile(path, signal);
    const [loads, floors] = [[] as number[], [] as number[]];
    await loadOnce(path);
    readHashCopy(path);
    for (let i = 0; i < LOADS; i++) {
      floors.push(readHashCopy(path));
      loads.push(await loadOnce(path));
    }
    const { value, low, high } = bootstrapRatio(loads, floors, "median");
    note(`  ${statSync(path).size} bytes`);
    return { value, low, high, note: `${(statSync(path).size / 1e6).toFixed(0)} MB, median of ${LOADS}` };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
