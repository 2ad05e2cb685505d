// `skint demo`, behind `npm start`: the default model compressed, run and measured, and a table that says what each recipe costs and gives.
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { scoreText } from "../../runtime/stats/perplexity.ts";
import { quantile } from "../../runtime/stats/quantile.ts";
import { createFile, openFolder } from "../../targets/hosts/node/files.ts";
import { host } from "../../targets/hosts/node/host.ts";
import { readEngine, readMachine } from "../../targets/hosts/node/machine.ts";
import { measure } from "../bench/measure.ts";
import type { Context } from "../cli/context.ts";
import { EXIT } from "../cli/errors.ts";
import { DEFAULT_MODEL, openDevice, openModel } from "../cli/model.ts";
import { table } from "../cli/table.ts";
import { bytes } from "../cli/units.ts";
import { openCheckpoint } from "../compress/checkpoint.ts";
import { compressModel } from "../compress/compress.ts";
import { recipeNamed } from "../compress/recipe.ts";
import { evaluate, splitOfCard } from "../eval/evaluate.ts";
import { generate, statsLine } from "../run/command.ts";
import type { Verb } from "../verb.ts";

const PROMPT = "And it came to pass";
const RECIPES = ["f32", "w8", "w4"];
const MEASURE = { promptTokens: 64, decodeTokens: 64, rounds: 5 };

interface Row {
  readonly recipe: string;
  readonly bytes: number;
  readonly bitsPerByte: number;
  readonly tokensPerSecond: number;
  readonly p50: number;
  readonly p95: number;
  readonly memoryBytes: number;
}

async function compress(recipe: string, out: string, context: Context): Promise<void> {
  const checkpoint = await openCheckpoint(await openFolder(DEFAULT_MODEL));
  const progress = context.progress(`compressing to ${recipe}`);
  try {
    const { env } = await openDevice({ threads: 1 });
    await compressModel(checkpoint, await createFile(out), env, { recipe: recipeNamed(recipe), signal: context.signal, onProgress: (done, total) => progress.update(done, total) });
  } finally {
    progress.end();
    await checkpoint.store.close();
  }
}

async function judge(recipe: string, file: string, text: string, context: Context): Promise<Row> {
  const { model } = await openModel(file, {}, context, { score: true });
  const progress = context.progress(`scoring ${recipe}`, "tokens");
  try {
    const window = model.engine.options.context;
    const scores = await evaluate(model, text, {
      split: splitOfCard(model.card),
      window,
      stride: window >> 1,
      signal: context.signal,
      onProgress: (done, total) => progress.update(done, total),
    });
    const { decodeMs } = await measure(model.engine, host.now, { ...MEASURE, signal: context.signal });
    const total = decodeMs.reduce((a, b) => a + b, 0);
    return {
      recipe,
      bytes: statSync(file).size,
      bitsPerByte: scoreText(scores).bitsPerByte,
      tokensPerSecond: (1000 * decodeMs.length) / total,
      p50: quantile(decodeMs, 0.5),
      p95: quantile(decodeMs, 0.95),
      memoryBytes: model.engine.program.memoryBytes,
    };
  } finally {
    progress.end();
    model.close();
  }
}

async function tell(file: string, context: Context): Promise<string> {
  const { model } = await openModel(file, {}, context);
  try {
    if (!context.json) context.out(`\n${PROMPT}`);
    const o = { seed: 7, temperature: 0.7, topK: 0, topP: 0.9, minP: 0, repeatPenalty: 1.1, maxTokens: 120 };
    const { text, stats } = await generate(model.session(), PROMPT, o, context.signal, (t) => {
      if (!context.json) context.out(t);
    });
    context.note(`\n\n(${statsLine(stats)})\n`);
    return PROMPT + text;
  } finally {
    model.close();
  }
}

async function run(context: Context): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "skint-demo-"));
  const fileOf = (recipe: string) => join(folder, `${recipe}.skint`);
  try {
    const [machine, engine] = [readMachine(), readEngine()];
    context.note(`${machine.cpu}, ${machine.cores} processors; ${engine.name} ${engine.version}`);
    for (const recipe of RECIPES) await compress(recipe, fileOf(recipe), context);
    const text = await tell(fileOf("w4"), context);
    const heldOut = readFileSync(join(DEFAULT_MODEL, "heldout.txt"), "utf8");
    const rows: Row[] = [];
    for (const recipe of RECIPES) rows.push(await judge(recipe, fileOf(recipe), heldOut, context));
    const cells = rows.map((r) => [r.recipe, bytes(r.bytes), r.bitsPerByte.toFixed(4), r.tokensPerSecond.toFixed(0), r.p50.toFixed(3), r.p95.toFixed(3), bytes(r.memoryBytes)]);
    context.answer({ model: "tiny-swiglu", text, rows }, () =>
      table(["recipe", "file", "bits/byte", "tokens/s", "p50 ms", "p95 ms", "memory"], cells, { right: [1, 2, 3, 4, 5, 6] }),
    );
    context.note("\nNext: skint compress <your checkpoint folder> --recipe w4, then skint run, eval, bench; skint --help lists the verbs.");
    return EXIT.ok;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const verb: Verb = {
  name: "demo",
  summary: "compress, run and measure the default model",
  description: "Compresses the default model to f32, int8 and int4, lets the int4 one write, scores all three on held-out text and measures them.",
  example: "skint demo\nskint demo --json",
  run: (_args, context) => run(context),
};
