// `skint flash build`: makes the image of a board out of the engine's Verilog, and judges it by the board's budget and clock; or the agent of an MCU.
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { SkintError } from "../../runtime/errors.ts";
import { type Board, clockOf } from "../../targets/devices/fpga/board.ts";
import { BOARDS } from "../../targets/devices/fpga/boards/catalogue.gen.ts";
import { MCUS } from "../../targets/devices/mcu/catalogue.gen.ts";
import { EXIT } from "../cli/errors.ts";
import { table } from "../cli/table.ts";
import { whole } from "../cli/values.ts";
import type { Verb } from "../verb.ts";
import { writeAgent } from "./agent.ts";
import { type Image, type Kind, makeImage } from "./image.ts";
import { openToolchain } from "./toolchain.ts";

/** What of an image is beyond what its board allows, in words. */
export function excesses(board: Board, { uses, mhz }: Pick<Image, "uses" | "mhz">, wanted = clockOf(board)): string[] {
  const over = (Object.keys(board.budget) as (keyof Board["budget"])[]).filter((k) => uses[k] > board.budget[k]);
  const found = over.map((k) => `${uses[k]} ${NAMES[k]}, the budget is ${board.budget[k]}`);
  if (mhz < wanted) found.push(`${mhz.toFixed(1)} MHz, the clock is ${wanted}`);
  return found;
}

const NAMES = { cells: "logic cells", ram: "block RAMs", dsp: "multipliers", spram: "large RAMs" } as const;

const clockWanted = (board: Board, kind: Kind) => (kind === "loader" ? board.clock.crystal : clockOf(board));

function text(board: Board, image: Image, file: string, wanted: number): string {
  const share = (used: number, of: number) => (of ? `${((100 * used) / of).toFixed(0)} %` : "");
  const keys = Object.keys(NAMES) as (keyof typeof NAMES)[];
  const rows = keys.map((k) => [NAMES[k], String(image.uses[k]), String(board.budget[k]), String(board.has[k]), share(image.uses[k], board.has[k])]);
  rows.push(["clock, MHz", image.mhz.toFixed(1), `≥ ${wanted}`, "", ""]);
  const lines = [board.title, "", table(["", "uses", "budget", "has", ""], rows, { right: [1, 2, 3, 4] })];
  return [...lines, "", `${file}: ${image.bytes.length} bytes`, `sha256 ${image.sha256}`, `build ${image.build}, made with ${image.tools}`].join("\n");
}

export const verb: Verb = {
  name: "build",
  summary: "make the image of a board",
  description:
    "Synthesises, places and routes the engine for a board with yosys and nextpnr: those of the system where they are, else the npm packages @yowasp/yosys and @yowasp/nextpnr-ice40, which have to be installed. Prints what the image takes and how fast it may run, and fails where that is beyond the board's budget or below its clock. The same sources and tools give the same bytes. For an MCU it compiles the agent with the system's GCC and prints how much of its room it takes.",
  example:
    "skint flash build --board icebreaker\nskint flash build --board hx8k --tools npm --out hx8k.bin --json\nskint flash build --board icebreaker --image loader\nskint flash build --board rp2040",
  options: [
    { flags: "--board <name>", description: "the board, or the MCU", choices: [...Object.keys(BOARDS), ...Object.keys(MCUS)], default: "icebreaker" },
    {
      flags: "--image <which>",
      description: "of a board: its engine, or Skint's resident loader, for the beginning of its flash",
      choices: ["engine", "loader"],
      default: "engine",
    },
    { flags: "--tools <which>", description: "whose yosys and nextpnr", choices: ["auto", "native", "npm"], default: "auto" },
    { flags: "--seed <n>", description: "of the placement", default: 1, parse: whole("--seed", { min: 0 }) },
    { flags: "--out <file>", description: "where to write the image (default: <board>.bin, of the loader <board>-loader.bin; of an MCU with the ending .elf as ELF)" },
  ],
  async run({ options }, context) {
    const board: Board | undefined = BOARDS[options.board];
    const kind: Kind = options.image;
    const file = options.out ?? (kind === "loader" ? `${options.board}-loader.bin` : `${options.board}.bin`);
    if (!board && kind === "loader") throw new SkintError("usage", `${options.board} is an MCU and has no loader of Skint's`, { what: "--image" });
    if (!board) {
      await writeAgent(options.board, file, context);
      return EXIT.ok;
    }
    const toolchain = await openToolchain(options.tools);
    const progress = context.progress(`making ${file} with ${toolchain.name}`, "steps", 3);
    try {
      const image = await makeImage(board, toolchain, { seed: options.seed, kind, signal: context.signal, onStep: (n) => progress.update(n) });
      const wanted = clockWanted(board, kind);
      const over = excesses(board, image, wanted);
      if (over.length)
        throw new SkintError("plan.memory", `the image for ${board.title} is beyond its board: ${over.join("; ")}; try another --seed, or change boards/`, { what: options.board });
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(`${file}.part`, image.bytes);
      renameSync(`${file}.part`, file);
      const { uses, mhz, sha256, build, tools } = image;
      context.answer({ board: options.board, file, bytes: image.bytes.length, uses, mhz, sha256, build, tools }, () => text(board, image, file, wanted));
      return EXIT.ok;
    } finally {
      progress.end();
    }
  },
};
