// `skint drift`: how far the states of a state-space model wander in a long text, and what they take beside a transformer's caches.
import { readFileSync, writeFileSync } from "node:fs";
import { SkintError } from "../../runtime/errors.ts";
import type { Model } from "../../runtime/session/model.ts";
import { attempt } from "../../targets/hosts/node/files.ts";
import type { Context } from "../cli/context.ts";
import { EXIT } from "../cli/errors.ts";
import { ENGINE_OPTIONS, openModel } from "../cli/model.ts";
import { table } from "../cli/table.ts";
import { bytes } from "../cli/units.ts";
import { whole } from "../cli/values.ts";
import type { Verb } from "../verb.ts";
import { type Drift, driftOf } from "./measure.ts";
import { type CacheMemory, cachesOf, type StateMemory } from "./memory.ts";
import { pictureOf } from "./picture.ts";

const DEFAULT_TOKENS = 16384;
/** Looks at the states. */
const LOOKS = 100;
/** Of which so many are printed. */
const PRINTED = 8;

/** The text over and over, as many tokens as are wanted. */
function tokensOf(model: Model, path: string, count: number): Uint32Array {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (e) {
    throw new SkintError("file.missing", `the text ${path} cannot be read; give a UTF-8 text file`, { what: path }, { cause: e });
  }
  const ids = model.session().encode(text);
  if (ids.length === 0) throw new SkintError("usage", `the text ${path} has no tokens; give one to read`, { what: path });
  return Uint32Array.from({ length: count }, (_, i) => ids[i % ids.length]);
}

function report(found: readonly Drift[], states: readonly StateMemory[], caches: readonly CacheMemory[]): string {
  const shown = found.filter((_, i) => i % Math.ceil(found.length / PRINTED) === 0 || i === found.length - 1);
  const both = found[0].against !== undefined;
  const cells = shown.map((d) => [String(d.tokens), d.f64.toExponential(2), ...(both ? [(d.against as number).toExponential(2)] : [])]);
  return [
    table(["tokens", "f32 from f64", ...(both ? [`${states[1].model} from f32`] : [])], cells, { right: [0, 1, 2] }),
    "",
    ...states.map((s) => `${s.model}: a state of ${bytes(s.state)}, however long the text is`),
    `key/value caches of a transformer of equal size in f16: ${caches.map((c) => `${bytes(c.bytes)} at ${c.tokens} tokens`).join(", ")}`,
  ].join("\n");
}

async function run(path: string, text: string, o: Readonly<Record<string, unknown>>, context: Context): Promise<number> {
  const model = (await openModel(path, o, context, { golden: false })).model;
  const against = o.against as string | undefined;
  let other: Model | undefined;
  try {
    if (against !== undefined) other = (await openModel(against, { ...o, recipe: o.againstRecipe }, context, { golden: false })).model;
    const tokens = o.tokens as number;
    const progress = context.progress("reading", "tokens", tokens);
    const found = await driftOf(model, other, tokensOf(model, text, tokens), {
      every: Math.ceil(tokens / LOOKS),
      signal: context.signal,
      onToken: (read) => progress.update(read),
    }).finally(() => progress.end());
    const svg = o.svg as string | undefined;
    if (svg !== undefined) attempt(svg, "written", () => writeFileSync(svg, pictureOf(found, { model: model.name, against: other?.name })));
    const states = [model, ...(other ? [other] : [])].map((m) => ({ model: m.name, state: m.engine.stateBytes }));
    const caches = cachesOf(model.engine.graph);
    context.answer({ drift: found, states, caches }, () => report(found, states, caches));
    return EXIT.ok;
  } finally {
    other?.close();
    model.close();
  }
}

export const verb: Verb = {
  name: "drift",
  summary: "how far the states of a Mamba model wander in a long text",
  description:
    "Reads a text over and over. The states of the model, whose scans must be f32, are compared with the same recurrence in f64, and those of a second model of its shape, such as one with int8 states, with the first one's. --svg draws both. Last it says what a state takes beside the caches of a transformer of equal size.",
  example: "skint drift models/tiny-mamba models/tiny-swiglu/heldout.txt --recipe f32 --against mamba-int8.skint --tokens 100000 --svg drift.svg",
  arguments: [
    { name: "<model>", description: "a model.skint or checkpoint folder whose scans are f32" },
    { name: "<text>", description: "a UTF-8 text file" },
  ],
  options: [
    { flags: "--against <model>", description: "a second model of the same shape" },
    { flags: "--against-recipe <name>", description: "recipe for that model if it is a folder" },
    { flags: "--tokens <n>", description: "tokens to read", default: DEFAULT_TOKENS, parse: whole("--tokens", { min: 1, max: 100_000_000 }) },
    { flags: "--svg <file>", description: "draw the drift" },
    ...ENGINE_OPTIONS,
  ],
  run: ({ positional, options }, context) => run(positional[0] as string, positional[1] as string, options, context),
};
