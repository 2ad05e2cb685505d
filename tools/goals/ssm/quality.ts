// What int8 costs tiny-mamba, and what each of Quamba's tricks does about it.
import { compareScores, type Scores } from "../../../runtime/stats/perplexity.ts";
import { evaluate, splitOfCard } from "../../eval/evaluate.ts";
import type { GoalContext, Measured } from "../goal.ts";
import { heldOut } from "../slice/quality.ts";
import { withTinyMamba } from "./models.ts";

const WINDOW = 512;
const ABLATIONS = ["quamba-hadamard", "quamba-clip"] as const;

const scored = (recipe: string, signal: AbortSignal): Promise<Scores> =>
  withTinyMamba(recipe, { score: true, context: WINDOW }, (m) => evaluate(m, heldOut(), { split: splitOfCard(m.card), window: WINDOW, stride: WINDOW >> 1, signal }));

const percent = (v: number) => `${(100 * v).toFixed(3)} %`;

/** Relative cost in bits per byte of quamba over f32, paired; throws where a part of it, or nothing of it, is surely better than all of it. */
export async function costOfQuamba({ signal, note }: GoalContext): Promise<Measured> {
  const full = await scored("f32", signal);
  const scores = new Map<string, Scores>();
  for (const recipe of ["quamba", ...ABLATIONS, "quamba-naive"]) {
    note(`  ${recipe}`);
    scores.set(recipe, await scored(recipe, signal));
  }
  const costs = [...scores].map(([recipe, s]) => ({ recipe, ...compareScores(full, s) }));
  /** Is the second of them surely better? */
  const worse = (a: string, b: string) => (compareScores(scores.get(b) as Scores, scores.get(a) as Scores).differenceInterval?.low ?? 0) > 0;
  const pairs = [...ABLATIONS.map((a) => ["quamba", a]), ...ABLATIONS.map((a) => [a, "quamba-naive"])];
  const wrong = pairs.filter(([a, b]) => worse(a, b));
  const between = pairs.map(([a, b]) => {
    const { ratio, ratioInterval: i } = compareScores(scores.get(b) as Scores, scores.get(a) as Scores);
    return `${a} over ${b} ${percent(ratio - 1)}${i ? ` (${percent(i.low - 1)} … ${percent(i.high - 1)})` : ""}`;
  });
  const lines = costs.map((c) => `${c.recipe} ${percent(c.ratio - 1)}${c.ratioInterval ? ` (${percent(c.ratioInterval.low - 1)} … ${percent(c.ratioInterval.high - 1)})` : ""}`);
  if (wrong.length) throw new Error(`${wrong.map(([a, b]) => `${a} is worse than ${b}`).join(", ")}: ${lines.join(", ")}`);
  const { ratio, ratioInterval } = costs[0];
  return {
    value: ratio - 1,
    low: ratioInterval && ratioInterval.low - 1,
    high: ratioInterval && ratioInterval.high - 1,
    note: `${lines.join(", ")}; paired: ${between.join(", ")}`,
  } as Measured;
}
