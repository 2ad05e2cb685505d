// How many MCUs' agents, each run in its emulator, compute what the reference computes and answer what the twin answers?
import { throwIfAborted } from "../../../runtime/errors.ts";
import type { Line } from "../../../targets/devices/fpga/link/line.ts";
import { Session } from "../../../targets/devices/fpga/link/session.ts";
import { MCUS } from "../../../targets/devices/mcu/catalogue.gen.ts";
import type { Mcu } from "../../../targets/devices/mcu/mcu.ts";
import { twinOf } from "../../../targets/devices/mcu/twin.ts";
import { agentHash } from "../../../targets/hosts/node/agents/build.ts";
import { emulatedLine, lacksAgent } from "../../../targets/hosts/node/agents/lines.ts";
import { differingBursts } from "../fpga/bursts.ts";
import { expected, fits, ladder, runJob } from "../fpga/ladder.ts";
import type { Absent, GoalContext, Measured } from "../goal.ts";

const BURSTS = 300;

async function withLine<T>(folder: string, mcu: Mcu, signal: AbortSignal, what: (line: Line) => Promise<T>): Promise<T> {
  const line = await emulatedLine(folder, mcu, signal);
  try {
    return await what(line);
  } finally {
    await line.close();
  }
}

/** Jobs of the ladder that fit, those that came out wrong, and bursts that were answered otherwise. */
async function judge(folder: string, mcu: Mcu, signal: AbortSignal): Promise<{ jobs: number; wrong: number; bursts: number }> {
  const [jobs, wrong] = await withLine(folder, mcu, signal, async (line) => {
    const session = await Session.open(line, { signal });
    const fitting = ladder().filter((j) => fits(j, session.hello));
    let failed = 0;
    for (const job of fitting) {
      const [{ values }, want] = [await runJob(session, job), expected(job)];
      if (values.length !== want.length || values.some((v, i) => v !== want[i])) failed++;
    }
    return [fitting.length, failed];
  });
  throwIfAborted(signal, "flash.agents");
  const open = async () => ({ line: await emulatedLine(folder, mcu, signal), twin: twinOf(mcu, agentHash(folder, mcu)) });
  const differing = await differingBursts(open, 7, BURSTS, mcu.emulator.kind === "qemu");
  return { jobs, wrong, bursts: differing.length };
}

/** Agents without a wrong job or a burst that was answered otherwise. */
export async function exactAgents({ signal, note }: GoalContext): Promise<Measured | Absent> {
  const said: string[] = [];
  let exact = 0;
  for (const [folder, mcu] of Object.entries(MCUS)) {
    note(`flash.agents: ${folder}`);
    const absent = await lacksAgent(mcu);
    if (absent) return { absent };
    const { jobs, wrong, bursts } = await judge(folder, mcu, signal);
    if (jobs > 0 && wrong === 0 && bursts === 0) exact++;
    said.push(`${folder} ${jobs - wrong} of ${jobs} jobs, ${BURSTS - bursts} of ${BURSTS} bursts`);
  }
  return { value: exact, note: said.join("; ") };
}
