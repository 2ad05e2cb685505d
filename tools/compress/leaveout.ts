// Feed-forward layers whose rule asks for a calibrator: the model is compressed without, works on the calibration text, and every calibrator says what its
// layers leave out. Quantised first, calibrated then: thresholds are those of the weights that run.
import { formatClusters, probeHash } from "../../runtime/cores/clusters.ts";
import { SkintError } from "../../runtime/errors.ts";
import type { HasherFactory } from "../../runtime/io/hash.ts";
import { memorySink, memorySource, type Sink } from "../../runtime/io/source.ts";
import type { Engine } from "../../runtime/session/engine.ts";
import { type Environment, loadModel, type Model } from "../../runtime/session/model.ts";
import { documentsOf, splitOfCard } from "../eval/evaluate.ts";
import { layersOf } from "../profile/layers.ts";
import { countTokens, windowsOf } from "../profile/windows.ts";
import type { FfnRule } from "./byneurons.ts";
import type { CalibrationText } from "./calibrate/sequences.ts";
import type { ModelCalibration } from "./calibration.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { CALIBRATORS } from "./methods/neurons/catalogue.gen.ts";
import { type Recipe, ruleFor } from "./recipe.ts";
import { Study } from "./study.ts";

/** Tokens of the text unless asked otherwise, and of a window. */
const [TOKENS, WINDOW] = [8192, 512];

/** What a file keeps about calibrated layers, in its report. */
export interface FfnCalibration {
  readonly text: string;
  /** SHA-256 of the text in UTF-8. */
  readonly sha256: string;
  readonly tokens: number;
  /** SHA-256 of the packed weights it was found for (`weightsHash`). */
  readonly weights: string;
  /** Masks of 2:4 that stay legal when neurons are left out: those along the rows that are read whole. */
  readonly sparse24: "along a neuron's row";
  readonly calibrators: readonly (Readonly<Record<string, unknown>> & { readonly mode: string })[];
}

export interface LeaveOut {
  /** By the weight of the layer's last linear. */
  readonly rules: ReadonlyMap<string, FfnRule>;
  readonly record: FfnCalibration;
  /** The document `cores`, where clusters of texts were found. */
  readonly cores?: string;
}

/** SHA-256 of an engine's weights, name by name in ascending order. */
export function weightsHash({ weights, program }: Engine, sha256: HasherFactory): string {
  const hash = sha256();
  for (const { name } of [...weights].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    hash.update(new TextEncoder().encode(name));
    hash.update(program.view(name));
  }
  return hash.digest();
}

/** Throws `format.hash` if what a file says of its feed-forward layers was found for other weights than an engine has. */
export function checkFfnCalibration({ weights }: FfnCalibration, engine: Engine, sha256: HasherFactory): void {
  const hash = weightsHash(engine, sha256);
  if (hash !== weights)
    throw new SkintError(
      "format.hash",
      `what feed-forward layers leave out was found for other weights: these hash to ${hash.slice(0, 16)}…, those did to ${weights.slice(0, 16)}…; compress the model again`,
      { what: "skint.report" },
    );
}

/** The recipe without calibrators: their layers do all neurons. */
const plain = (recipe: Recipe): Recipe => ({ ...recipe, rules: recipe.rules.map((r) => (r.ffn?.calibrate ? { ...r, ffn: { mode: "dense" } } : r)) });

async function textOf(c: Checkpoint, o: ModelCalibration): Promise<CalibrationText> {
  const text = o.calibration?.text ?? (await c.calibration?.());
  if (text?.text) return text;
  throw new SkintError("calibration.text", `${c.name} has no calibration.txt, and this recipe calibrates; give a text like those the model will read with --calibration`, {
    what: "--calibration",
  });
}

/** Layers that ask for the same, by the text of what they ask for. */
function groupsOf(model: Model, recipe: Recipe): Map<string, { rule: FfnRule; names: string[] }> {
  const groups = new Map<string, { rule: FfnRule; names: string[] }>();
  for (const l of layersOf(model.engine.graph)) {
    const rule = ruleFor(recipe, l.last.tensors.w).ffn;
    if (!rule?.calibrate || l.last.op !== "rowsum") continue;
    const key = JSON.stringify([rule.mode, rule.calibrate]);
    const group = groups.get(key) ?? { rule, names: [] };
    group.names.push(l.name);
    groups.set(key, group);
  }
  return groups;
}

/**
 * What the layers leave out; undefined where no rule asks. Throws `calibration.text`, `recipe.invalid`.
 * @param compress the checkpoint with a recipe into a sink
 */
export async function leaveOut(c: Checkpoint, env: Environment, o: ModelCalibration, compress: (recipe: Recipe, into: Sink) => Promise<unknown>): Promise<LeaveOut | undefined> {
  if (!o.recipe.rules.some((r) => r.ffn?.calibrate)) return undefined;
  const text = await textOf(c, o);
  const sink = memorySink();
  await compress(plain(o.recipe), sink);
  const model = await loadModel(memorySource(sink.bytes(), c.name), env, { golden: false, context: 1, signal: o.signal });
  try {
    const { context } = model.engine.graph;
    const windows = windowsOf(documentsOf(model, text.text, splitOfCard(c.card)), Math.min(WINDOW, context), o.calibration?.tokens ?? TOKENS, text.name);
    const rules = new Map<string, FfnRule>();
    const calibrators: FfnCalibration["calibrators"][number][] = [];
    const cores: string[] = [];
    const weightOf = (name: string) => model.engine.graph.nodes.find((n) => n.name === name)?.tensors.w as string;
    for (const { rule, names } of groupsOf(model, o.recipe).values()) {
      const { settings, calibrate } = CALIBRATORS[rule.mode];
      const study = new Study(model, names, windows, o.signal, o.onCalibration);
      try {
        const found = await calibrate(study, { ...settings, ...rule.calibrate });
        for (const [name, layer] of found.layers) rules.set(weightOf(name), layer);
        calibrators.push({ mode: rule.mode, ...found.about });
        if (found.clusters) cores.push(formatClusters({ model: probeHash(model.engine.program.view(weightOf(found.clusters.probe)), env.sha256), ...found.clusters }));
      } finally {
        study.close();
      }
    }
    if (cores.length > 1)
      throw new SkintError(
        "recipe.invalid",
        `${cores.length} rules of ${o.recipe.name} ask for clusters of texts with settings of their own, a file holds one set; give them the same settings`,
        {
          what: o.recipe.name,
        },
      );
    const hash = env.sha256();
    hash.update(new TextEncoder().encode(text.text));
    const record = {
      text: text.name,
      sha256: hash.digest(),
      tokens: countTokens(windows),
      weights: weightsHash(model.engine, env.sha256),
      sparse24: "along a neuron's row" as const,
      calibrators,
    };
    return { rules, record, cores: cores[0] };
  } finally {
    model.close();
  }
}
