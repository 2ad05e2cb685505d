// The netlist that yosys makes of the core for a UP5K, simulated with the vendor's cells: the ladder's smaller jobs give what twin and reference give.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Session } from "../../../targets/devices/fpga/link/session.ts";
import { twinLine } from "../../../targets/devices/fpga/twin/line.ts";
import { buildSimulator, fpgaFiles, lacksSimulator, rtlFiles, SIMULATED_DIV, simulatorLine } from "../../../targets/hosts/node/simulator.ts";
import { expected, ladder, runJob } from "../../../tools/goals/fpga/ladder.ts";
import { plainTwin } from "./line.ts";

const MINUTES = 60_000;

test(
  "the netlist computes what the Verilog says",
  async ({ skip }) => {
    const why = await lacksSimulator("cells");
    if (why) skip(why);
    const dir = mkdtempSync(join(tmpdir(), "skint-netlist-"));
    try {
      const netlist = join(dir, "core.v");
      const read = `read_verilog -DSKINT_MAC16 -DSKINT_SPRAM -I${join(fpgaFiles(), "rtl")} ${rtlFiles().join(" ")}`;
      execFileSync("yosys", ["-q", "-p", `${read}; chparam -set DIV ${SIMULATED_DIV} core; synth_ice40 -abc2 -top core; write_verilog -noattr ${netlist}`]);
      const line = simulatorLine(await buildSimulator({ netlist }));
      const core = await Session.open(line);
      const twin = await Session.open(twinLine(plainTwin()));
      for (const job of ladder().filter((j) => j.rows * j.k <= 300)) {
        const outcome = await runJob(core, job);
        expect(outcome.values, job.name).toEqual(expected(job));
        expect(outcome, job.name).toEqual(await runJob(twin, job));
      }
      await line.close();
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  },
  15 * MINUTES,
);
