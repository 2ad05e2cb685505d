// One contest: every entrant loads and warms up, then they play in turn, round after round, so that what the machine does in the meantime happens to all.
// One plays while the others wait for input. The order turns by one place each round.
import { SkintError, throwIfAborted } from "../../runtime/errors.ts";
import { bootstrap, bootstrapRatio, type Interval } from "../../runtime/stats/bootstrap.ts";
import { type Contest, type Entrant, isPeer } from "./entrants.ts";
import type { Played, Player, Work } from "./players/player.ts";
import type { Stage } from "./stage.ts";

export interface Row {
  readonly contest: string;
  readonly entrant: string;
  /** Engine, version, build. */
  readonly engine: string;
  readonly threads: number;
  readonly figure: string;
  readonly work: Work;
  readonly unit: "tokens/s";
  /** One a round; round i of one row belongs to round i of the others. */
  readonly rates: readonly number[];
  readonly median: number;
  /** 95 % bootstrap interval of the median. */
  readonly low: number;
  readonly high: number;
  readonly min: number;
  readonly max: number;
}

export interface Outcome {
  readonly rows: readonly Row[];
  /** Entrants that could not play here, and why. */
  readonly absent: readonly { readonly contest: string; readonly entrant: string; readonly reason: string }[];
}

export interface PlayOptions {
  readonly rounds?: number;
  readonly signal?: AbortSignal;
  readonly note?: (line: string) => void;
}

/** What it was given to decode, else to read, a second. */
export function rateOf({ prompt, decode }: Work, { prefillMs, decodeMs }: Played): number {
  return decode > 0 ? (1000 * decode) / decodeMs : (1000 * prompt) / prefillMs;
}

/** A peer may be absent; if we cannot play, something is broken. */
const isAbsence = (entrant: Entrant, e: unknown): e is SkintError => isPeer(entrant) && e instanceof SkintError && (e.code === "file.missing" || e.code === "device.unavailable");

interface Seat {
  readonly entrant: Entrant;
  readonly player: Player;
  readonly rates: Map<string, number[]>;
}

async function seat(
  contest: Contest,
  entrants: readonly Entrant[],
  stage: Stage,
  absent: Outcome["absent"][number][],
  seats: Seat[],
  { signal, note }: PlayOptions,
): Promise<void> {
  for (const entrant of entrants) {
    throwIfAborted(signal, "the contest");
    if (entrant.lacks) {
      absent.push({ contest: contest.name, entrant: entrant.id, reason: entrant.lacks });
      continue;
    }
    note?.(`  ${contest.name}: loading ${entrant.id}`);
    try {
      const player = await entrant.open(stage, contest.threads);
      seats.push({ entrant, player, rates: new Map(Object.keys(contest.works).map((figure) => [figure, []])) });
    } catch (e) {
      if (!isAbsence(entrant, e)) throw e;
      absent.push({ contest: contest.name, entrant: entrant.id, reason: e.message });
    }
  }
}

/** Plays a contest; with no peer here there is none, and no row. */
export async function playContest(contest: Contest, stage: Stage, options: PlayOptions = {}): Promise<Outcome> {
  const { rounds = contest.rounds, signal, note } = options;
  const absent: Outcome["absent"][number][] = [];
  const seats: Seat[] = [];
  try {
    await seat(contest, contest.entrants.filter(isPeer), stage, absent, seats, options);
    if (seats.length === 0) return { rows: [], absent };
    const ours = contest.entrants.filter((entrant) => !isPeer(entrant));
    await seat(contest, ours, stage, absent, seats, options);
    for (let round = -1; round < rounds; round++) {
      note?.(`  ${contest.name}: ${round < 0 ? "warming up" : `round ${round + 1} of ${rounds}`}`);
      for (const [figure, work] of Object.entries(contest.works))
        for (let i = 0; i < seats.length; i++) {
          throwIfAborted(signal, "the contest");
          const { player, rates } = seats[(i + Math.max(round, 0)) % seats.length];
          const rate = rateOf(work, await player.play(work));
          if (round >= 0) rates.get(figure)?.push(rate);
        }
    }
  } finally {
    for (const { player } of seats) await player.close();
  }
  const rows = seats.flatMap(({ entrant, player, rates }) => [...rates].map(([figure, list]) => summarise(contest, entrant, player, figure, list)));
  return { rows, absent };
}

function summarise({ name, threads, works }: Contest, { id }: Entrant, { engine }: Player, figure: string, rates: readonly number[]): Row {
  const { value: median, low, high } = bootstrap(rates, "median");
  const rest = { rates, median, low, high, min: Math.min(...rates), max: Math.max(...rates) };
  return { contest: name, entrant: id, engine, threads, figure, work: works[figure], unit: "tokens/s", ...rest };
}

/** The row with the highest median; undefined of none. */
export const fastest = (rows: readonly Row[]): Row | undefined => rows.reduce<Row | undefined>((best, row) => (best && best.median >= row.median ? best : row), undefined);

/** Ratio of medians, round by round of the same contest. */
export const ratio = (ours: Row, theirs: Row): Interval => bootstrapRatio(ours.rates, theirs.rates, "median");
