// Agents in C, each made by its compiler and run in its emulator, against the FPGA's twin with their limits: the same values, answers and memories.
import { beforeAll, describe, expect, test } from "vitest";
import type { Line } from "../../../targets/devices/fpga/link/line.ts";
import { Session } from "../../../targets/devices/fpga/link/session.ts";
import { twinLine } from "../../../targets/devices/fpga/twin/line.ts";
import { MCUS } from "../../../targets/devices/mcu/catalogue.gen.ts";
import { twinOf } from "../../../targets/devices/mcu/twin.ts";
import { agentHash } from "../../../targets/hosts/node/agents/build.ts";
import { emulatedLine, lacksAgent } from "../../../targets/hosts/node/agents/lines.ts";
import { differingBursts } from "../../../tools/goals/fpga/bursts.ts";
import { expected, fits, ladder, runJob } from "../../../tools/goals/fpga/ladder.ts";

const BURSTS = 120;

describe.each(Object.entries(MCUS))("%s", (folder, mcu) => {
  let missing: string | undefined;
  beforeAll(async () => {
    missing = await lacksAgent(mcu);
  });
  const on = async <T>(skip: (why: string) => void, what: (line: Line) => Promise<T>): Promise<T> => {
    if (missing) skip(missing);
    const line = await emulatedLine(folder, mcu);
    try {
      return await what(line);
    } finally {
      await line.close();
    }
  };
  const twin = () => twinOf(mcu, agentHash(folder, mcu));

  test("gives what twin and reference give over the ladder, and its memories end up the same", async ({ skip }) => {
    await on(skip, async (line) => {
      const [agent, model] = [await Session.open(line), await Session.open(twinLine(twin()))];
      expect(agent.hello).toEqual(model.hello);
      const jobs = ladder().filter((j) => fits(j, agent.hello));
      expect(jobs.length).toBeGreaterThan(60);
      for (const job of jobs) {
        const { values, cycles } = await runJob(agent, job);
        expect(values, job.name).toEqual(expected(job));
        expect(cycles, job.name).toBeGreaterThan(job.rows);
        expect((await runJob(model, job)).values, job.name).toEqual(values);
      }
      for (const memory of ["weights", "activations", "parameters"] as const) {
        const words = agent.hello.words[memory];
        expect(await agent.sum(memory, 0, words), memory).toBe(await model.sum(memory, 0, words));
      }
    });
  });

  test(`answers ${BURSTS} bursts of good, damaged, cut and foreign bytes as the twin does`, async ({ skip }) => {
    if (missing) skip(missing);
    const open = async () => ({ line: await emulatedLine(folder, mcu), twin: twin() });
    expect(await differingBursts(open, 77, BURSTS, mcu.emulator.kind === "qemu")).toEqual([]);
  });
});
