// Images of boards: what they take and how fast they are, by the system's tools or npm's.
import { SkintError } from "../../../runtime/errors.ts";
import { BOARDS } from "../../../targets/devices/fpga/boards/catalogue.gen.ts";
import { type Image, makeImage } from "../../flash/image.ts";
import { openToolchain } from "../../flash/toolchain.ts";
import type { Absent, GoalContext, Measured } from "../goal.ts";

const made = new Map<string, Promise<Image | Absent>>();

async function make(board: string, { signal, note }: GoalContext): Promise<Image | Absent> {
  try {
    const tools = await openToolchain("auto");
    note(`making the image of ${board} with ${tools.name}`);
    return await makeImage(BOARDS[board], tools, { seed: 1, signal });
  } catch (e) {
    if (e instanceof SkintError && e.code === "device.unavailable") return { absent: e.message };
    throw e;
  }
}

async function figure(board: string, context: GoalContext, value: (image: Image) => number): Promise<Measured | Absent> {
  const image = await (made.get(board) ?? made.set(board, make(board, context)).get(board));
  if (!image || "absent" in image) return image ?? { absent: "no image" };
  const { cells, ram, dsp, spram } = image.uses;
  return { value: value(image), note: `${image.tools}; ${cells} logic cells, ${ram} block RAMs, ${dsp} multipliers, ${spram} large RAMs, ${image.mhz} MHz, build ${image.build}` };
}

export const cellShare = (board: string, context: GoalContext) => figure(board, context, (i) => i.uses.cells / BOARDS[board].has.cells);
export const megahertz = (board: string, context: GoalContext) => figure(board, context, (i) => i.mhz);
