// Images made for real, by npm's tools or the system's: within the budget, above the clock, and the same bytes twice.
import { expect, test } from "vitest";
import { BOARDS } from "../../targets/devices/fpga/boards/catalogue.gen.ts";
import { judgeBoard } from "../../targets/flash/image/claims.ts";
import { chipOf, dieOf, MULTIBOOT_BYTES, vectorsOf } from "../../targets/flash/image/ice40.ts";
import { targetOf } from "../../targets/flash/targets.ts";
import { excesses } from "../../tools/flash/build.ts";
import { makeImage } from "../../tools/flash/image.ts";
import { openToolchain } from "../../tools/flash/toolchain.ts";
import { digest } from "../../tools/goals/flash/cutting.ts";

/** Cells of the resident loader, beside which nothing is configured: a third of a UP5K. */
const LOADER_CELLS = 2000;
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
    40 * MINUTES,
  );

for (const [name, board] of Object.entries(BOARDS).filter(([, b]) => b.flash?.pins))
  test(
    `the resident loader of ${name} is small, fast enough for its crystal, and ends before what it writes`,
    async ({ skip }) => {
      const tools = await openToolchain("auto").catch(() => undefined);
      if (!tools) return skip("neither npm's nor the system's yosys and nextpnr are here");
      const image = await makeImage(board, tools, { seed: 1, kind: "loader" });
      expect(excesses(board, image, board.clock.crystal)).toEqual([]);
      expect(image.uses.cells).toBeLessThan(LOADER_CELLS);
      const start = board.flash?.region.start as number;
      expect(image.bytes.length).toBeLessThanOrEqual(start);
      expect(vectorsOf(image.bytes)).toEqual([MULTIBOOT_BYTES, MULTIBOOT_BYTES, start, MULTIBOOT_BYTES, MULTIBOOT_BYTES]);
      expect(chipOf(image.bytes.subarray(MULTIBOOT_BYTES))).toBe(dieOf(board.device));
      expect(() => judgeBoard({ start, bytes: image.bytes }, targetOf(name).target, "loader.bin", digest)).toThrow(expect.objectContaining({ code: "flash.board" }));
    },
    40 * MINUTES,
  );
