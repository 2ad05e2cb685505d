// `skint inspect`: what a model is made of; `--plan` shows how it would run here.

import { isMatrix } from "../../runtime/graph/formats.ts";
import { ENDLESS } from "../../runtime/graph/types.ts";
import type { Plan, Step } from "../../runtime/plan/types.ts";
import { bytesByScheme } from "../../runtime/session/engine.ts";
import type { Model } from "../../runtime/session/model.ts";
import { host } from "../../targets/hosts/node/host.ts";
import type { Context } from "../cli/context.ts";
import { EXIT } from "../cli/errors.ts";
import { ENGINE_OPTIONS, openModel } from "../cli/model.ts";
import { table } from "../cli/table.ts";
import { bytes } from "../cli/units.ts";
import { checkFfnCalibration, type FfnCalibration } from "../compress/leaveout.ts";
import { reportOf } from "../eval/score.ts";
import type { Verb } from "../verb.ts";

/** Multiply-adds a byte at which a step stops being bound by memory: about 30 GMAC/s a lane over 20 GB/s. */
const BALANCE = 1.5;

interface StepRow {
  readonly step: string;
  readonly kernel: string;
  readonly why: string;
  readonly units: number;
  readonly bytes: number;
  readonly macs: number;
  readonly bound: "memory" | "compute" | "latency";
}

/** Positions, or null where there may be any number. */
const limit = (context: number): number | null => (context === ENDLESS ? null : context);

/** Below this a step's time is its dispatch. */
const SMALL_BYTES = 16384;

function row(s: Step): StepRow {
  const { bytes: moved, macs } = s.cost;
  const bound = moved < SMALL_BYTES ? "latency" : macs / moved > BALANCE ? "compute" : "memory";
  return { step: s.name, kernel: s.kernel, why: s.why, units: s.units, bytes: Math.round(moved), macs, bound };
}

function planText(plan: Plan): string {
  const rows = plan.steps.map(row);
  const sum = (f: (r: StepRow) => number) => rows.reduce((a, r) => a + f(r), 0);
  const cells = rows.map((r) => [r.step, r.kernel, String(r.units), bytes(r.bytes), String(r.macs), r.bound, r.why]);
  const { T, C } = plan.symbols;
  return `plan ${plan.name}: ${T} token${T > 1 ? "s" : ""} a step, context ${limit(C) ?? "without limit"}, ${rows.length} steps, ${bytes(sum((r) => r.bytes))} moved, ${sum((r) => r.macs)} multiply-adds, arena ${bytes(plan.arenaBytes)}\n${table(["step", "kernel", "units", "moves", "MACs", "bound", "why"], cells, { right: [2, 3, 4] })}`;
}

/** What calibrators found for the feed-forward layers. Throws `format.hash` where that was for other weights. */
async function calibrationOf(path: string, { engine }: Model): Promise<FfnCalibration | undefined> {
  const { ffn } = await reportOf(path);
  if (ffn) checkFfnCalibration(ffn, engine, host.sha256);
  return ffn;
}

/** "cett, 91.2 % left out at 1 % of perplexity …" of each calibrator, "core, 4 clusters of texts …" of that which has no cost of its own. */
function calibrated({ calibrators, text, tokens, sparse24 }: FfnCalibration): string {
  const each = calibrators.map((c) => {
    if (c.perplexity === undefined) return `${c.mode}, ${c.clusters} clusters of texts told apart by ${c.probe}`;
    const layers = c.layers as readonly { readonly leftOut: number }[];
    const cost = (c.perplexity as number) / (c.perplexityDense as number) - 1;
    return `${c.mode}, ${((100 * layers.reduce((sum, l) => sum + l.leftOut, 0)) / layers.length).toFixed(1)} % of neurons left out for ${(100 * cost).toFixed(2)} % of perplexity`;
  });
  return `${each.join("; ")}; found on ${tokens} tokens of ${text}; masks of 2:4 stay legal ${sparse24}`;
}

