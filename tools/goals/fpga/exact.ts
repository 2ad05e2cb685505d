// Does the engine compute what the reference computes, wherever it runs, and how near to its peak?
import { Session } from "../../../targets/devices/fpga/link/session.ts";
import { twinLine } from "../../../targets/devices/fpga/twin/line.ts";
import { lacksSimulator } from "../../../targets/hosts/node/simulator.ts";
import type { Absent, GoalContext, Measured } from "../goal.ts";
import { openEngine, plainTwin } from "./devices.ts";
import { expected, jobOf, ladder, runJob } from "./ladder.ts";

const LEVELS = ["rtl", "cells"] as const;

/** Share of jobs whose values are the reference's on twin, RTL and RTL with the vendor's cells, in as many clocks everywhere. */
export async function shareExact({ signal, note }: GoalContext): Promise<Measured | Absent> {
  for (const level of LEVELS) {
    const absent = await lacksSimulator(level);
    if (absent) return { absent };
  }
  const jobs = ladder();
  const twin = await Session.open(twinLine(plainTwin()));
  let right = 0;
  for (const level of LEVELS) {
    note(`fpga.exact: ${level}`);
    const { line } = await openEngine({}, level, signal);
    const core = await Session.open(line, { signal });
    for (const job of jobs) {
      const [a, b] = [await runJob(core, job), await runJob(twin, job)];
      const want = expected(job);
      if (a.cycles === b.cycles && want.every((v, r) => v === a.values[r] && v === b.values[r])) right++;
    }
    await line.close();
  }
  return { value: right / (LEVELS.length * jobs.length), note: `${jobs.length} jobs on RTL and vendor cells, each against twin and reference` };
}

/** Least multiply-adds a clock over the lanes, for k from 128 on, with sums and with requantised results: what is below 1 is filling and draining. */
export async function utilisation(mode: "int8" | "int4", { signal }: GoalContext): Promise<Measured> {
  const { line, name } = await openEngine({}, "rtl", signal);
  const session = await Session.open(line, { signal });
  const lanes = mode === "int8" ? session.hello.lanes8 : session.hello.lanes4;
  const shares: [share: number, what: string][] = [];
  for (const k of [128, 256, 512])
    for (const fx16 of [false, true]) {
      const job = jobOf(mode, 64, k, fx16);
      const { cycles, macs } = await runJob(session, job);
      shares.push([macs / cycles / lanes, job.name]);
    }
  await line.close();
  const least = Math.min(...shares.map(([s]) => s));
  return {
    value: least,
    high: Math.max(...shares.map(([s]) => s)),
    low: least,
    note: `${name}; of ${lanes} a clock: ${shares.map(([s, what]) => `${what} ${s.toFixed(3)}`).join(", ")}`,
  };
}
