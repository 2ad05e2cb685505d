// Figures out of contests with other engines (test/peers). Each contest is played once in a run of the goals, whoever asks for it first.
import { fastest, type Outcome, playContest, type Row, ratio } from "../../../test/peers/contest.ts";
import { CONTESTS, type Contest, isPeer } from "../../../test/peers/entrants.ts";
import { Stage } from "../../../test/peers/stage.ts";
import type { Absent, Goal, GoalContext, Measured } from "../goal.ts";

const outcomes = new Map<string, Promise<Outcome>>();

async function play(contest: Contest, context: GoalContext): Promise<Outcome> {
  const stage = new Stage(context);
  try {
    return await playContest(contest, stage, context);
  } finally {
    await stage.close();
  }
}

function outcomeOf(name: string, context: GoalContext): Promise<Outcome> {
  const contest = CONTESTS.find((c) => c.name === name) as Contest;
  if (!outcomes.has(name)) outcomes.set(name, play(contest, context));
  return outcomes.get(name) as Promise<Outcome>;
}

export interface Comparison {
  readonly contest: string;
  readonly figure: string;
  /** Which entrant is ours; all that are not Skint are peers, of which the fastest counts. */
  readonly ours: string;
}

const fromPeer = ({ entrant: id }: { readonly entrant: string }) => isPeer({ id });
const about = ({ entrant, median }: Row) => `${entrant} ${median.toFixed(1)}`;

/** Ratio of our median to the fastest peer's, with every other median of the contest in the note. */
export function judge({ rows, absent }: Outcome, { figure, ours }: Comparison): Measured | Absent {
  const missing = absent.find(({ entrant }) => entrant === ours);
  if (missing) return { absent: missing.reason };
  const same = rows.filter((row) => row.figure === figure);
  const [mine, best] = [same.find((row) => row.entrant === ours), fastest(same.filter(fromPeer))];
  if (!best) return { absent: absent.find(fromPeer)?.reason ?? "no peer took part" };
  if (!mine) throw new Error(`there is no ${ours} in ${same.map((row) => row.entrant).join(", ")}`);
  const others = same.filter((row) => row !== mine && row !== best).map(about);
  const gone = absent.filter(fromPeer).map(({ entrant, reason }) => `absent: ${entrant} (${reason})`);
  return { ...ratio(mine, best), note: [`${about(mine)} over ${about(best)} tokens/s on ${mine.engine}`, ...others, ...gone].join("; ") };
}

/** A goal's figure out of a contest. */
export const fromContest =
  (comparison: Comparison): Goal["measure"] =>
  async (context) =>
    judge(await outcomeOf(comparison.contest, context), comparison);
