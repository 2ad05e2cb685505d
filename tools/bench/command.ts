// `skint bench`: how fast a model runs here, with its spread.
import { compareRecords, validateRecord } from "../../runtime/stats/record.ts";
import { host } from "../../targets/hosts/node/host.ts";
import type { Context } from "../cli/context.ts";
import { EXIT } from "../cli/errors.ts";
import { DEFAULT_MODEL, ENGINE_OPTIONS, openModel } from "../cli/model.ts";
import { meterLine, TARGET_OPTION } from "../cli/target.ts";
import { whole } from "../cli/values.ts";
import type { Verb } from "../verb.ts";
import { verb as kernels } from "./kernels/command.ts";
import { measure } from "./measure.ts";
import { readRecord } from "./read.ts";
import { toRecord } from "./record.ts";
import { formatComparison, formatRecord } from "./report.ts";
import { verb as tune } from "./tune.ts";

async function run(path: string, o: Readonly<Record<string, unknown>>, context: Context): Promise<number> {
  const before = o.against === undefined ? undefined : readRecord(o.against as string, validateRecord);
  const loadMs: number[] = [];
  for (let i = 1; i < (o.loads as number); i++) {
    const once = await openModel(path, o, context);
    loadMs.push(once.loadMs);
    once.model.close();
  }
  const { model, device, tuned, loadMs: last, bytes } = await openModel(path, o, context);
  loadMs.push(last);
  const progress = context.progress("measuring", "rounds");
  try {
    const room = model.engine.options.context;
    const promptTokens = Math.min(o.promptTokens as number, room - 1);
    const decodeTokens = Math.min(o.decodeTokens as number, room - promptTokens);
    const timings = await measure(model.engine, host.now, {
      promptTokens,
      decodeTokens,
      rounds: o.rounds as number,
      signal: context.signal,
      onProgress: (done, total) => progress.update(done, total),
    });
    const record = toRecord({ model, device, tuned, bytes, loadMs, promptTokens, timings });
    context.answer(record, () => (before ? formatComparison(before, record, compareRecords(before, record)) : formatRecord(record)));
    const meter = meterLine(model.engine.program);
    if (meter) context.note(meter);
    return EXIT.ok;
  } finally {
    progress.end();
    model.close();
  }
}

export const verb: Verb = {
  name: "bench",
  summary: "measure load, prefill, decode and memory",
  description:
    "Loads the model several times, then times prefill and decode over several rounds after a warm-up. Gives medians, p50/p95/p99 and bootstrap intervals, machine and engine first; a run that wandered or throttled says so and gives no headline. --json writes the record that --against reads.",
  example:
    "skint bench model.skint\nskint bench models/tiny-swiglu --recipe w8\nskint bench model.skint --threads 1 --json > one.json\nskint bench model.skint --threads 2 --against one.json",
  verbs: [kernels, tune],
  arguments: [{ name: "[model]", description: "a model.skint file or a checkpoint folder (default: the default model)" }],
  options: [
    { flags: "--prompt-tokens <n>", description: "tokens of the prompt", default: 128, parse: whole("--prompt-tokens", { min: 1 }) },
    { flags: "--decode-tokens <n>", description: "tokens decoded a round", default: 64, parse: whole("--decode-tokens", { min: 1 }) },
    { flags: "--rounds <n>", description: "rounds after the warm-up", default: 15, parse: whole("--rounds", { min: 1, max: 10000 }) },
    { flags: "--loads <n>", description: "times the model is loaded", default: 5, parse: whole("--loads", { min: 1, max: 1000 }) },
    { flags: "--against <record>", description: "a record written earlier with --json" },
    TARGET_OPTION,
    ...ENGINE_OPTIONS,
  ],
  run: ({ positional, options }, context) =>
    positional[0] === undefined ? run(DEFAULT_MODEL, { recipe: "w4", ...options }, context) : run(positional[0] as string, options, context),
};
