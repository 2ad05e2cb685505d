// Core neurons of a text (CoreInfer, specs/coreinfer.md §§3-6): a neuron counts in a token if it is among the strongest there; the core are those that
// counted most often. Counting is the kernels' (runtime/ops/tally); here is what is made of the counts.

/** Share of a token's neurons that fire which count in it. */
export const ALPHA = 0.4;
/** Share of a layer's neurons that are its core. */
export const BETA = 0.2;
/** Cores fill whole blocks of rows. */
export const CORE_BLOCK = 16;

/** What was counted in one layer, by neuron. */
export interface Tally {
  /** Tokens in which it was among the strongest, u32 [n]. */
  readonly counts: Uint32Array;
  /** Sum of its values in them, f32 [n], added token by token. */
  readonly mass: Float32Array;
}

/** Neurons of a core: the share `beta` of n, rounded down, at least one; then up to whole blocks, at most n. */
export function coreSize(n: number, beta: number, block: number = CORE_BLOCK): number {
  return Math.min(n, Math.ceil(Math.max(1, Math.floor(beta * n)) / block) * block);
}

/** All neurons that counted, best first: by count, then by mass, then by number. */
export function ranked({ counts, mass }: Tally): Uint32Array {
  const some: number[] = [];
  counts.forEach((count, i) => {
    if (count > 0) some.push(i);
  });
  return Uint32Array.from(some.sort((a, b) => counts[b] - counts[a] || mass[b] - mass[a] || a - b));
}

/** The first `size` of what `ranked` gives, ascending; fewer if fewer ever counted. */
export function coreOf({ counts, mass }: Tally, size: number): Uint32Array {
  const cut = counts.slice().sort()[Math.max(0, counts.length - size)];
  const sure: number[] = [];
  const equal: number[] = [];
  counts.forEach((count, i) => {
    if (count > cut) sure.push(i);
    else if (count === cut && count > 0) equal.push(i);
  });
  equal.sort((a, b) => mass[b] - mass[a] || a - b);
  return Uint32Array.from([...sure, ...equal.slice(0, size - sure.length)]).sort();
}

/** |a ∩ b| / min(|a|, |b|) of two sets; 0 if one is empty. */
export function overlap(a: Uint32Array, b: Uint32Array): number {
  if (a.length === 0 || b.length === 0) return 0;
  const some = new Set(a);
  return b.filter((i) => some.has(i)).length / Math.min(a.length, b.length);
}
