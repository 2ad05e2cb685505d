// Core neurons (CoreInfer, Wang et al. 2024): of one token the strongest part of those that fire, of a text those that are most often among them. The
// signal is the hidden value, its positive part.
import { ALPHA, coreOf, coreSize, ranked } from "../../runtime/cores/rank.ts";
import { SkintError } from "../../runtime/errors.ts";

function checkShare(name: string, value: number): void {
  if (!(value > 0 && value <= 1)) throw new SkintError("usage", `${name} is ${value}; give a share above 0, at most 1`, { what: name });
}

/**
 * Neurons of a token's core in ascending order: of those with a value above 0 the `alpha` part that is greatest, at least one; ties by number. Empty if
 * none fires. Throws `session.nan`, `usage`.
 */
export function tokenCore(h: Float32Array, alpha = ALPHA): Uint32Array {
  checkShare("alpha", alpha);
  const nan = h.findIndex(Number.isNaN);
  if (nan >= 0) throw new SkintError("session.nan", `neuron ${nan} is NaN; compress the model anew`, { what: `neuron ${nan}` });
  const firing = Uint32Array.from(h.keys()).filter((i) => h[i] > 0);
  if (firing.length === 0) return firing;
  const k = Math.min(firing.length, Math.max(1, Math.round(alpha * firing.length)));
  return firing
    .sort((a, b) => h[b] - h[a] || a - b)
    .subarray(0, k)
    .sort();
}

/** Counts how often neurons are in tokens' cores. */
export class CoreCounter {
  readonly counts: Uint32Array;
  readonly mass: Float32Array;
  tokens = 0;

  constructor(
    readonly neurons: number,
    private readonly alpha = ALPHA,
  ) {
    this.counts = new Uint32Array(neurons);
    this.mass = new Float32Array(neurons);
  }

  /** Adds a token's hidden values; returns its core. */
  add(h: Float32Array): Uint32Array {
    const core = tokenCore(h, this.alpha);
    for (const i of core) {
      this.counts[i]++;
      this.mass[i] += h[i];
    }
    this.tokens++;
    return core;
  }

  /** All that were ever in a core, best first. */
  ranked(): Uint32Array {
    return ranked(this);
  }

  /** The first floor(beta · neurons), at least one, in ascending order; fewer if fewer were ever in a core. */
  core(beta: number): Uint32Array {
    checkShare("beta", beta);
    return coreOf(this, coreSize(this.neurons, beta, 1));
  }
}
