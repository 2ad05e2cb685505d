// Orders in which methods are expected to stand, on trained models; what each path of low rank wins back.
import { compareScores } from "../../../runtime/stats/perplexity.ts";
import { type Recipe, recipeNamed } from "../../compress/recipe.ts";
import type { GoalContext, Measured } from "../goal.ts";
import { bitsPerByte, MODELS, named, SMOL, scored, type Variant } from "./models.ts";

/** Share of each input's width. */
const SIXTEENTH = 1 / 16;
const EIGHTH = 1 / 8;
/** "A ≤ B": the upper bound of A over B is at most this. */
const TIE = 1.001;

const learned = recipeNamed("q161-learned");
const of161 = (name: string, more: Partial<Recipe>): Variant => ({ name, recipe: { ...learned, name, ...more } });

const DENSE = named("f32");
const [W4, W4_GPTQ, W4_EORA] = [named("w4"), named("w4-gptq"), named("w4-eora", SIXTEENTH)];
const PRUNED = named("24w4");
const [EORA, SVD] = [named("24w4-eora", SIXTEENTH), named("24w4-svd", SIXTEENTH)];
const LEARNED = named("q161-learned");
const ANALYTIC = of161("q161, analytic scales", { settings: { rounds: 0 } });
const BINARY = of161("plain binary", { method: "binary" });

/** Each weight to the nearest of four levels between the least and the greatest of its row. */
function twoBits(w: Float32Array, k: number): void {
  for (let at = 0; at < w.length; at += k) {
    const row = w.subarray(at, at + k);
    const low = Math.min(...row);
    const step = (Math.max(...row) - low) / 3;
    for (let i = 0; i < k; i++) row[i] = low + step * Math.round((row[i] - low) / step);
  }
}

/** Each is expected to be at most the next. The weights of SmolLM2 stand on a grid of 4 bits already: nothing is told by bringing them to another. */
const OF_4_BITS = [DENSE, W4_EORA, W4_GPTQ, W4];
const OF_FEWER: readonly (readonly Variant[])[] = [
  [DENSE, EORA, SVD, PRUNED, named("24w4-wanda"), named("24w4-magnitude")],
  [W4, LEARNED, ANALYTIC, BINARY],
  [LEARNED, { name: "2 bits to nearest", recipe: recipeNamed("f32"), rows: twoBits }],
];

const chains = () => [
  ...MODELS.flatMap((folder) => [OF_4_BITS, ...OF_FEWER].map((chain) => ({ folder, chain }))),
  ...(SMOL ? OF_FEWER.map((chain) => ({ folder: SMOL as string, chain })) : []),
];

/** Share of the orders that hold; those that do not are told with their intervals. */
export async function ordersThatHold(context: GoalContext): Promise<Measured> {
  const broken: string[] = [];
  let all = 0;
  for (const { folder, chain } of chains())
    for (let i = 1; i < chain.length; i++) {
      const [a, b] = [chain[i - 1], chain[i]];
      const d = compareScores(await scored(folder, b, context), await scored(folder, a, context));
      all++;
      const high = d.ratioInterval?.high ?? d.ratio;
      if (high > TIE) broken.push(`${folder}: ${a.name} over ${b.name} ${d.ratio.toFixed(4)} (${d.ratioInterval?.low.toFixed(4)}…${high.toFixed(4)})`);
    }
  return { value: (all - broken.length) / all, note: `${all} orders${broken.length ? `; not: ${broken.join("; ")}` : ""}` };
}

/** The least share over the models of the gap in log-perplexity between dense and 24w4 that a path of that rank wins back. */
async function wonBack(rank: number, context: GoalContext): Promise<Measured> {
  const shares: { share: number; note: string }[] = [];
  for (const folder of MODELS) {
    const [dense, base, with24] = [
      await bitsPerByte(folder, DENSE, context),
      await bitsPerByte(folder, PRUNED, context),
      await bitsPerByte(folder, named("24w4-eora", rank), context),
    ];
    const share = (base - with24) / (base - dense);
    shares.push({ share, note: `${folder}: dense ${dense.toFixed(4)}, 24w4 ${base.toFixed(4)}, with EoRA ${with24.toFixed(4)} bits per byte: ${share.toFixed(3)}` });
  }
  return { value: Math.min(...shares.map((s) => s.share)), note: shares.map((s) => s.note).join("; ") };
}

export const wonBackBySixteenth = (context: GoalContext) => wonBack(SIXTEENTH, context);
export const wonBackByEighth = (context: GoalContext) => wonBack(EIGHTH, context);

/** Worst over the models of shared places with EoRA over places of each row without, bits per byte. */
export async function sharedOverRow(context: GoalContext): Promise<Measured> {
  const ratios: { ratio: number; note: string }[] = [];
  for (const folder of MODELS) {
    const [shared, row] = [await bitsPerByte(folder, named("24v8w4-eora", EIGHTH), context), await bitsPerByte(folder, PRUNED, context)];
    ratios.push({ ratio: shared / row, note: `${folder}: ${shared.toFixed(4)} over ${row.toFixed(4)}` });
  }
  return { value: Math.max(...ratios.map((r) => r.ratio)), note: ratios.map((r) => r.note).join("; ") };
}

/** Variants whose files are looked into. */
export const KEPT: readonly Variant[] = [W4, W4_EORA, PRUNED, EORA, named("24v8w4-eora", EIGHTH), LEARNED, named("t2")];