function describe(model: Model, fileBytes: number, build: string, ffn: FfnCalibration | undefined) {
  const { engine } = model;
  const parameters = engine.weights.reduce((sum, t) => sum + t.shape.reduce<number>((p, d) => p * (d as number), 1), 0);
  const states = engine.graph.tensors.filter((t) => t.role === "state").reduce((sum, t) => sum + (engine.map.tensors.get(t.name)?.bytes ?? 0), 0);
  return {
    name: model.card.name ?? model.name,
    architecture: engine.graph.architecture,
    recipe: model.recipe,
    hash: model.hash,
    licence: model.card.licence ?? "unknown",
    fileBytes,
    parameters,
    bitsPerParameter: (8 * engine.weightBytes) / parameters,
    schemes: Object.fromEntries(bytesByScheme(engine)),
    vocabulary: engine.graph.vocab,
    context: limit(engine.options.context),
    contextMost: limit(engine.graph.context),
    stateBytes: states,
    deviceBytes: engine.program.memoryBytes,
    build,
    ...(ffn ? { ffn } : {}),
    card: model.card,
  };
}

type Description = ReturnType<typeof describe>;

function text(d: Description, tensors: string | undefined, plans: readonly Plan[]): string {
  const schemes = Object.entries(d.schemes).map(([s, b]) => `${s} ${bytes(b)}`);
  const lines = table(
    [],
    [
      ["model", String(d.name)],
      ["architecture", d.architecture],
      ["licence", String(d.licence)],
      ["parameters", `${d.parameters} (${d.bitsPerParameter.toFixed(2)} bits each)`],
      ["recipe", d.recipe],
      ["weights", schemes.join(", ")],
      ["file", `${bytes(d.fileBytes)}, sha256 ${d.hash}`],
      ["vocabulary", String(d.vocabulary)],
      ["context", `${d.contextMost === null ? (d.context ?? "without limit") : `${d.context} of at most ${d.contextMost}`}, ${bytes(d.stateBytes)} of state`],
      ["memory here", `${bytes(d.deviceBytes)} on ${d.build}`],
      ...(d.ffn ? [["feed-forward", calibrated(d.ffn)]] : []),
    ],
  );
  return [lines, ...(tensors ? [tensors] : []), ...plans.map(planText)].join("\n\n");
}

function tensorTable(model: Model): string {
  const rows = model.engine.weights.map((t) => [
    t.name,
    isMatrix(t) ? t.format : t.format === "f32" ? "f32 vector" : t.format,
    t.shape.join("×"),
    bytes(model.engine.map.tensors.get(t.name)?.bytes ?? 0),
  ]);
  return table(["tensor", "scheme", "shape", "size"], rows, { right: [2, 3] });
}

async function run(path: string, o: Readonly<Record<string, unknown>>, context: Context): Promise<number> {
  const { model, device, bytes: fileBytes } = await openModel(path, o, context);
  try {
    const description = describe(model, fileBytes, device.build, await calibrationOf(path, model));
    const plans = o.plan ? model.engine.plans.filter((p) => p.name === "decode" || p.name === "prefill") : [];
    const json = { ...description, ...(o.plan ? { plans: plans.map((p) => ({ name: p.name, symbols: p.symbols, arenaBytes: p.arenaBytes, steps: p.steps.map(row) })) } : {}) };
    context.answer(json, () => text(description, o.tensors ? tensorTable(model) : undefined, plans));
    return EXIT.ok;
  } finally {
    model.close();
  }
}

export const verb: Verb = {
  name: "inspect",
  summary: "show what a model is made of and how it would run here",
  description:
    "Shows the card, schemes, bytes and memory of a model. --plan lists the steps of prefill and decode with the kernel of each, why it was chosen, bytes moved, multiply-adds and what bounds it.",
  example: "skint inspect model.skint\nskint inspect model.skint --plan --tensors",
  arguments: [{ name: "<model>", description: "a model.skint file or a checkpoint folder" }],
  options: [{ flags: "--plan", description: "list the steps of the plans" }, { flags: "--tensors", description: "list the weights" }, ...ENGINE_OPTIONS],
  run: ({ positional, options }, context) => run(positional[0] as string, options, context),
};
