// What a rule of a recipe may say of a path that is a part of the weights.
import { PARTS, type Part } from "./linalg/context.ts";

interface PartRule {
  readonly scheme: string;
  readonly rank?: number | "auto";
  readonly power?: number;
  readonly shared?: boolean;
  readonly turns?: number;
  readonly split?: Part;
}

/** What is wrong with the rule, if anything; to be read behind its text. */
export function partComplaint({ scheme, rank, power, shared, turns = 1, split }: PartRule): string | undefined {
  if (split === undefined) return undefined;
  if (!PARTS.includes(split)) return `splits its weights by ${JSON.stringify(split)}, none of ${PARTS.join(", ")}`;
  if (power !== 1) return "splits its weights by strong inputs, which takes a path of power 1";
  if (rank === "auto") return 'splits its weights by a rank that it must give: "auto" is for paths that make up for what was lost';
  if (turns > 1) return "splits its weights and makes them in turns; a part is taken once";
  if (shared) return "splits its weights and shares the path; each matrix has parts of its own";
  return scheme === "q4n" ? "splits weights that lie by neurons, which are compressed without calibration" : undefined;
}
