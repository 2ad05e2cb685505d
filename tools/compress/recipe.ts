// Recipes as data: which scheme each matrix gets, by which method. The built-in ones, and the check of one given as JSON.
import { ACTS } from "../../runtime/act/catalogue.gen.ts";
import { SkintError } from "../../runtime/errors.ts";
import { isMatrix } from "../../runtime/graph/formats.ts";
import { CACHE_FORMATS, type CacheFormat, type Graph, type GraphNode } from "../../runtime/graph/types.ts";
import { OPS } from "../../runtime/ops/catalogue.gen.ts";
import { schemed } from "../../runtime/ops/define.ts";
import { SCHEMES } from "../../runtime/quant/catalogue.gen.ts";
import type { FfnRule } from "./byneurons.ts";
import { withColumns } from "./columns.ts";
import { ffnComplaint } from "./ffnrule.ts";
import type { Part } from "./linalg/context.ts";
import type { Power } from "./linalg/svd.ts";
import type { Settings } from "./method.ts";
import { METHODS } from "./methods/catalogue.gen.ts";
import { partComplaint } from "./partrule.ts";
import { type SidePath, withLowRank } from "./paths.ts";
import { withRanges } from "./ranges.ts";
import { type ScanRecipe, withInt8 } from "./recurrent.ts";
import { fittingAct } from "./rotation.ts";

export interface Rule {
  /** A regular expression on the weight's name. */
  readonly match: string;
  readonly scheme: string;
  /** Activation format that linears multiply the weight with; default: the scheme's own. */
  readonly act?: string;
  /** The recipe's method unless it says otherwise. */
  readonly method?: string;
  /** Rank of a path beside the weight that makes up for what compression lost, a share of its columns if below 1, or `auto`. */
  readonly rank?: number | "auto";
  /** What the path is fitted by: 0 the error of the weights (SVD, by itself), 0.5 that of the outputs (EoRA), 1 strong inputs above all (CorDA). */
  readonly power?: Power;
  /** Linears of one input share the first half of that path: fewer bytes, and less of the error taken away at the same rank. False by itself. */
  readonly shared?: boolean;
  /** How often path and weights are made, each for what the other leaves; 1 by itself. */
  readonly turns?: number;
  /** The path is the strongest (`ipa`) or the weakest (`kpa`) part of the weights, and what it leaves is compressed. */
  readonly split?: Part;
  /** Schemes of the halves of that path, `q8` by themselves. */
  readonly down?: string;
  readonly up?: string;
  /** On the last matrix of a feed-forward layer in q4n: what the layer leaves out. */
  readonly ffn?: FfnRule;
}

export interface Recipe {
  readonly name: string;
  readonly summary: string;
  readonly method: string;
  /** The first rule whose `match` fits decides. */
  readonly rules: readonly Rule[];
  /** Settings of the methods, by name; docs/recipes.md lists them. */
  readonly settings?: Settings;
  /** Format of the key/value caches. */
  readonly cache: CacheFormat;
  /** int8 for selective scans and the convolutions before them; f32 without. */
  readonly scan?: ScanRecipe;
}

/** In a rule: the scheme that holds what the checkpoint stores. */
const SOURCE = "source";

/** Element type of a checkpoint → scheme that keeps it; other types (5 and 6 bits, …) become q8g32. */
const KEEPS: Readonly<Record<string, string>> = { F32: "f32", BF16: "f32", F16: "f16", Q4_0: "q4g32m", Q4_1: "q4g32m", Q4_K: "q4g32m" };

/** For other element types. */
const KEEPS_OTHERS = "q8g32";

/** Schemes that a rule's `scheme` may become. */
const schemesOf = (name: string): readonly string[] => (name === SOURCE ? [...new Set([...Object.values(KEEPS), KEEPS_OTHERS])] : Object.hasOwn(SCHEMES, name) ? [name] : []);

