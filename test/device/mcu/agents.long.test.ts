// Agents for long: thousands of bursts, junk without end, and lines that damage and lose bytes.
import { describe, expect, test } from "vitest";
import { createRandom } from "../../../runtime/num/random.ts";
import type { Line } from "../../../targets/devices/fpga/link/line.ts";
import { Session } from "../../../targets/devices/fpga/link/session.ts";
import { noisyLine } from "../../../targets/devices/fpga/twin/line.ts";
import { MCUS } from "../../../targets/devices/mcu/catalogue.gen.ts";
import { twinOf } from "../../../targets/devices/mcu/twin.ts";
import { agentHash } from "../../../targets/hosts/node/agents/build.ts";
import { emulatedLine, lacksAgent } from "../../../targets/hosts/node/agents/lines.ts";
import { differingBursts } from "../../../tools/goals/fpga/bursts.ts";
import { expected, fits, ladder, runJob } from "../../../tools/goals/fpga/ladder.ts";

const BURSTS = 3000;
const JUNK_BYTES = 200_000;
const MINUTES = 60_000;

describe.each(Object.entries(MCUS))("%s", (folder, mcu) => {
  const on = async (skip: (why: string) => void, what: (line: Line) => Promise<void>): Promise<void> => {
    const why = await lacksAgent(mcu);
    if (why) skip(why);
    const line = await emulatedLine(folder, mcu);
    try {
      await what(line);
    } finally {
      await line.close();
    }
  };
  const right = async (session: Session, most: number) => {
    for (const job of ladder().filter((j) => j.rows * j.k <= most && fits(j, session.hello))) expect((await runJob(session, job)).values, job.name).toEqual(expected(job));
  };

  test(
    `answers ${BURSTS} bursts as the twin does`,
    async ({ skip }) => {
      const why = await lacksAgent(mcu);
      if (why) skip(why);
      const open = async () => ({ line: await emulatedLine(folder, mcu), twin: twinOf(mcu, agentHash(folder, mcu)) });
      expect(await differingBursts(open, 2026, BURSTS, mcu.emulator.kind === "qemu")).toEqual([]);
    },
    10 * MINUTES,
  );

  test(
    `is as it was behind ${JUNK_BYTES} bytes of junk, much of which looks like frames`,
    async ({ skip }) => {
      await on(skip, async (line) => {
        const random = createRandom(3);
        const likely = [0xa5, 0x5a, 0x11, 0x00, 0x01, 0xff];
        for (let at = 0; at < JUNK_BYTES; at += 250) {
          await line.write(Uint8Array.from({ length: 250 }, () => (random.below(3) ? random.below(256) : likely[random.below(likely.length)])));
          await line.read(1);
        }
        await right(await Session.open(line), 512);
      });
    },
    10 * MINUTES,
  );

  test(
    "with one byte in a hundred damaged and as many lost, nothing wrong comes out",
    async ({ skip }) => {
      await on(skip, async (line) => {
        const session = await Session.open(noisyLine(line, { flip: 0.01, drop: 0.01, seed: 9 }));
        await right(session, 256);
        expect(session.traffic.repeats).toBeGreaterThan(0);
      });
    },
    10 * MINUTES,
  );
});
