// Chooses the next token from logits f32 [vocab]. Order of the filters (as in Hugging Face and vLLM): repeat penalty, temperature, top-k, top-p,
// min-p. The same logits, options and seed give the same tokens on every engine (num/det.ts, num/random.ts). Nothing is allocated per token.
// Ties go to the lowest id. Not for scoring: the probabilities stay inside.
import { SkintError } from "../errors.ts";
import { exp } from "../num/det.ts";
import { createRandom } from "../num/random.ts";
import { SPAN } from "../ops/peaks/op.ts";
import { createRanking } from "./ranking.ts";

export interface SampleOptions {
  /** Logits are divided by it; 0 = greedy. Default 1. */
  readonly temperature?: number;
  /** Keeps the k most probable tokens; 0 = all. Default 0. */
  readonly topK?: number;
  /** Keeps the fewest tokens, most probable first, that hold this share of the probability (Holtzman et al. 2020). In (0, 1]; default 1. */
  readonly topP?: number;
  /** Drops tokens less probable than this share of the most probable one. In [0, 1]; default 0. */
  readonly minP?: number;
  /** Logits of tokens among the last REPEAT_WINDOW are divided by it if positive, else multiplied (Keskar et al. 2019). 1 = off, the default. */
  readonly repeatPenalty?: number;
  /** Whole number, not negative; default 0. */
  readonly seed?: number;
}

export interface Sampler {
  /**
   * Chooses a token id; does not remember it. Throws `session.nan` at a logit that is not finite.
   * @param peaks the greatest of each SPAN logits (runtime/ops/peaks), of more than the vocabulary perhaps: then the best is found without reading all
   */
  next(logits: Float32Array, peaks?: Float32Array): number;
  /** Remembers a token of the prompt or the output for the repeat penalty. */
  accept(token: number): void;
}

/** Tokens the repeat penalty looks back. */
export const REPEAT_WINDOW = 64;

function refuse(name: string, value: unknown, must: string): never {
  throw new SkintError("usage", `sampling with ${name} ${String(value)} is not possible; ${name} must be ${must}`, { what: name });
}

function refuseLogit(id: number, value: number): never {
  throw new SkintError("session.nan", `the logit of token ${id} is ${value}; reload the model, and check its weights with \`skint eval\` if it happens again`, {
    what: `logits[${id}]`,
  });
}

/** Options with their defaults; throws `usage` outside the ranges. */
export function checkSampleOptions(options: SampleOptions): Required<SampleOptions> {
  const { temperature = 1, topK = 0, topP = 1, minP = 0, repeatPenalty = 1, seed = 0 } = options;
  if (!(temperature >= 0 && temperature <= 1000)) refuse("temperature", temperature, "between 0 and 1000");
  if (!Number.isSafeInteger(topK) || topK < 0) refuse("top-k", topK, "a whole number, 0 for all tokens");
  if (!(topP > 0 && topP <= 1)) refuse("top-p", topP, "above 0 and at most 1");
  if (!(minP >= 0 && minP <= 1)) refuse("min-p", minP, "between 0 and 1");
  if (!(repeatPenalty > 0 && repeatPenalty <= 1000)) refuse("repeat-penalty", repeatPenalty, "above 0 and at most 1000; 1 switches it off");
  if (!Number.isSafeInteger(seed) || seed < 0) refuse("seed", seed, "a whole number, not negative");
  return { temperature, topK, topP, minP, repeatPenalty, seed };
}

/** Id of the greatest logit, the lowest on a tie, where `peaks` says that it is. Throws `session.nan`. */
function highest(logits: Float32Array, peaks: Float32Array): number {
  const whole = Math.floor(logits.length / SPAN); // behind them stand ids that are never chosen, in the same peak as others
  let at = whole * SPAN;
  let top = Number.NEGATIVE_INFINITY;
  for (let b = 0; b < whole; b++) {
    if (peaks[b] - peaks[b] !== 0) refuseAny(logits, b * SPAN);
    if (peaks[b] > top) {
      top = peaks[b];
      at = b * SPAN;
    }
  }
  let best = at;
  if (whole > 0) while (logits[best] !== top) best++;
  for (let i = whole * SPAN; i < logits.length; i++) {
    if (logits[i] - logits[i] !== 0) refuseLogit(i, logits[i]);
    if (logits[i] > top) {
      top = logits[i];
      best = i;
    }
  }
  return best;
}

function refuseAny(logits: Float32Array, from: number): void {
  for (let i = from; i < from + SPAN; i++) if (!Number.isFinite(logits[i])) refuseLogit(i, logits[i]);
}