const EMBEDDINGS = "^(embed|positions|head)\\.weight$";
const all = (scheme: string, act?: string): Rule[] => [{ match: ".*", scheme, ...(act ? { act } : {}) }];
const body = (scheme: string, path: Pick<Rule, "rank" | "power" | "shared" | "turns" | "split"> = {}): Rule[] => [
  { match: EMBEDDINGS, scheme: "q8", method: "rtn" },
  { match: ".*", scheme, ...path },
];

/** Recipes of 2:4 weights, chosen by SparseGPT or by the methods it is held against. */
const pruned = (name: string, scheme: string, what: string): Recipe[] => [
  { name, summary: `${what}; by SparseGPT`, method: "sparsegpt", rules: body(scheme), cache: "f16" },
  ...["wanda", "magnitude"].map((method): Recipe => ({ name: `${name}-${method}`, summary: `${name} by ${method}`, method, rules: body(scheme), cache: "f16" })),
];

/** Ways to fit a path beside weights, for recipes of each. */
const FITS: readonly { readonly name: string; readonly power: Power; readonly by: string }[] = [
  { name: "eora", power: 0.5, by: "the error of the outputs (EoRA)" },
  { name: "svd", power: 0, by: "the error of the weights (SVD)" },
  { name: "corda", power: 1, by: "the outputs of strong inputs (CorDA)" },
];

/** Recipes of weights that a calibrating method compresses, with a path beside each; with EoRA in so many turns. */
const compensated = (name: string, method: string, scheme: string, turns?: number): Recipe[] =>
  FITS.map((fit) => ({
    name: `${name}-${fit.name}`,
    summary: `${name} by ${METHODS[method].name}, with paths of low rank that make up for ${fit.by}`,
    method,
    rules: body(scheme, { power: fit.power, ...(turns && fit.power === 0.5 ? { turns } : {}) }),
    cache: "f16",
  }));

/** int4 weights with a part of them in a path of int8, to be trained on. */
const apart = (split: Part, what: string): Recipe => ({
  name: `w4-corda-${split}`,
  summary: `w4 by GPTQ, with the ${what} part of each matrix in a path of low rank (CorDA)`,
  method: "gptq",
  rules: body("q4g32", { power: 1, split }),
  cache: "f16",
});

/** int4 with feed-forward layers by neurons, of which `ffn` says what they leave out. */
const byNeurons = (name: string, summary: string, ffn?: FfnRule): Recipe => ({
  name,
  summary,
  method: "rtn",
  rules: [
    { match: EMBEDDINGS, scheme: "q8" },
    { match: "\\.ffn\\.(down|value)\\.weight$", scheme: "q4n", ...(ffn ? { ffn } : {}) },
    { match: "\\.ffn\\.(gate|up|key)\\.weight$", scheme: "q4n" },
    ...all("q4g32"),
  ],
  cache: "f16",
});

/** Mamba in int8 as Quamba has it: weights of `mixer`, the scan's input clipped, its output transformed, or one of these left out. */
const quamba = (name: string, summary: string, o: { mixer?: string; clip?: ScanRecipe["clip"]; transform?: boolean; states?: ScanRecipe["states"] }): Recipe => ({
  name,
  summary,
  method: "rtn",
  rules: [
    { match: EMBEDDINGS, scheme: "q8" },
    { match: "\\.mixer\\.out\\.weight$", scheme: o.mixer ?? "q8", act: (o.transform ?? true) ? "had8" : "i8static" },
    { match: "\\.mixer\\.in\\.weight$", scheme: o.mixer ?? "q8", act: "i8static" },
    ...all("q8", "i8static"),
  ],
  cache: "f16",
  scan: { states: o.states ?? "f32", clip: o.clip ?? "sweep" },
});

