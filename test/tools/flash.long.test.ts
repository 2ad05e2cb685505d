// Images made for real, by npm's tools or the system's: within the budget, above the clock, and the same bytes twice.
import { expect, test } from "vitest";
import { BOARDS } from "../../targets/devices/fpga/boards/catalogue.gen.ts";
import { excesses } from "../../tools/flash/build.ts";
import { makeImage } from "../../tools/flash/image.ts";
import { openToolchain } from "../../tools/flash/toolchain.ts";

const MINUTES = 60_000;

for (const [name, board] of Object.entries(BOARDS))
  test(
    `${name} keeps its budget and its clock`,
    async ({ skip }) => {
      const tools = await openToolchain("auto").catch(() => undefined);
      if (!tools) return skip("neither npm's nor the system's yosys and nextpnr are here");
      const image = await makeImage(board, tools, { seed: 1 });
      expect(excesses(board, image)).toEqual([]);
      expect((await makeImage(board, tools, { seed: 1 })).sha256).toBe(image.sha256);
    },
    15 * MINUTES,
  );
