// The netlist that yosys makes of CoDeNet's core for a UP5K, simulated with the vendor's cells: small tiles of each kind give what twin and reference give.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Session } from "../../../targets/devices/fpga/link/session.ts";
import { selfTest } from "../../../targets/devices/fpga/selftest.ts";
import { twinLine } from "../../../targets/devices/fpga/twin/line.ts";
import { buildSimulator, fpgaFiles, lacksSimulator, rtlFiles, SIMULATED_DIV, simulatorLine } from "../../../targets/hosts/node/simulator.ts";
import { plainCodenet } from "../../../tools/goals/flash/codenet.ts";
import { byReference, ladder, runTile, through } from "../../../tools/goals/flash/tiles.ts";

const MINUTES = 60_000;

test(
  "the netlist computes what the Verilog says",
  async ({ skip }) => {
    const why = await lacksSimulator("cells");
    if (why) skip(why);
    const dir = mkdtempSync(join(tmpdir(), "skint-netlist-"));
    try {
      const netlist = join(dir, "core.v");
      const read = `read_verilog -DSKINT_MAC16 -DSKINT_SPRAM -I${join(fpgaFiles(), "rtl")} ${rtlFiles("codenet").join(" ")}`;
      execFileSync("yosys", ["-q", "-p", `${read}; chparam -set DIV ${SIMULATED_DIV} core; synth_ice40 -abc2 -top core; write_verilog -noattr ${netlist}`]);
      const line = simulatorLine(await buildSimulator({ netlist }, {}, undefined, "codenet"));
      const core = await Session.open(line);
      const twin = await Session.open(twinLine(plainCodenet()));
      for (const tile of ladder().filter((t) => t.height * t.width * t.channels * t.outputs < 20_000)) {
        const outcome = await runTile(core, tile);
        expect(outcome.values, tile.name).toEqual(await through(tile, byReference));
        expect(outcome, tile.name).toEqual(await runTile(twin, tile));
      }
      await selfTest(core, "codenet");
      await line.close();
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  },
  15 * MINUTES,
);
