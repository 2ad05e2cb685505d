// Our engine against llama.cpp: one comparison, three figures.
import { SkintError } from "../../../runtime/errors.ts";
import { compareWithLlama, type Parity } from "../../../test/peers/compare.ts";
import type { Absent, GoalContext, Measured } from "../goal.ts";

let comparison: Promise<Parity | Absent> | undefined;

async function compare({ signal, note }: GoalContext): Promise<Parity | Absent> {
  try {
    return await compareWithLlama({ signal, note });
  } catch (e) {
    if (e instanceof SkintError && e.code === "file.missing") return { absent: e.message };
    throw e;
  }
}

/** A goal's figure out of the comparison, which is made once. */
export function fromParity(figure: (p: Parity) => Measured): (context: GoalContext) => Promise<Measured | Absent> {
  return async (context) => {
    comparison ??= compare(context);
    const parity = await comparison;
    return "absent" in parity ? parity : figure(parity);
  };
}

export const agreement = fromParity(({ top1, tokens, window, disagreements }) => ({
  value: top1,
  note: `${disagreements.length} of ${tokens} positions differ, windows of ${window}`,
}));

export const distance = fromParity(({ meanDlogp, maxDlogp }) => ({ value: meanDlogp, note: `largest ${maxDlogp.toExponential(2)}` }));

export const perplexity = fromParity(({ relativePpl, perplexity: p }) => ({ value: relativePpl, note: `${p.ours.toFixed(6)} to ${p.theirs.toFixed(6)}` }));
