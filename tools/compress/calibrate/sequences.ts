// The tokens a calibration runs over: a text cut into sequences, some drawn by a seed, an eighth of them kept apart for measuring.
import { SkintError } from "../../../runtime/errors.ts";
import { createRandom } from "../../../runtime/num/random.ts";

/** A text to calibrate with, and what it is called. */
export interface CalibrationText {
  readonly name: string;
  readonly text: string;
}

export interface Sequences {
  /** What statistics are made of. */
  readonly fit: readonly Uint32Array[];
  /** What errors are measured on. */
  readonly held: readonly Uint32Array[];
}

/** Tokens of `fit` unless asked otherwise; wider inputs take 4 a channel. */
const LEAST_TOKENS = 8192;
const TOKENS_A_CHANNEL = 4;
/** One held-out token for so many others. */
const HELD_SHARE = 8;

export const tokensFor = (widest: number) => Math.max(LEAST_TOKENS, TOKENS_A_CHANNEL * widest);

export const countTokens = (sequences: readonly Uint32Array[]) => sequences.reduce((sum, s) => sum + s.length, 0);

/** Pieces of at most `length` tokens, each of one document; what is shorter than two tokens predicts nothing and is left out. */
function cut(documents: readonly Uint32Array[], length: number): Uint32Array[] {
  return documents.flatMap((d) => Array.from({ length: Math.ceil(d.length / length) }, (_, i) => d.subarray(i * length, (i + 1) * length))).filter((p) => p.length > 1);
}

function shuffled<T>(items: readonly T[], seed: number): T[] {
  const random = createRandom(seed);
  const out = [...items];
  for (let i = out.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [out[i], out[j]] = [out[j], out[i]];
  }
  return out;
}

/** Sequences from the front of `from` that have `tokens` tokens together, the last one cut; `from` loses them. */
function take(from: Uint32Array[], tokens: number): Uint32Array[] {
  const out: Uint32Array[] = [];
  for (let left = tokens; left > 0 && from.length > 0; ) {
    const s = (from.shift() as Uint32Array).subarray(0, left);
    out.push(s);
    left -= s.length;
  }
  return out;
}

/**
 * Draws sequences of at most `length` tokens. Throws `calibration.text` if the documents hold too few.
 * @param tokens tokens of `fit`
 */
export function drawSequences(documents: readonly Uint32Array[], { name, length, tokens, seed }: { name: string; length: number; tokens: number; seed: number }): Sequences {
  const pieces = shuffled(cut(documents, length), seed);
  const heldTokens = Math.ceil(tokens / HELD_SHARE);
  const have = countTokens(pieces);
  const held = take(pieces, heldTokens);
  if (countTokens(pieces) < tokens)
    throw new SkintError(
      "calibration.text",
      `${name} has ${have} tokens; calibrating this model takes ${tokens + heldTokens + length}: ${tokens} for its statistics, ${heldTokens} to measure on, and what a cut sequence of ${length} may lose. Give a longer text with --calibration, or ask for fewer with --calibration-tokens`,
      { what: name },
    );
  return { fit: take(pieces, tokens), held };
}
