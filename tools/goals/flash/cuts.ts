// The link is cut at every byte and at every boundary that matters, on as many processors as there are.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { createRandom } from "../../../runtime/num/random.ts";
import { buildLoader } from "../../../targets/hosts/node/loader-simulator.ts";
import { lacksSimulator } from "../../../targets/hosts/node/simulator.ts";
import type { GoalContext, Measured } from "../goal.ts";
import { type Cuts, lineTarget, measureTraffic, type Outcome } from "./cutting.ts";

const SMALL = 2048;
/** An image of the UP5K. */
const WHOLE = 104_090;
const RANDOM_CUTS = 1000;
const VERILATED_CUTS = 50;
/** Boards whose loaders are cut at every byte of the small image. */
const BOARDS = ["icebreaker", "tinyfpga-bx", "bluepill", "arduino-uno"];
/** Bytes of images that a process is given at once: some seconds of work. */
const PORTION = 1 << 21;

/** Places as jobs that processes take in turn. */
function portions(cuts: Cuts): Cuts[] {
  const each = Math.max(5, Math.floor(PORTION / cuts.image));
  return Array.from({ length: Math.ceil(cuts.places.length / each) }, (_, i) => ({ ...cuts, places: cuts.places.slice(each * i, each * (i + 1)) }));
}

async function answerOf(child: ChildProcess, job: Cuts, failed: Promise<never>): Promise<Outcome> {
  child.send(job);
  const [outcome] = await Promise.race([once(child, "message"), failed]);
  return outcome;
}

/** Gives the jobs to as many processes as there are processors; the sum of what they found. */
async function spread(jobs: readonly Cuts[], signal: AbortSignal): Promise<Outcome> {
  const waiting = [...jobs];
  const sum = { falseSuccesses: 0, stuck: 0 };
  const work = async () => {
    const child = fork("tools/dev/ts.mjs", ["tools/goals/flash/cuts-worker.ts"], { signal, execArgv: ["--max-semi-space-size=64"] });
    const failed = once(child, "exit").then(([code]): never => {
      throw new Error(`a process that cuts ended with ${code}`);
    });
    try {
      for (let job = waiting.shift(); job; job = waiting.shift()) {
        const one = await answerOf(child, job, failed);
        sum.falseSuccesses += one.falseSuccesses;
        sum.stuck += one.stuck;
      }
    } finally {
      child.kill();
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return sum;
}

/** Every byte of a small image on each twin. */
async function everyByte(board: string): Promise<Cuts> {
  const { total } = await measureTraffic(board, SMALL);
  return { board, image: SMALL, verilated: false, places: Array.from({ length: total }, (_, i) => i) };
}

/** Every byte of a small image on each twin; of a whole one random places, and those about each boundary of sectors; some of the Verilated loader. */
export async function falseSuccesses({ signal, note }: GoalContext): Promise<Measured> {
  const random = createRandom(4);
  const anywhere = (count: number, total: number) => Array.from({ length: count }, () => random.below(total));
  const all = await Promise.all(BOARDS.map(everyByte));
  const whole = await measureTraffic("icebreaker", WHOLE);
  const boundaries = whole.boundaries.flatMap((b) => [b - 1, b, b + 1]);
  all.push({ board: "icebreaker", image: WHOLE, verilated: false, places: [...anywhere(RANDOM_CUTS, whole.total), ...boundaries] });
  const lacking = await lacksSimulator("loader");
  if (!lacking) {
    // before the processes would all build it
    await buildLoader(lineTarget("icebreaker").target, signal);
    all.push({ board: "icebreaker", image: SMALL, verilated: true, places: anywhere(VERILATED_CUTS, (await measureTraffic("icebreaker", SMALL)).total) });
  }
  const cuts = all.reduce((sum, { places }) => sum + places.length, 0);
  note(`flash.cuts: ${cuts} cuts`);
  const { falseSuccesses: wrong, stuck } = await spread(all.flatMap(portions), signal);
  const done = stuck === 0 ? "the second run finished each" : `${stuck} second runs did not finish`;
  const verilated = lacking ?? `${VERILATED_CUTS} of the Verilated loader`;
  return {
    value: wrong + stuck,
    note: `${cuts} cuts: every byte of ${SMALL} on ${BOARDS.join(", ")}; ${RANDOM_CUTS + boundaries.length} places of ${WHOLE} bytes; ${verilated}; ${done}`,
  };
}
