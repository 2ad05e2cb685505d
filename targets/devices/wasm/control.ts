// The control block: every mutable word the lanes share, placed by the host, each on a 128-byte line of its own so that
// no two lanes fight over a cache line. Offsets in bytes from the block's base. Used by the host and, generated, by the core.

const LINE = 128;

export const MAX_LANES = 64;

export const CONTROL = {
  /** u64 = step:24 | op:20 | unit:20. An op whose units are all claimed is idle. */
  TICKET: 0 * LINE,
  /** u32 units of the current op that are finished. */
  DONE: 1 * LINE,
  /** u32 lanes asleep on TICKET. */
  SLEEPERS: 2 * LINE,
  /** u32 number of the last finished step (low 24 bits), or FINISHED_ERROR. */
  FINISHED: 3 * LINE,
  /** u32 set before anything else when a lane trapped; every lane leaves at its next claim. */
  POISON: 4 * LINE,
  /** u32 address of the first record of the current plan, u32 number of its records. Read-only while a step runs. */
  PLAN: 5 * LINE,
  COUNT: 5 * LINE + 4,
  /** u32 turns of spinning before a lane sleeps; u32 a claim takes ceil(left · 2 / DIVISOR) units (DIVISOR in halves). */
  SPIN: 5 * LINE + 8,
  DIVISOR: 5 * LINE + 12,
  /** u32 per lane: address of the record in hand, for messages after a trap. */
  LANE: 6 * LINE,
} as const;

/** Bytes of the whole block. */
export const CONTROL_BYTES = CONTROL.LANE + MAX_LANES * LINE;

export const LANE_BYTES = LINE;

export const FINISHED_ERROR = 0xffffffff;
