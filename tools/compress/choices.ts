// What could be made of the weights of each input, and what each choice would cost: bytes, and the output error that the calibration text predicts.
// Every scheme of a family is tried by the recipe's own method, with paths of several ranks where the recipe has some; for what a path takes away the best one stands, power ½.
import { ACTS } from "../../runtime/act/catalogue.gen.ts";
import { throwIfAborted } from "../../runtime/errors.ts";
import type { Graph, GraphNode, TensorDef } from "../../runtime/graph/types.ts";
import type { HasherFactory } from "../../runtime/io/hash.ts";
import type { Device } from "../../runtime/plan/device.ts";
import { SCHEMES } from "../../runtime/quant/catalogue.gen.ts";
import { calibrate } from "./calibrate/pass.ts";
import { memoryState } from "./calibrate/state.ts";
import type { InputStatistics } from "./calibrate/statistics.ts";
import { type ModelCalibration, prepareCalibration } from "./calibration.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { Linalg } from "./linalg/linalg.ts";
import { energy } from "./linalg/product.ts";
import { whitenedSvd } from "./linalg/svd.ts";
import { NO_PATH } from "./lowrank.ts";
import { compressMatrix, readPlain } from "./matrix.ts";
import { METHODS } from "./methods/catalogue.gen.ts";
import { withoutLowRank } from "./paths.ts";
import { hasChoice, hasPath, type Recipe, type Rule, ruleFor } from "./recipe.ts";

/** Schemes that may stand for each other: of one kind of kernel, some smaller, some closer. */
const FAMILIES: readonly (readonly string[])[] = [
  ["q4g128", "q4g32", "q8"],
  ["q4s24", "q8s24"],
  ["q4s24v", "q8s24v"],
];

/** Ranks are tried in steps, up to this share of the lesser side. */
const RANK_STEP = 8;
const MOST_RANK = 1 / 4;

/** One way to store the weights of an input. */
export interface Choice {
  readonly scheme: string;
  /** 0: no path. */
  readonly rank: number;
  readonly bytes: number;
  /** Relative squared output error of the input's linears together, times their number. */
  readonly error: number;
}

/** Linears that read one input and fall under one rule. */
export interface Group {
  readonly rule: Rule;
  readonly weights: readonly string[];
  readonly choices: readonly Choice[];
}

interface Members {
  readonly rule: Rule;
  readonly nodes: GraphNode[];
}

/** Linears by input and rule; those whose weights something else reads too have no choice. */
function membersOf(graph: Graph, recipe: Recipe): Members[] {
  const groups = new Map<string, Members>();
  const readers = (w: string) => graph.nodes.filter((n) => Object.values(n.tensors).includes(w)).length;
  for (const n of graph.nodes) {
    if (n.op !== "linear" || !hasChoice(graph, n.tensors.w) || readers(n.tensors.w) > 1) continue;
    const rule = ruleFor(recipe, n.tensors.w);
    if (!FAMILIES.some((f) => f.includes(rule.scheme))) continue;
    const key = JSON.stringify([n.tensors.x, recipe.rules.indexOf(rule)]);
    groups.set(key, { rule, nodes: [...(groups.get(key)?.nodes ?? []), n] });
  }
  return [...groups.values()];
}

export interface ChoiceOptions extends ModelCalibration {
  readonly device: Device;
  readonly sha256: HasherFactory;
}

/** Tries all choices on the inputs of the model as it was. Throws what calibration throws. */
export async function choicesOf(c: Checkpoint, graph: Graph, o: ChoiceOptions): Promise<Group[]> {
  const bare = withoutLowRank(graph);
  const { sequences } = await prepareCalibration(c, graph, o.calibration ?? {}, o.sha256);
  const members = membersOf(bare, o.recipe);
  const groups: Group[] = [];
  const la = await Linalg.open();
  const groupOf = (weight: string) => members.find((m) => m.nodes.some((n) => n.tensors.w === weight));
  try {
    await calibrate({
      graph: bare,
      device: o.device,
      la,
      sequences,
      state: memoryState(),
      compressedInputs: false,
      needsOf: (t) => (groupOf(t.name) ? ["gram"] : []),
      readPlain: (t, write) => readPlain(c, bare, t, write),
      async compress(t, _write, calibrated) {
        const group = groupOf(t.name) as Members;
        // The group is tried when the turn of its first matrix comes.
        if (t.name === group.nodes[0].tensors.w) groups.push(await tryAll(c, bare, group, la, calibrated?.inputs as InputStatistics, o));
        return { name: t.name, scheme: t.format, n: 0, k: 0, bytes: 0, relativeSquaredError: 0 };
      },
      fit: async () => NO_PATH,
      turnsOf: () => 1,
      isPart: () => false,
      signal: o.signal,
      onProgress: o.onCalibration,
    });
  } finally {
    la.close();
  }
  return groups;
}