export const RECIPES: readonly Recipe[] = [
  { name: "f32", summary: "plain 32-bit floats: the reference", method: "rtn", rules: all("f32"), cache: "f32" },
  { name: "f16", summary: "16-bit floats: lossless for f16 checkpoints", method: "rtn", rules: all("f16"), cache: "f16" },
  { name: "w8", summary: "int8 weights, one scale a row, int8 activations", method: "rtn", rules: all("q8"), cache: "f16" },
  { name: "w8u7", summary: "int8 weights, one scale a row, 7-bit activations with a zero point", method: "rtn", rules: all("q8", "u7tok"), cache: "f16" },
  { name: "w8g32", summary: "int8 weights in groups of 32, int8 activations", method: "rtn", rules: all("q8g32"), cache: "f16" },
  { name: "w4", summary: "int4 weights in groups of 32, embedding and head int8, int8 activations", method: "rtn", rules: body("q4g32"), cache: "f16" },
  { name: "w4a32", summary: "w4 with a scale for each 32 int8 activations", method: "rtn", rules: [{ match: EMBEDDINGS, scheme: "q8" }, ...all("q4g32", "i8g32")], cache: "f16" },
  { name: "w4g128", summary: "int4 weights in groups of 128, embedding and head int8, int8 activations", method: "rtn", rules: body("q4g128"), cache: "f16" },
  ...pruned("24w8", "q8s24", "2:4 sparse int8 weights, embedding and head int8, 7-bit activations"),
  ...pruned("24w4", "q4s24", "2:4 sparse int4 weights in groups of 128"),
  ...pruned("24v8w8", "q8s24v", "24w8 with one choice of weights for each 8 rows, neurons in an order in which those are alike"),
  ...pruned("24v8w4", "q4s24v", "24w4 with one choice of weights for each 8 rows, neurons in an order in which those are alike"),
  byNeurons("w4n", "w4 with feed-forward layers in q4n, whose silent neurons are left out (docs/sparse.md)"),
  ...[1, 5, 10].map((ppl) => byNeurons(`w4n-cett${ppl}`, `w4n that leaves out contributions too small to matter: ${ppl} % of perplexity`, { mode: "cett", calibrate: { ppl } })),
  byNeurons("w4n-topk", "w4n that keeps as many neurons a token as 99 % of tokens need, for ReLU", { mode: "topk", calibrate: {} }),
  byNeurons("w4n-core", "w4n with clusters of texts and the core neurons of each, for prompts too short to show theirs (core:similar)", { mode: "core", calibrate: {} }),
  { name: "source", summary: "as the checkpoint is: 4-bit blocks of GGUF bit for bit, floats as they are", method: "source", rules: all(SOURCE, "i8g32"), cache: "f16" },
  { name: "source-i8tok", summary: "source with one scale a token for int8 activations: further from the floats", method: "source", rules: all(SOURCE), cache: "f16" },
  { name: "w4m", summary: "int4 weights with a minimum in groups of 32, embedding and head int8", method: "rtn", rules: body("q4g32m"), cache: "f16" },
  { name: "t2", summary: "ternary weights in 2 bits, embedding and head int8, int8 activations", method: "rtn", rules: body("t2"), cache: "f16" },
  {
    name: "q161",
    summary: "PTQ1.61: a fifth of the columns int4, the others a sign, embedding and head int8, activations split",
    method: "rtn",
    rules: body("q161"),
    cache: "f16",
  },
  {
    name: "q161-learned",
    summary: "q161 with salient columns and scales learned from calibration text",
    method: "ptq161",
    rules: body("q161"),
    cache: "f16",
  },
  { name: "w4-gptq", summary: "w4 by GPTQ: codes chosen for what calibration text makes of the inputs", method: "gptq", rules: body("q4g32"), cache: "f16" },
  { name: "w4g128-gptq", summary: "w4g128 by GPTQ", method: "gptq", rules: body("q4g128"), cache: "f16" },
  {
    name: "w8s8",
    summary: "int8 weights, one scale a row, int8 activations with a scale for each input that calibration found",
    method: "rtn",
    rules: [{ match: EMBEDDINGS, scheme: "q8" }, ...all("q8", "i8static")],
    cache: "f16",
  },
  quamba("quamba", "Mamba in int8 with static scales: the scan's input clipped, its output transformed (Quamba)", {}),
  quamba("quamba-w4a8", "quamba with int4 weights of the projections in and out", { mixer: "q4g32" }),
  quamba("quamba-i8", "quamba with int8 states", { states: "i8" }),
  quamba("quamba-naive", "quamba with nothing clipped or transformed", { clip: 1, transform: false }),
  quamba("quamba-clip", "quamba with nothing transformed", { transform: false }),
  quamba("quamba-hadamard", "quamba with nothing clipped", { clip: 1 }),
  {
    name: "w4+lr32",
    summary: "w4 with paths of rank 32, one for each input, that make up for what rounding lost",
    method: "rtn",
    rules: body("q4g32", { rank: 32, shared: true }),
    cache: "f16",
  },
  { name: "t2+lr32", summary: "t2 with paths of rank 32, one for each matrix, that make up for what rounding lost", method: "rtn", rules: body("t2", { rank: 32 }), cache: "f16" },
  {
    name: "q161+lr32",
    summary: "q161 with paths of rank 32, one for each input, that make up for what rounding lost",
    method: "rtn",
    rules: body("q161", { rank: 32, shared: true }),
    cache: "f16",
  },
  ...compensated("w4", "gptq", "q4g32"),
  apart("ipa", "strongest"),
  apart("kpa", "weakest"),
  ...compensated("w4g128", "gptq", "q4g128"),
  ...compensated("24w4", "sparsegpt", "q4s24"),
  ...compensated("24v8w4", "sparsegpt", "q4s24v", 24),
  { name: "w4kv8", summary: "w4 with int8 key/value caches", method: "rtn", rules: body("q4g32"), cache: "i8" },
];

