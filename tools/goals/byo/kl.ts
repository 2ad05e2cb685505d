// What four bits cost: KL(f32 ‖ four bits) of the next-token distributions of a real model, each token of a text given.
import { existsSync, readFileSync } from "node:fs";
import { SkintError, throwIfAborted } from "../../../runtime/errors.ts";
import { memorySource } from "../../../runtime/io/source.ts";
import { loadModel, type Model } from "../../../runtime/session/model.ts";
import { bootstrap } from "../../../runtime/stats/bootstrap.ts";
import { modelFile, TEXT } from "../../../test/peers/compare.ts";
import { openDevice, packFolder } from "../../cli/model.ts";
import type { Absent, GoalContext, Measured } from "../goal.ts";

const TOKENS = 2048;
/** Tokens after which both start anew. */
const WINDOW = 512;
/** Recipes that are held against f32: the file's own 4-bit blocks, which decide, beside others with the same weights or int4 made anew from them. */
const EXACT = "source";
const OTHERS = ["source-i8tok", "w4"] as const;

/** KL(p ‖ q) in nats of the softmax of two rows of logits, in double precision. */
export function divergence(p: Float32Array, q: Float32Array): number {
  const top = (row: Float32Array) => row.reduce((a, b) => Math.max(a, b), -Infinity);
  const [pTop, qTop] = [top(p), top(q)];
  let [pSum, qSum, cross] = [0, 0, 0];
  for (let i = 0; i < p.length; i++) {
    const [a, b] = [p[i] - pTop, q[i] - qTop];
    const e = Math.exp(a);
    pSum += e;
    qSum += Math.exp(b);
    cross += e * (a - b);
  }
  return cross / pSum - Math.log(pSum) + Math.log(qSum);
}

async function open(path: string, recipe: string, { signal, note }: GoalContext): Promise<Model> {
  note(`  packing as ${recipe}`);
  const { env } = await openDevice({});
  return loadModel(memorySource(await packFolder(path, env, recipe, signal), path), env, { context: WINDOW, score: true, signal });
}

/** Mean divergence of each batch of tokens, in the order of the text, for each of `models` against `full`. */
async function divergences(full: Model, models: readonly Model[], tokens: Uint32Array, { signal, note }: GoalContext): Promise<number[][]> {
  const { vocab } = full.engine.graph;
  const { batch } = full.engine.options;
  const means: number[][] = models.map(() => []);
  for (let at = 0; at < tokens.length; at += batch) {
    throwIfAborted(signal, "the comparison");
    if (at % WINDOW === 0) note(`  ${at} of ${tokens.length} tokens`);
    const piece = tokens.subarray(at, at + batch);
    const want = await full.engine.run("score", piece, at % WINDOW);
    for (const [m, { engine }] of models.entries()) {
      const got = await engine.run("score", piece, at % WINDOW);
      let sum = 0;
      for (let row = 0; row < vocab * piece.length; row += vocab) sum += divergence(want.subarray(row, row + vocab), got.subarray(row, row + vocab));
      means[m].push(sum / piece.length);
    }
  }
  return means;
}

/** Mean over tokens of KL(f32 ‖ q4g32m + int8 activations); the interval draws batches of consecutive tokens. */
export async function costInNats(context: GoalContext): Promise<Measured | Absent> {
  const models: Model[] = [];
  try {
    const { name, path } = modelFile(undefined);
    if (!existsSync(TEXT)) return { absent: `there is no ${TEXT}` };
    for (const recipe of ["f32", EXACT, ...OTHERS]) models.push(await open(path, recipe, context));
    const [full, ...quantised] = models;
    const tokens = full.tokenizer?.encode(readFileSync(TEXT, "utf8").slice(0, 16 * TOKENS)).subarray(0, TOKENS);
    if (tokens?.length !== TOKENS) throw new Error(`${TEXT} has ${tokens?.length} tokens, ${TOKENS} are wanted`);
    const [exact, ...others] = (await divergences(full, quantised, tokens, context)).map((means) => bootstrap(means, "mean"));
    const beside = others.map(({ value, low, high }, i) => `recipe ${OTHERS[i]}: ${value.toFixed(4)} [${low.toFixed(4)} … ${high.toFixed(4)}]`);
    return { ...exact, note: `${name}, ${TOKENS} tokens in windows of ${WINDOW}; ${beside.join("; ")}` };
  } catch (e) {
    if (e instanceof SkintError && e.code === "file.missing") return { absent: e.message };
    throw e;
  } finally {
    for (const model of models) model.close();
  }
}
