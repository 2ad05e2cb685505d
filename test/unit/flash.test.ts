// `skint flash build` without its tools: what goes into an image, and how it is judged.
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { type Board, clockOf, divisorOf, loaderParameters, parametersOf } from "../../targets/devices/fpga/board.ts";
import { BOARDS } from "../../targets/devices/fpga/boards/catalogue.gen.ts";
import { claimsOf } from "../../targets/flash/image/claims.ts";
import { vectorsOf } from "../../targets/flash/image/ice40.ts";
import { buildHash, loaderHash } from "../../targets/hosts/node/build-hash.ts";
import { excesses } from "../../tools/flash/build.ts";
import { makeImage, readReport, script } from "../../tools/flash/image.ts";
import type { Toolchain } from "../../tools/flash/toolchain.ts";

const REPORT = `Info: Device utilisation:
Info: 	         ICESTORM_LC:  3711/ 5280    70%
Info: 	        ICESTORM_RAM:    14/   30    46%
Info: 	        ICESTORM_DSP:     8/    8   100%
Info: 	      ICESTORM_SPRAM:     4/    4   100%
Info: Max frequency for clock 'clk': 32.88 MHz (PASS at 24.00 MHz)
Info: Max frequency for clock 'clk': 30.59 MHz (PASS at 24.00 MHz)
`;

/** The beginning of a UP5K's bitstream: comment, sync word, and how large its banks are. */
const BITSTREAM = Uint8Array.from(Buffer.from("ff0000ff7eaa997e51000105920020" + "6202b3" + "720150" + "0101", "hex"));
const sha = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

describe.each(Object.entries(BOARDS))("%s", (_, board) => {
  test("has a name that HELLO can say, a clock the PLL can make and a line it can divide", () => {
    expect(board.name).toMatch(/^[a-z0-9-]{1,8}$/);
    const vco = board.clock.crystal * (board.clock.divf + 1);
    expect(vco).toBeGreaterThanOrEqual(533);
    expect(vco).toBeLessThanOrEqual(1066);
    expect(divisorOf(board)).toBeGreaterThanOrEqual(8);
    expect(Math.abs((1e6 * clockOf(board)) / divisorOf(board) / board.baud - 1)).toBeLessThan(0.02);
    for (const k of ["cells", "ram", "dsp", "spram"] as const) expect(board.budget[k]).toBeLessThanOrEqual(board.has[k]);
  });

  test("has a name and a build of its own", () => {
    const others = Object.values(BOARDS).filter((b) => b !== board);
    expect(others.map((b) => b.name)).not.toContain(board.name);
    expect(others.map(buildHash)).not.toContain(buildHash(board));
    expect(buildHash(board)).toMatch(/^[0-9a-f]{16}$/);
    expect(buildHash({ ...board, baud: 9600 })).not.toBe(buildHash(board));
  });
});

const { icebreaker, hx8k } = BOARDS;

test("parameters are those of rtl/top.v; texts have their first byte lowest", () => {
  expect(parametersOf(icebreaker, "0123456789abcdef")).toMatchObject({ DIV: "24", KHZ: "24000", WA: "14", BUILD: "64'hefcdab8967452301", BOARD: "64'h726b7262656369" });
});

test("vendor cells are used where the chip has them", () => {
  expect(script(icebreaker, "0")).toContain("-DSKINT_MAC16 -DSKINT_SPRAM -DSKINT_PAD");
  expect(script(hx8k, "0")).not.toContain("-D");
});

describe("the resident loader", () => {
  test("runs by the crystal, knows what it may write, and is for boards whose file says its pins", async () => {
    const { flash } = icebreaker;
    if (!flash) throw new Error("no flash");
    expect(loaderParameters(icebreaker, flash, "0123456789abcdef")).toEqual({
      DIV: "12",
      KHZ: "12000",
      START: String(0x28000),
      END: String(0x50000),
      BUILD: "64'hefcdab8967452301",
      BOARD: "64'h726b7262656369",
    });
    for (const board of Object.values(BOARDS)) expect(Boolean(board.flash?.pins), board.name).toBe(board.flash?.protocol === "skint");
    const none: Toolchain = { name: "none", run: () => Promise.reject(new Error("not asked")) };
    await expect(makeImage(BOARDS["tinyfpga-bx"], none, { seed: 1, kind: "loader" })).rejects.toMatchObject({ code: "usage" });
  });
});

describe("an image", () => {
  test("is judged by nextpnr's last word", () => {
    expect(readReport(REPORT)).toEqual({ uses: { cells: 3711, ram: 14, dsp: 8, spram: 4 }, mhz: 30.59 });
    expect(() => readReport("ERROR: no")).toThrow(expect.objectContaining({ code: "program.failed" }));
  });

  test("beyond the budget or below the clock is named so", () => {
    const image = readReport(REPORT);
    expect(excesses(icebreaker, image)).toEqual([]);
    const tight: Board = { ...icebreaker, budget: { ...icebreaker.budget, cells: 3000, ram: 13 } };
    expect(excesses(tight, image)).toEqual(["3711 logic cells, the budget is 3000", "14 block RAMs, the budget is 13"]);
    expect(excesses(icebreaker, { ...image, mhz: 23.9 })).toEqual(["23.9 MHz, the clock is 24"]);
  });

  test("is made by the three programs, each with what the one before gave", async () => {
    const seen: string[] = [];
    const tools: Toolchain = {
      name: "made-up",
      async run(program, args, files, wanted) {
        seen.push(`${program} ${args.join(" ")} < ${Object.keys(files).join(" ")}`);
        return { files: Object.fromEntries(wanted.map((f) => [f, program === "icepack" ? BITSTREAM : Uint8Array.of(seen.length)])), log: REPORT };
      },
    };
    const image = await makeImage(icebreaker, tools, { seed: 7 });
    expect(claimsOf({ start: 0, bytes: image.bytes }, "image.bin", sha)).toEqual([
      { kind: "skint", says: "icebrkr" },
      { kind: "ice40", says: "up5k" },
    ]);
    expect(seen[0]).toMatch(/^yosys -q -s image.ys < .*core.v.*crc.vh.*image.ys$/);
    expect(seen[1]).toMatch(/^nextpnr-ice40 --up5k --package sg48 .*--freq 24 --seed 7 .*< image.json image.pcf$/);
    expect(seen[2]).toBe("icepack image.asc image.bin < image.asc");
    expect(image).toMatchObject({ sha256: sha(image.bytes), build: buildHash(icebreaker), mhz: 30.59 });
    const loader = await makeImage(icebreaker, tools, { seed: 7, kind: "loader" });
    expect(seen[3]).toMatch(/< frame_rx.v frame_tx.v loader.v spi.v uart.v loader_top.v crc.vh image.ys$/);
    expect(seen[4]).toMatch(/--freq 12 --seed 7/);
    expect(loader.build).toBe(loaderHash(icebreaker));
    expect(vectorsOf(loader.bytes)[2]).toBe(icebreaker.flash?.region.start);
  });
});