function invalid(message: string): never {
  throw new SkintError("recipe.invalid", `${message}; recipes are ${RECIPES.map((r) => r.name).join(", ")}, or a JSON file (docs/recipes.md)`, { what: "recipe" });
}

/** A built-in recipe by name. */
export function recipeNamed(name: string): Recipe {
  return RECIPES.find((r) => r.name === name) ?? invalid(`there is no recipe ${name}`);
}

const fits = (act: string, scheme: string) => Object.hasOwn(ACTS, act) && schemesOf(scheme).some((name) => ACTS[act].fits(SCHEMES[name]));

const actsOf = (scheme: string) =>
  Object.values(ACTS)
    .filter(({ name }) => fits(name, scheme))
    .map((act) => act.name)
    .join(", ");

/** A recipe from the text of a JSON file. */
export function parseRecipe(text: string): Recipe {
  let r: Recipe;
  try {
    r = JSON.parse(text);
  } catch {
    return invalid("the recipe file is not JSON");
  }
  if (typeof r?.name !== "string" || !Array.isArray(r.rules)) return invalid("the recipe file has no name or no rules");
  if (!CACHE_FORMATS.includes(r.cache)) return invalid(`the recipe's cache is ${JSON.stringify(r.cache)}, none of ${CACHE_FORMATS.join(", ")}`);
  checkMethod("the recipe's method", r.method);
  for (const rule of r.rules) {
    if (typeof rule?.match !== "string" || schemesOf(rule.scheme).length === 0)
      return invalid(`the rule ${JSON.stringify(rule)} names no scheme of ${[...Object.keys(SCHEMES), SOURCE].join(", ")}`);
    if (rule.act !== undefined && !fits(rule.act, rule.scheme))
      return invalid(`the rule ${JSON.stringify(rule)} names no activation format that ${rule.scheme} is multiplied with: ${actsOf(rule.scheme) || "it takes plain floats"}`);
    try {
      new RegExp(rule.match);
    } catch {
      return invalid(`the rule's match ${JSON.stringify(rule.match)} is no regular expression`);
    }
    checkPath(rule);
    const complaint = ffnComplaint(rule);
    if (complaint) return invalid(`the rule ${JSON.stringify(rule)} ${complaint}`);
    if (rule.method !== undefined) checkMethod(`the method of the rule for ${rule.match},`, rule.method);
  }
  if (r.scan !== undefined) checkScan(r.scan);
  const recipe = { name: r.name, summary: typeof r.summary === "string" ? r.summary : "", method: r.method, rules: r.rules, cache: r.cache, ...(r.scan ? { scan: r.scan } : {}) };
  return r.settings === undefined ? recipe : { ...recipe, settings: checkSettings(recipe, r.settings) };
}