/** @param vocab number of logits; token ids are 0 … vocab - 1 */
export function createSampler(options: SampleOptions, vocab: number): Sampler {
  const { temperature, topK, topP, minP, repeatPenalty, seed } = checkSampleOptions(options);
  if (!Number.isSafeInteger(vocab) || vocab < 1) refuse("a vocabulary of", vocab, "a whole number, at least 1");
  const random = createRandom(seed);
  const scores = new Float64Array(vocab);
  const weights = new Float64Array(vocab); // of the candidates in order of `chosen`
  const ranking = createRanking(scores);
  const masses = new Float64Array(ranking.buckets);
  const weightOf = new Float64Array(vocab); // by id
  const chosen = ranking.ids;
  const window = new Uint32Array(REPEAT_WINDOW);
  let accepted = 0;

  const greedy = temperature === 0 || topK === 1;

  function checkLength(logits: Float32Array): void {
    if (logits.length !== vocab) throw new SkintError("usage", `${logits.length} logits were given to a sampler for ${vocab} tokens; make a sampler for this model`);
  }

  /** Copies the logits, applies the penalty, gives the id of the highest score. */
  function load(logits: Float32Array): number {
    for (let i = 0; i < vocab; i++) {
      const v = logits[i];
      if (v - v !== 0) refuseLogit(i, v);
      scores[i] = v;
    }
    // computed from the logit, not from the score, so that a token in the window twice is penalised once
    if (repeatPenalty !== 1)
      for (let i = Math.min(accepted, REPEAT_WINDOW) - 1; i >= 0; i--)
        scores[window[i]] = logits[window[i]] > 0 ? logits[window[i]] / repeatPenalty : logits[window[i]] * repeatPenalty;
    let best = 0;
    for (let i = 1; i < vocab; i++) if (scores[i] > scores[best]) best = i;
    return best;
  }

  /** Candidates without an order: the whole vocabulary but what min-p drops. Returns how many. */
  function chooseAll(top: number): number {
    let n = 0;
    for (let i = 0; i < vocab; i++) {
      const w = exp((scores[i] - top) / temperature);
      if (w < minP) continue;
      chosen[n] = i;
      weights[n++] = w;
    }
    return n;
  }

  /** Candidates from the most probable downwards: top-k, then top-p of their sum, then min-p. Returns how many. */
  function chooseBest(top: number): number {
    ranking.load(top);
    let n = topK > 0 && topK < vocab ? chooseK(top) : chooseShare(top);
    while (n > 1 && weights[n - 1] < minP) n--;
    return n;
  }

  /** The k best, of these the fewest that hold the share. */
  function chooseK(top: number): number {
    ranking.rank(ranking.holding(topK));
    let held = 0;
    for (let n = 0; n < topK; n++) {
      weights[n] = exp((scores[chosen[n]] - top) / temperature);
      held += weights[n];
    }
    return topP < 1 ? prefixHolding(topP * held, topK) : topK;
  }

  /** The fewest that hold the share of the whole vocabulary. */
  function chooseShare(top: number): number {
    masses.fill(0);
    let sum = 0;
    for (let i = 0; i < vocab; i++) {
      const w = exp((scores[i] - top) / temperature);
      weightOf[i] = w;
      sum += w;
      masses[ranking.bucket(i)] += w;
    }
    const share = topP * sum;
    let last = 0;
    for (let passed = masses[0]; passed < share && last < masses.length - 1; passed += masses[last]) last++;
    // Sums in another order may fall short of each other by a rounding: then the next buckets are wanted too.
    for (; ; last = masses.length - 1) {
      const ranked = ranking.rank(last);
      let n = 0;
      let held = 0;
      while (n < ranked && held < share) {
        weights[n] = weightOf[chosen[n]];
        held += weights[n++];
      }
      if (held >= share || ranked === vocab) return n;
    }
  }

  function prefixHolding(share: number, n: number): number {
    let held = 0;
    for (let i = 0; i < n; i++) {
      held += weights[i];
      if (held >= share) return i + 1;
    }
    return n;
  }

  function draw(n: number): number {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += weights[i];
    const mark = random.f64() * sum;
    let passed = 0;
    for (let i = 0; i < n - 1; i++) {
      passed += weights[i];
      if (passed > mark) return chosen[i];
    }
    return chosen[n - 1];
  }

  return {
    next(logits, peaks) {
      checkLength(logits);
      if (greedy && peaks && repeatPenalty === 1) return highest(logits, peaks);
      const best = load(logits);
      if (greedy) return best;
      const ordered = topP < 1 || (topK > 0 && topK < vocab);
      return draw(ordered ? chooseBest(scores[best]) : chooseAll(scores[best]));
    },
    accept(token) {
      if (!Number.isInteger(token) || token < 0 || token >= vocab)
        throw new SkintError("session.token", `the token ${token} is outside the vocabulary of ${vocab}; use the tokenizer of this model`);
      window[accepted++ % REPEAT_WINDOW] = token;
    },
  };
}