/** The rule for a scheme of its family: its method and activation format where they fit. */
export function ruleWith(rule: Rule, scheme: string, recipe: Recipe): Rule {
  const { act, ...rest } = rule;
  const method = METHODS[rule.method ?? recipe.method].refuses?.(SCHEMES[scheme]) ? "rtn" : rule.method;
  return { ...rest, scheme, ...(method ? { method } : {}), ...(act && ACTS[act].fits(SCHEMES[scheme]) ? { act } : {}) };
}

async function tryAll(c: Checkpoint, graph: Graph, { rule, nodes }: Members, la: Linalg, inputs: InputStatistics, o: ChoiceOptions): Promise<Group> {
  const { k } = inputs;
  const gram = inputs.gram as Float64Array;
  const tensors = nodes.map((n) => graph.tensors.find((t) => t.name === n.tensors.w) as TensorDef);
  const n = tensors.reduce((sum, t) => sum + (t.shape[0] as number), 0);
  const choices: Choice[] = [];
  const plain = await stacked(c, graph, tensors, { ...o, recipe: { ...o.recipe, method: "rtn", rules: [{ match: ".*", scheme: "f32" }] } }, "f32", { inputs, la });
  const whole = la.scope(() => energy(la, la.from(plain, n, k), la.from(gram, k, k)));
  for (const scheme of FAMILIES.find((f) => f.includes(rule.scheme)) as readonly string[]) {
    throwIfAborted(o.signal, "compression");
    const back = await stacked(c, graph, tensors, { ...o, recipe: { ...o.recipe, rules: [ruleWith(rule, scheme, o.recipe)] } }, scheme, { inputs, la });
    const residual = Float64Array.from(plain, (v, i) => v - back[i]);
    const { captured, total } = takenAway(la, residual, gram, rule.shared ? [n] : tensors.map((t) => t.shape[0] as number), hasPath(rule) ? MOST_RANK : 0);
    const bytes = tensors.reduce((sum, t) => sum + SCHEMES[scheme].bytes(t.shape[0] as number, k), 0);
    for (let rank = 0; rank <= captured.length; rank += RANK_STEP) {
      const left = total - captured.slice(0, rank).reduce((a, b) => a + b, 0);
      choices.push({ scheme, rank, bytes: bytes + pathBytes(rule, rank, tensors, k), error: whole > 0 ? (nodes.length * Math.max(0, left)) / whole : 0 });
    }
  }
  return { rule, weights: tensors.map((t) => t.name), choices };
}

/** What one more rank of all paths takes away from the errors of stacked rows [n_i, k], and what there is. @param most share of a path's lesser side */
function takenAway(la: Linalg, residual: Float64Array, gram: Float64Array, rows: readonly number[], most: number): { captured: number[]; total: number } {
  const k = residual.length / rows.reduce((a, b) => a + b, 0);
  const captured: number[] = [];
  let [total, at] = [0, 0];
  for (const n of rows) {
    const found = whitenedSvd(la, residual.subarray(at, at + n * k), gram, n, k, 0.5, Math.floor(most * Math.min(n, k)));
    found.captured.forEach((v, i) => {
      captured[i] = (captured[i] ?? 0) + v;
    });
    total += found.total;
    at += n * k;
  }
  return { captured, total };
}

function pathBytes({ shared, down = "q8", up = "q8" }: Rule, rank: number, tensors: readonly TensorDef[], k: number): number {
  if (rank === 0) return 0;
  const downs = (shared ? 1 : tensors.length) * SCHEMES[down].bytes(rank, k);
  return tensors.reduce((sum, t) => sum + SCHEMES[up].bytes(t.shape[0] as number, rank), downs);
}

/** What the matrices stand for in a scheme, one above the other: f32 [n, k]. */
async function stacked(c: Checkpoint, graph: Graph, tensors: readonly TensorDef[], o: ChoiceOptions, scheme: string, calibrated: { inputs: InputStatistics; la: Linalg }) {
  const parts: Float32Array[] = [];
  for (const t of tensors) {
    const [n, k] = t.shape as [number, number];
    const chunks: Uint8Array[] = [];
    await compressMatrix(c, graph, { ...t, format: scheme }, o, (bytes) => void chunks.push(bytes), calibrated);
    parts.push(SCHEMES[scheme].decode(Uint8Array.from(Buffer.concat(chunks)), n, k));
  }
  const out = new Float32Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}