function checkScan(scan: ScanRecipe): void {
  const { states, clip } = scan ?? {};
  if (states !== "f32" && states !== "i8") invalid(`the recipe's scan keeps states as ${JSON.stringify(states)}, neither f32 nor i8`);
  if (clip !== "sweep" && !(typeof clip === "number" && clip > 0 && clip <= 1))
    invalid(`the recipe's scan is clipped at ${JSON.stringify(clip)}, neither "sweep" nor a share in (0, 1]`);
}

/** Ranks beyond this are no side path. */
const MAX_RANK = 4096;
const POWERS: readonly unknown[] = [0, 0.5, 1];
const MAX_TURNS = 1024;

function checkPath(rule: Rule): void {
  const { rank, power, shared, turns, split, down, up } = rule;
  if (hasPath(rule) ? rank !== undefined && !isRank(rank) : [shared, turns, split, down, up].some((v) => v !== undefined))
    invalid(`the rule ${JSON.stringify(rule)} has a path whose rank is ${rank}, not 1 … ${MAX_RANK}, a share of the columns below 1, or "auto"`);
  if (hasPath(rule) && ACTS[rule.act ?? ""]?.rows) invalid(`the rule ${JSON.stringify(rule)} has a path beside activations of a static range, which no path can share`);
  if (power !== undefined && !POWERS.includes(power)) invalid(`the rule ${JSON.stringify(rule)} has a path whose power is ${power}, none of ${POWERS.join(", ")}`);
  if (shared !== undefined && typeof shared !== "boolean") invalid(`the rule ${JSON.stringify(rule)} says shared ${JSON.stringify(shared)}, neither true nor false`);
  if (turns !== undefined && !(Number.isInteger(turns) && turns >= 1 && turns <= MAX_TURNS))
    invalid(`the rule ${JSON.stringify(rule)} makes path and weights in ${turns} turns, not 1 … ${MAX_TURNS}`);
  if (turns !== undefined && turns > 1 && (!power || rule.scheme === "q4n"))
    invalid(`the rule ${JSON.stringify(rule)} makes path and weights in turns, which takes a power above 0 and weights that do not lie by neurons`);
  const complaint = partComplaint(rule);
  if (complaint) invalid(`the rule ${JSON.stringify(rule)} ${complaint}`);
  for (const part of [down, up])
    if (part !== undefined && (!Object.hasOwn(SCHEMES, part) || SCHEMES[part].arranged))
      invalid(`the rule ${JSON.stringify(rule)} wants a path in ${part}, which no path can have`);
}

const isRank = (rank: unknown) => rank === "auto" || (typeof rank === "number" && rank > 0 && (rank < 1 || (Number.isInteger(rank) && rank <= MAX_RANK)));

export const hasPath = ({ rank, power }: Rule) => rank !== undefined || power !== undefined;

/** The path beside a weight that its rule wants. */
export function pathFor(recipe: Recipe, weight: string): SidePath | undefined {
  const rule = ruleFor(recipe, weight);
  const { rank, power = 0, shared = false, turns = 1, split, down = "q8", up = "q8" } = rule;
  return hasPath(rule) ? { rank, power, shared, turns, split, down, up } : undefined;
}

/** The recipe with another rank for every path it has. Throws `recipe.invalid` if it has none. */
export function withRank(recipe: Recipe, rank: number | "auto"): Recipe {
  if (!recipe.rules.some(hasPath)) return invalid(`the recipe ${recipe.name} has no paths of low rank to give a rank; take one with -eora`);
  const rules = recipe.rules.map((rule) => (hasPath(rule) ? { ...rule, rank } : rule));
  for (const rule of rules) checkPath(rule);
  return { ...recipe, rules };
}

