// A checkpoint folder as the compressor sees it: its architecture, graph and where each weight stands. Nothing is read but headers and JSON.

import type { Architecture, Config } from "../../models/architecture.ts";
import { ARCHITECTURES } from "../../models/catalogue.gen.ts";
import { SkintError } from "../../runtime/errors.ts";
import { openWeights, readBeside, readConfig, readTokenizer } from "../../runtime/formats/safetensors/folder.ts";
import { type Json, parseJson } from "../../runtime/formats/safetensors/json.ts";
import type { TensorStore } from "../../runtime/formats/store.ts";
import type { Graph } from "../../runtime/graph/types.ts";
import type { Folder } from "../../runtime/io/source.ts";
import type { CalibrationText } from "./calibrate/sequences.ts";
import type { Order } from "./neurons.ts";
import type { Recipe } from "./recipe.ts";
import { applyRecipe } from "./recipe.ts";

export interface Checkpoint {
  readonly name: string;
  readonly architecture: Architecture;
  /** Where the store keeps a weight of the graph. */
  readonly locate: Architecture["locate"];
  readonly config: Config;
  /** Rows or columns of a weight that are to be read in another order than they are stored in. */
  readonly order?: (weight: string) => Order | undefined;
  /** Matrices of the graph that stand in the store the other way round than their architecture has them. */
  readonly turned?: ReadonlySet<string>;
  readonly store: TensorStore;
  readonly card: Readonly<Record<string, unknown>>;
  /** The tokenizer document of model.skint. */
  readonly tokenizer: string;
  /** The text beside the model that compression calibrates with, if there is one. */
  readonly calibration?: () => Promise<CalibrationText | undefined>;
}

const CALIBRATION = "calibration.txt";

const SUPPORTED = () => [...new Set(Object.values(ARCHITECTURES).flatMap((a) => a.modelTypes))].join(", ");

export function architectureOf(config: Config): Architecture {
  const type = config.model_type;
  const found = Object.values(ARCHITECTURES).find((a) => (type === undefined ? a.claims?.(config) : a.modelTypes.includes(type as string)));
  if (found) return found;
  throw new SkintError("model.architecture", `config.json says model_type ${JSON.stringify(type)}, which Skint does not run yet; supported are ${SUPPORTED()}`, {
    what: String(type),
  });
}

/** Python writes Infinity, which JSON.parse refuses: limits that are none. */
function plainOf(v: Json): unknown {
  if (v instanceof Map) return Object.fromEntries([...v].map(([key, value]) => [key, plainOf(value)]));
  if (Array.isArray(v)) return v.map(plainOf);
  return typeof v === "bigint" ? Number(v) : v;
}

/** Opens a folder with config.json, tokenizer.json and safetensors. `close` the store when done. */
export async function openCheckpoint(folder: Folder): Promise<Checkpoint> {
  const config = plainOf(parseJson(await readConfig(folder), "config.json", { nonFinite: true })) as Config;
  const architecture = architectureOf(config);
  const tokenizerJson = architecture.sees ? "null" : await readTokenizer(folder);
  const tokenizerConfig = await readTokenizerConfig(folder);
  const cardText = await readBeside(folder, "card.json");
  const card = cardText ? (JSON.parse(cardText) as Record<string, unknown>) : { name: folder.name };
  return {
    name: folder.name,
    architecture,
    locate: architecture.locate,
    config,
    store: await openWeights(folder),
    card,
    tokenizer: `{"tokenizer":${tokenizerJson},"config":${tokenizerConfig}}`,
    calibration: async () => {
      const text = await readBeside(folder, CALIBRATION);
      return text === undefined ? undefined : { name: CALIBRATION, text };
    },
  };
}

/** tokenizer_config.json as JSON text ("null" if there is none); newer folders keep its chat template in a file of its own, which wins as in transformers. */
async function readTokenizerConfig(folder: Folder): Promise<string> {
  const config = (await readBeside(folder, "tokenizer_config.json")) ?? "null";
  const template = await readBeside(folder, "chat_template.jinja");
  return template === undefined ? config : JSON.stringify({ ...JSON.parse(config), chat_template: template });
}

/** The graph of a checkpoint under a recipe. */
export function graphOf(c: Checkpoint, recipe: Recipe): Graph {
  const graph = c.architecture.build(c.config, { cache: recipe.cache });
  return applyRecipe(graph, recipe, (weight) => c.store.tensors.get(c.locate(weight).find((p) => c.store.tensors.has(p.name))?.name ?? "")?.dtype);
}
