// `skint chat`: a talk with a model, turn by turn.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { SkintError } from "../../runtime/errors.ts";
import type { Session } from "../../runtime/session/session.ts";
import type { Context } from "../cli/context.ts";
import { EXIT } from "../cli/errors.ts";
import { ENGINE_OPTIONS, openModel, placeLine } from "../cli/model.ts";
import { generate, SAMPLING_OPTIONS, statsLine } from "../run/command.ts";
import type { Verb } from "../verb.ts";
import { startTalk, type Talk } from "./talk.ts";

type Options = Readonly<Record<string, unknown>>;

/** One turn: the answer is shown as it comes, and kept, whole or as far as it got. */
async function turn(talk: Talk, session: Session, message: string, o: Options, context: Context, signal: AbortSignal): Promise<void> {
  talk.messages.push({ role: "user", content: message });
  const options = { ...o, ends: talk.ends, stop: [...talk.stop, ...((o.stop as string[]) ?? [])] };
  let answer = "";
  let stopped = false;
  try {
    await generate(session, await talk.prompt(), options, signal, (text) => {
      answer += text;
      if (!context.json) context.out(text);
    });
  } catch (e) {
    stopped = e instanceof SkintError && e.code === "aborted" && !context.signal.aborted;
    if (!stopped) throw e;
  }
  talk.messages.push({ role: "assistant", content: answer });
  if (context.json) context.answer({ message, answer, stopped, stats: session.stats }, () => "");
  else context.out("\n");
  context.note(stopped ? "stopped" : statsLine(session.stats));
}

/** A JSON file with a list of tools. */
function toolsIn(path: string): unknown[] {
  const wrong = (because: string, cause?: unknown) =>
    new SkintError("usage", `${path} ${because}; give a JSON file with a list of tools, [{ "type": "function", "function": … }]`, { what: "--tools" }, { cause });
  let tools: unknown;
  try {
    tools = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw wrong(`cannot be read (${(cause as Error).message})`, cause);
  }
  if (!Array.isArray(tools)) throw wrong("holds no list");
  return tools;
}

async function chat(path: string, o: Options, context: Context): Promise<number> {
  const tools = o.tools === undefined ? undefined : toolsIn(o.tools as string);
  const opened = await openModel(path, o, context);
  const { model } = opened;
  const terminal = process.stdin.isTTY === true && process.stderr.isTTY === true;
  let answering: AbortController | undefined;
  try {
    const talk = await startTalk(model, { system: o.system as string | undefined, tools });
    const session = model.session();
    context.note(`${model.recipe} on ${placeLine(opened)}`);
    const lines = createInterface({ input: process.stdin, output: terminal ? process.stderr : undefined, terminal, prompt: "> ", crlfDelay: Number.POSITIVE_INFINITY });
    // At a terminal Ctrl-C comes here: it stops the answer, or between answers the talk.
    lines.on("SIGINT", () => (answering ? answering.abort() : lines.close()));
    const close = () => lines.close();
    context.signal.addEventListener("abort", close);
    try {
      if (terminal) lines.prompt();
      for await (const line of lines) {
        answering = new AbortController();
        if (line.trim() !== "") await turn(talk, session, line, o, context, AbortSignal.any([context.signal, answering.signal]));
        answering = undefined;
        if (terminal) lines.prompt();
      }
    } finally {
      context.signal.removeEventListener("abort", close);
      lines.close();
    }
    return EXIT.ok;
  } finally {
    model.close();
  }
}

export const verb: Verb = {
  name: "chat",
  summary: "talk with a model, turn by turn",
  description:
    "Loads a model that carries a chat template and answers each line of standard input; at a terminal it asks for them. Earlier turns stay in the cache. Ctrl-C stops an answer, Ctrl-D ends the talk. With --json, one line of JSON for each turn.",
  example: 'skint chat model.gguf --system "Answer in one sentence."\necho "What is a skink?" | skint chat model.skint --temperature 0 --json',
  arguments: [{ name: "<model>", description: "a model.skint file, a .gguf file or a checkpoint folder" }],
  options: [
    { flags: "--system <text>", description: "what the model is told before the first turn" },
    { flags: "--tools <file>", description: "a JSON list of tools the model may call, as its template wants them" },
    ...SAMPLING_OPTIONS,
    ...ENGINE_OPTIONS,
  ],
  run: ({ positional: [model], options }, context) => chat(model as string, options, context),
};