function checkMethod(what: string, method: unknown): void {
  if (typeof method !== "string" || !Object.hasOwn(METHODS, method)) invalid(`${what} ${JSON.stringify(method)} is none of ${Object.keys(METHODS).join(", ")}`);
}

/** Every setting belongs to a method that the recipe uses, and has the type of its default. */
function checkSettings(recipe: Recipe, settings: unknown): Settings {
  if (typeof settings !== "object" || settings === null || Array.isArray(settings)) return invalid("the recipe's settings are no object");
  const known = Object.assign({}, ...methodsOf(recipe).map((m) => METHODS[m].settings ?? {})) as Settings;
  for (const [name, value] of Object.entries(settings)) {
    if (!Object.hasOwn(known, name))
      invalid(`the recipe's setting ${name} belongs to none of its methods (${methodsOf(recipe).join(", ")}), which have ${Object.keys(known).join(", ") || "none"}`);
    if (typeof value !== typeof known[name]) invalid(`the recipe's setting ${name} is ${JSON.stringify(value)}, a ${typeof known[name]} such as ${known[name]} is wanted`);
  }
  return settings as Settings;
}

/** Methods that a recipe names. */
function methodsOf(recipe: Recipe): string[] {
  return [...new Set([recipe.method, ...recipe.rules.flatMap((r) => r.method ?? [])])];
}

/** The rule that decides about a weight. Throws `recipe.invalid` if none does. */
export function ruleFor(recipe: Recipe, weight: string): Rule {
  return recipe.rules.find((r) => new RegExp(r.match).test(weight)) ?? invalid(`recipe ${recipe.name} has no rule for ${weight}`);
}

/** Has a matrix a scheme to choose? Some ops take nothing but f32. */
export function hasChoice(graph: Graph, weight: string): boolean {
  return graph.nodes.some((n) => n.tensors[schemed(OPS[n.op]) ?? ""] === weight);
}

/**
 * The graph with every matrix in the scheme its rule says, but for those whose op takes nothing but f32, and every linear with the
 * activation format. Throws `recipe.invalid` naming a weight that no rule fits.
 * @param dtypeOf element type of a weight in the checkpoint
 */
export function applyRecipe(plain: Graph, recipe: Recipe, dtypeOf: (weight: string) => string | undefined): Graph {
  const graph = recipe.scan ? withInt8(plain, recipe.scan) : plain;
  const tensors = graph.tensors.map((t) => {
    if (!isMatrix(t) || !hasChoice(graph, t.name)) return t;
    const { scheme } = ruleFor(recipe, t.name);
    return { ...t, format: scheme === SOURCE ? (KEEPS[dtypeOf(t.name) ?? ""] ?? KEEPS_OTHERS) : scheme };
  });
  const table = graph.nodes.find((n) => n.op === "embed" && SCHEMES[tensors.find((t) => t.name === n.tensors.table)?.format ?? ""]?.arranged);
  if (table) return invalid(`recipe ${recipe.name} gives the embedding ${table.tensors.table} a scheme that no embedding can have`);
  const formats = new Map(tensors.map((t) => [t.name, t.format]));
  const withAct = (n: GraphNode): GraphNode => {
    const { scheme, act = "" } = ruleFor(recipe, n.tensors.w);
    const floats = scheme === SOURCE && SCHEMES[formats.get(n.tensors.w) as string].act === "f32";
    return { ...n, variant: floats ? "" : fittingAct(act, n.attrs.k as number) };
  };
  const schemes = withRanges(withColumns({ ...graph, tensors, nodes: graph.nodes.map((n) => (n.op === "linear" ? withAct(n) : n)) }));
  return withLowRank(schemes, (weight) => pathFor(recipe, weight));
}
