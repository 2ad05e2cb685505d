// A recipe under a budget: of the choices for each input (choices.ts), those that fit in so many bytes with the least sum of predicted errors.
// Only choices on the lower convex hull of (bytes, error) can win; the steps between them are taken in order of error saved a byte (the
// knapsack's Lagrangian answer, at most one step away from the best).
import { SkintError } from "../../runtime/errors.ts";
import { byteLength } from "../../runtime/graph/formats.ts";
import type { Graph } from "../../runtime/graph/types.ts";
import type { Environment } from "../../runtime/session/model.ts";
import type { ModelCalibration } from "./calibration.ts";
import { type Checkpoint, graphOf } from "./checkpoint.ts";
import { type Choice, choicesOf, type Group, ruleWith } from "./choices.ts";
import { withAlikeNeurons } from "./neurons.ts";
import type { Recipe, Rule } from "./recipe.ts";

const ANY = { T: 1, L: 1, C: 1 };
/** Bytes of the report, a weight; of the header, a tensor; and of all else that is no weight, beside the graph and the tokenizer. */
const LINE = 480;
const REST = 16384;

/** Bytes of a file beside the weights that have a choice. */
function fixedBytes(c: Checkpoint, graph: Graph, groups: readonly Group[]): number {
  const chosen = new Set(groups.flatMap((g) => g.weights));
  const paths = new Set(graph.nodes.flatMap((n) => (chosen.has(n.tensors.w) ? [n.tensors.down, n.tensors.up] : [])));
  const weights = graph.tensors.filter((t) => t.role === "weight");
  const bytes = weights.reduce((sum, t) => sum + (chosen.has(t.name) || paths.has(t.name) ? 0 : byteLength(t, ANY)), 0);
  return bytes + REST + LINE * weights.length + JSON.stringify(graph).length + c.tokenizer.length + JSON.stringify(c.card).length;
}

/** Choices that no mixture of two others beats, from the smallest to the closest. */
export function lowerHull(choices: readonly Choice[]): Choice[] {
  const hull: Choice[] = [];
  const slope = (a: Choice, b: Choice) => (b.error - a.error) / (b.bytes - a.bytes);
  for (const choice of [...choices].sort((a, b) => a.bytes - b.bytes || a.error - b.error)) {
    const last = hull.at(-1);
    if (last && choice.error >= last.error) continue;
    while (hull.length > 1 && slope(hull[hull.length - 2], hull[hull.length - 1]) >= slope(hull[hull.length - 1], choice)) hull.pop();
    hull.push(choice);
  }
  return hull;
}

/** A choice for each group, together at most so many bytes. Throws `recipe.invalid` where the smallest do not fit. */
export function chooseWithin(groups: readonly Group[], bytes: number, fixed = 0): Choice[] {
  const hulls = groups.map((g) => lowerHull(g.choices));
  const at = hulls.map(() => 0);
  let left = bytes - fixed - hulls.reduce((sum, [first]) => sum + first.bytes, 0);
  if (left < 0)
    throw new SkintError(
      "recipe.invalid",
      `nothing that this recipe may choose fits in ${bytes} bytes; the smallest takes ${bytes - left}. Raise --budget, or take a recipe of fewer bits`,
      {
        what: "--budget",
      },
    );
  const gains = hulls.flatMap((hull, g) =>
    hull.slice(1).map((to, i) => ({ g, i: i + 1, bytes: to.bytes - hull[i].bytes, gain: (hull[i].error - to.error) / (to.bytes - hull[i].bytes) })),
  );
  for (const step of gains.sort((a, b) => b.gain - a.gain || a.g - b.g)) {
    if (step.bytes > left || at[step.g] !== step.i - 1) continue;
    at[step.g] = step.i;
    left -= step.bytes;
  }
  return hulls.map((hull, g) => hull[at[g]]);
}

const quoted = (name: string) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** The recipe with a rule for each input, so that the file takes at most so many bytes. */
export async function withinBudget(checkpoint: Checkpoint, env: Environment, o: ModelCalibration, bytes: number): Promise<Recipe> {
  const { recipe } = o;
  if (recipe.rules.some((r) => r.split))
    throw new SkintError(
      "recipe.invalid",
      `the recipe ${recipe.name} splits its weights, so that its paths make up for nothing a budget could weigh; give it a rank, or take one with -eora`,
      {
        what: "--budget",
      },
    );
  const graph = graphOf(checkpoint, recipe);
  const c = await withAlikeNeurons(checkpoint, graph);
  const groups = await choicesOf(c, graph, { ...o, device: env.device, sha256: env.sha256 });
  const chosen = chooseWithin(groups, bytes, fixedBytes(c, graph, groups));
  const rules = groups.map(({ rule, weights }, g): Rule => {
    const { scheme, rank } = chosen[g];
    const { rank: _, power, shared, turns, down, up, ...rest } = ruleWith(rule, scheme, recipe);
    const path = rank > 0 ? { rank, power, shared, turns, down, up } : {};
    return JSON.parse(JSON.stringify({ ...rest, ...path, match: `^(${weights.map(quoted).join("|")})$` }));
  });
  return { ...recipe, summary: `${recipe.summary}; schemes and ranks chosen for at most ${bytes} bytes`, rules: [...rules, ...recipe.rules] };
}
