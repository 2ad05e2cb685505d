// `skint compare`: which layers, and which matrices, of a compressed model lost most against another.
import { readFileSync } from "node:fs";
import { SkintError } from "../../runtime/errors.ts";
import type { Model } from "../../runtime/session/model.ts";
import type { Context } from "../cli/context.ts";
import { EXIT } from "../cli/errors.ts";
import { ENGINE_OPTIONS, openModel } from "../cli/model.ts";
import { table } from "../cli/table.ts";
import { whole } from "../cli/values.ts";
import type { MatrixReport } from "../compress/method.ts";
import { documentsOf, splitOfCard } from "../eval/evaluate.ts";
import { reportsOf } from "../eval/score.ts";
import type { Verb } from "../verb.ts";
import { type LayerLoss, lossesOf, pointsBetween } from "./layers.ts";

type Options = Readonly<Record<string, unknown>>;

interface MatrixLoss {
  readonly matrix: string;
  readonly schemes: readonly [string | null, string];
  /** Relative squared output errors as compression measured them, paths included; null where it measured none. */
  readonly errors: readonly [number | null, number];
}

const errorOf = (m: MatrixReport | undefined) => (m?.path?.output ?? m?.output)?.measured ?? null;

/** Matrices of the second model whose outputs were measured, those that lost most against the first in front. */
export function matrixLosses(a: readonly MatrixReport[], b: readonly MatrixReport[]): MatrixLoss[] {
  const first = new Map(a.map((m) => [m.name, m]));
  return b
    .flatMap((m): MatrixLoss[] => {
      const error = errorOf(m);
      return error === null ? [] : [{ matrix: m.name, schemes: [first.get(m.name)?.scheme ?? null, m.scheme], errors: [errorOf(first.get(m.name)), error] }];
    })
    .sort((x, y) => y.errors[1] - (y.errors[0] ?? 0) - (x.errors[1] - (x.errors[0] ?? 0)));
}

const DEFAULT_TOKENS = 512;

function textOf(model: Model, path: string, tokens: number): Uint32Array {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (e) {
    throw new SkintError("file.missing", `the text ${path} cannot be read; give a UTF-8 text file`, { what: path }, { cause: e });
  }
  const documents = documentsOf(model, text, splitOfCard(model.card));
  const ids = documents.flatMap((d) => [...d]).slice(0, tokens);
  if (ids.length === 0) throw new SkintError("usage", `the text ${path} has no tokens; give one to read`, { what: path });
  return Uint32Array.from(ids);
}

/** Points between layers of a model; refused where it has no layers. */
async function pointsOf(path: string, o: Options, context: Context): Promise<string[]> {
  const { model } = await openModel(path, o, context, { golden: false });
  const points = pointsBetween(model.engine.graph.points);
  model.close();
  if (points.length) return points;
  throw new SkintError("usage", `${path} has no layers to compare`, { what: path });
}

async function layersOf(a: string, b: string, text: string, o: Options, context: Context): Promise<LayerLoss[]> {
  const options = [o, { ...o, recipe: o.againstRecipe }];
  const taps = await pointsOf(a, options[0], context);
  const first = (await openModel(a, options[0], context, { taps, golden: false })).model;
  try {
    const missing = async () => (await pointsOf(b, options[1], context)).join() !== taps.join();
    if (await missing()) throw new SkintError("usage", `${a} and ${b} do not have the same layers; compare models of one shape`, { what: b });
    const second = (await openModel(b, options[1], context, { taps, golden: false })).model;
    try {
      const tokens = (o.tokens as number | undefined) ?? DEFAULT_TOKENS;
      return await lossesOf([first, second], taps, textOf(first, text, tokens), context.signal);
    } finally {
      second.close();
    }
  } finally {
    first.close();
  }
}

const percent = (squared: number | null) => (squared === null ? "" : `${(100 * Math.sqrt(squared)).toFixed(3)} %`);
const growth = ({ before, after }: LayerLoss) => after - before;

function report(a: string, b: string, layers: readonly LayerLoss[], matrices: readonly MatrixLoss[], most: number): string {
  const lines = [
    `${b} against ${a}, layers that lost most first (relative error of the values between layers):`,
    "",
    table(["layer", "before it", "behind it"], layers.slice(0, most).map((l) => [l.layer, percent(l.before), percent(l.after)]), { right: [1, 2] }), // biome-ignore format: one line
  ];
  if (matrices.length === 0) return [...lines, "", `${b} keeps no errors of its matrices: it was compressed without calibration.`].join("\n");
  const cells = matrices.slice(0, most).map((m) => [m.matrix, m.schemes[0] ?? "", m.schemes[1], percent(m.errors[0]), percent(m.errors[1])]);
  lines.push("", "matrices that lost most (relative error of their outputs, as measured in compression, paths included):", "");
  lines.push(table(["matrix", "first", "second", "error of first", "of second"], cells, { right: [3, 4] }));
  return lines.join("\n");
}

async function run(a: string, b: string, text: string, o: Options, context: Context): Promise<number> {
  const layers = (await layersOf(a, b, text, o, context)).sort((x, y) => growth(y) - growth(x));
  const matrices = matrixLosses(await reportsOf(a), await reportsOf(b));
  context.answer({ layers, matrices }, () => report(a, b, layers, matrices, o.most as number));
  return EXIT.ok;
}

export const verb: Verb = {
  name: "compare",
  summary: "which layers of a compressed model lost most",
  description:
    "Both models read the same text; the values between layers are compared, and the layers behind which the difference grew most stand first. Where the second file was compressed with calibration, its matrices follow by the error of their outputs.",
  example: "skint compare models/tiny-swiglu model.skint models/tiny-swiglu/heldout.txt\nskint compare w4.skint 24w4.skint heldout.txt",
  arguments: [
    { name: "<model>", description: "a model.skint file or a checkpoint folder" },
    { name: "<compressed>", description: "the model that is held against it" },
    { name: "<text>", description: "a UTF-8 text file" },
  ],
  options: [
    { flags: "--against-recipe <name>", description: "recipe for the second model if it is a folder" },
    { flags: "--tokens <n>", description: `tokens of the text to read (default: ${DEFAULT_TOKENS}, at most the context)`, parse: whole("--tokens", { min: 1 }) },
    { flags: "--most <n>", description: "lines of each table", parse: whole("--most", { min: 1 }), default: 12 },
    ...ENGINE_OPTIONS,
  ],
  run: ({ positional, options }, context) => {
    const [a, b, text] = positional as readonly string[];
    return run(a, b, text, options, context);
  },
};
