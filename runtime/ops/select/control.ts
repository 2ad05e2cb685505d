// How a feed-forward layer goes about its neurons, as the host tells its kernels and they tell the host: u32 [1, CONTROL_WORDS], f32 where it says so.
// Zeros are the mode dense. Kernels change `warm` and what stands from `steps` on.

/** What is left out, by number of the mode: nothing; zeros of ReLU and of codes; contributions below a threshold; all but the k greatest; all but a core. */
export const FFN_MODES = ["dense", "exact", "cett", "topk", "core"] as const;
export type FfnMode = (typeof FFN_MODES)[number];

/** Values by which neurons are among the strongest of a token, by number: nothing is counted; the hidden value's positive part; its magnitude. */
export const SIGNALS = ["none", "positive", "magnitude"] as const;
export type Signal = (typeof SIGNALS)[number];

/** Word of each field. */
export const CONTROL = {
  mode: 0,
  /** Lists longer than this are not worth walking: the step does all neurons. */
  limit: 1,
  /** f32: contribution |h_i| · norm_i below which `cett` drops a neuron. */
  eps: 2,
  /** Neurons that `topk` keeps. */
  topk: 3,
  /** Bits of the last cut of `topk`: where the next search begins. */
  warm: 4,
  /** What steps of many rows count the neurons of cores by (`SIGNALS`); 0: they count nothing. */
  signal: 5,
  /** f32: share of a token's neurons that fire which count in it. */
  alpha: 6,
  /** Decode steps since the host cleared them, and rows that were read in them: of the first matrix, of `up`, of `down`. */
  steps: 8,
  firstRows: 9,
  upRows: 10,
  downRows: 11,
  /** Lists that were longer than the limit. */
  fallbacks: 12,
} as const;

export const CONTROL_WORDS = 16;
