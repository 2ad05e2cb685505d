// `skint flash`: an image onto a board, from its id to a tested start.
import { basename } from "node:path";
import { SkintError } from "../../runtime/errors.ts";
import { MAX_IMAGE } from "../../targets/flash/image/extent.ts";
import { readImage } from "../../targets/flash/image/read.ts";
import { TARGETS, targetOf } from "../../targets/flash/targets.ts";
import { openFile } from "../../targets/hosts/node/files.ts";
import { EXIT } from "../cli/errors.ts";
import { table } from "../cli/table.ts";
import type { Verb } from "../verb.ts";
import { verb as build } from "./build.ts";
import { describeFlashed, type Flashed, flashFile, flashLine } from "./onto.ts";

const hex = (n: number) => `0x${n.toString(16)}`;

function listBoards(): { rows: unknown[]; text: string } {
  const all = [...TARGETS.values()].map((target) => ({ ...target, protocol: targetOf(target.name).protocol }));
  const rows = all.map(({ protocol, ...t }) => ({ ...t, protocol: protocol.name, tried: protocol.tried }));
  const cells = all.map((t) => [t.name, t.title, t.protocol.name, `${hex(t.region.start)}…${hex(t.region.end)}`, t.enter]);
  return { rows, text: table(["board", "", "protocol", "may be written", "to make it listen"], cells) };
}

async function readAll(path: string): Promise<Uint8Array> {
  const source = await openFile(path);
  try {
    // Text takes more than what it stands for: two digits a byte and a few a line, or half of each UF2 block.
    if (source.size > 4 * MAX_IMAGE) throw new SkintError("format.limit", `${path} has ${source.size} bytes; that is no image of a board here`, { what: path });
    const bytes = new Uint8Array(source.size);
    await source.read(0, bytes);
    return bytes;
  } finally {
    await source.close();
  }
}

export const verb: Verb = {
  name: "flash",
  summary: "write an image onto a board, or make one",
  description:
    "Refuses an image that says it is for another board; asks the board what it is, erases and programs what differs, reads everything back, compares the hash, starts it, and where it answers has it compute test layers. What lies outside of the user's region is never written. After a cut or Ctrl-C the same command goes on where it was; a half-written image is not started. Images are .bin (for the beginning of the region), Intel .hex or .uf2. The port twin is a board in software, sim the Verilog of Skint's loader and then of the engine.",
  example:
    "skint flash --list-boards\nskint flash image.bin --board icebreaker --port /dev/ttyUSB1\nskint flash app.hex --board arduino-uno --port /dev/ttyACM0 --dry-run\nskint flash app.bin --board pico --port /media/me/RPI-RP2\nskint flash image.bin --board icebreaker --port twin",
  arguments: [{ name: "[image]", description: "file to write" }],
  options: [
    { flags: "--board <name>", description: "the board" },
    { flags: "--port <where>", description: "its serial port, with @baud behind it where that is another; a drive or a file for UF2; twin; sim of Skint's loader" },
    { flags: "--dry-run", description: "look and compare, write nothing; without --port only judge the file" },
    { flags: "--force", description: "write an image that says it is for another board" },
    { flags: "--no-self-test", description: "do not have a started engine compute" },
    { flags: "--list-boards", description: "print the boards there are" },
  ],
  verbs: [build],
  async run({ positional: [path], options }, context) {
    if (options.listBoards) {
      const { rows, text } = listBoards();
      context.answer(rows, () => text);
      return EXIT.ok;
    }
    if (typeof path !== "string" || !options.board)
      throw new SkintError("usage", "say what to write where: skint flash <image> --board <name> --port <where>; skint flash --list-boards has the names");
    const { target, protocol } = targetOf(options.board);
    const name = basename(path);
    const image = readImage(await readAll(path), name, target.region);
    const job = {
      image,
      name,
      target,
      port: options.port as string | undefined,
      dryRun: options.dryRun === true,
      selfTest: options.selfTest !== false,
      force: options.force === true,
    };
    const done: Flashed = protocol.kind === "file" ? await flashFile(job, protocol) : await flashLine(job, protocol, context);
    context.answer(done, () => describeFlashed(done, target));
    return EXIT.ok;
  },
};
