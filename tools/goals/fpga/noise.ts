// A thousand jobs over a line that damages or loses one byte in a hundred, in both directions.
import { SkintError, throwIfAborted } from "../../../runtime/errors.ts";
import { Session } from "../../../targets/devices/fpga/link/session.ts";
import type { GoalContext, Measured } from "../goal.ts";
import { openEngine } from "./devices.ts";
import { expected, type Job, ladder, runJob } from "./ladder.ts";

const JOBS = 1000;
const FAULTS = { flip: 0.005, drop: 0.005, seed: 5 };

interface Noise {
  readonly wrong: number;
  readonly finished: number;
  readonly note: string;
}

/** The small ones of the ladder, of as many seeds as it takes. */
function jobs(): Job[] {
  const all: Job[] = [];
  for (let seed = 1; all.length < JOBS; seed++) all.push(...ladder(seed).filter((j) => j.rows * j.k <= 256));
  return all.slice(0, JOBS);
}

async function run({ signal, note }: GoalContext): Promise<Noise> {
  const { line, name } = await openEngine(FAULTS, "rtl", signal);
  const session = await Session.open(line, { signal });
  let wrong = 0;
  let finished = 0;
  for (const job of jobs()) {
    throwIfAborted(signal, "fpga.noise");
    try {
      const { values } = await runJob(session, job);
      finished++;
      const want = expected(job);
      if (values.length !== want.length || values.some((v, i) => v !== want[i])) wrong++;
    } catch (e) {
      if (!(e instanceof SkintError) || e.code !== "device.noisy") throw e;
      note(`fpga.noise: ${job.name} was given up`);
    }
  }
  await line.close();
  const { requests, repeats } = session.traffic;
  return { wrong, finished, note: `${name}, ${JOBS} jobs, 0.5 % of bytes changed and 0.5 % lost each way; ${repeats} of ${requests + repeats} requests were repeats` };
}

let once: Promise<Noise> | undefined;
const noise = (context: GoalContext) => {
  once ??= run(context);
  return once;
};

export async function wrongAnswers(context: GoalContext): Promise<Measured> {
  const { wrong, note } = await noise(context);
  return { value: wrong, note };
}

export async function finishedShare(context: GoalContext): Promise<Measured> {
  const { finished, note } = await noise(context);
  return { value: finished / JOBS, note };
}
