// `skint bench tune`: which build on how many lanes decodes a model fastest here; kept, and taken by default from then on.
import { throwIfAborted } from "../../runtime/errors.ts";
import { loadModel } from "../../runtime/session/model.ts";
import { median } from "../../runtime/stats/quantile.ts";
import { buildUnder } from "../../targets/devices/wasm/device.ts";
import { host } from "../../targets/hosts/node/host.ts";
import type { Context } from "../cli/context.ts";
import { EXIT } from "../cli/errors.ts";
import { ENGINE_FLAGS_OPTION, openDevice, sourceOpener } from "../cli/model.ts";
import { table } from "../cli/table.ts";
import { keepTuned, type Tuned } from "../cli/tuned.ts";
import type { Verb } from "../verb.ts";

/** Passes over all candidates: what the machine does meanwhile hits all of them. */
const PASSES = 3;
const WARM = 12;
const STEPS = 24;
/** A gain of less is none: what would be taken untuned stays. */
const WORTH = 0.97;

interface Candidate extends Tuned {
  readonly build: string;
  /** Milliseconds of decode steps. */
  readonly ms: number[];
}

/** Builds that run here, on one lane and on all that are taken unasked; first what would be taken untuned. */
async function candidates(engineFlags: boolean): Promise<Candidate[]> {
  const plain = (await openDevice({ engineFlags })).device;
  const found: Candidate[] = [];
  for (const threads of new Set([plain.lanes, 1]))
    for (const isa of ["dot32", "relaxed", "simd"] as const) {
      const device = await openDevice({ isa, threads, engineFlags }).then(
        (d) => d.device,
        () => undefined,
      );
      if (device) found.push({ isa, threads, build: buildUnder(device.build, device.flags), ms: [] });
    }
  const unasked = (c: Candidate) => c.build === buildUnder(plain.build, plain.flags) && c.threads === plain.lanes;
  return [...found.filter(unasked), ...found.filter((c) => !unasked(c))];
}

async function run(path: string, o: Readonly<Record<string, unknown>>, context: Context): Promise<number> {
  const engineFlags = o.engineFlags === true;
  const open = await sourceOpener(path, o.recipe as string | undefined, context.signal);
  const all = await candidates(engineFlags);
  const progress = context.progress("tuning", "runs", PASSES * all.length);
  try {
    for (let pass = 0; pass < PASSES; pass++)
      for (const [i, c] of all.entries()) {
        throwIfAborted(context.signal, "tuning");
        progress.update(pass * all.length + i);
        c.ms.push(...(await decode(c, engineFlags, open)));
      }
  } finally {
    progress.end();
  }
  const best = all.reduce((a, b) => (median(b.ms) < WORTH * median(a.ms) ? b : a));
  const source = await open();
  const kept = await keepTuned(source, engineFlags, { isa: best.isa, threads: best.threads });
  await source.close();
  const rows = all.map(({ build, threads, ms }) => ({ build, threads, decodeMs: median(ms), taken: build === best.build && threads === best.threads }));
  context.answer({ model: path, candidates: rows, kept }, () => {
    const cells = rows.map((r, i) => [r.taken ? "*" : "", r.build, String(r.threads), r.decodeMs.toFixed(3), i === 0 ? "taken untuned" : ""]);
    return `${table(["", "build", "threads", "ms a token", ""], cells, { right: [2, 3] })}\n\n* is taken from now on (${kept}); --no-tune ignores it`;
  });
  return EXIT.ok;
}

async function decode({ isa, threads }: Tuned, engineFlags: boolean, open: Awaited<ReturnType<typeof sourceOpener>>): Promise<number[]> {
  const { env } = await openDevice({ isa, threads, engineFlags });
  const model = await loadModel(await open(), env, { golden: false });
  try {
    const ms: number[] = [];
    const room = model.engine.options.context;
    for (let i = 0; i < Math.min(room, WARM + STEPS); i++) {
      const start = host.now();
      await model.engine.run("decode", Uint32Array.of(i % model.engine.graph.vocab), i);
      if (i >= WARM) ms.push(host.now() - start);
    }
    return ms;
  } finally {
    model.close();
  }
}

export const verb: Verb = {
  name: "tune",
  summary: "find the fastest build and number of threads for a model here",
  description:
    "Decodes with every build that runs here, on one thread and on all, in turns, and keeps the fastest in the cache folder, by machine, engine, core and model. From then on it is what the model runs on, unless --isa, --threads or --no-tune says otherwise; records name it. Without tuning the choice is a fixed rule.",
  example: "skint bench tune model.skint\nskint bench tune models/tiny-swiglu --recipe w4 --json",
  arguments: [{ name: "<model>", description: "a model.skint file, a .gguf file or a checkpoint folder" }],
  options: [ENGINE_FLAGS_OPTION, { flags: "--recipe <name>", description: "recipe for a folder or .gguf file (default: source, as it is stored)" }],
  run: ({ positional, options }, context) => run(positional[0] as string, options, context),
};
