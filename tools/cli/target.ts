// `--target`: where a model's linears run. `wasm`, or beside it an FPGA: `fpga:twin` (in software), `fpga:sim` (the Verilated engine), or the serial
// port of a board, `fpga:/dev/ttyUSB1`, with `@baud` behind it where that is not 1,000,000. `mcu:` is the same with an MCU's agent: its name starts it in its
// emulator, a port is one.
import { SkintError } from "../../runtime/errors.ts";
import type { Program } from "../../runtime/plan/device.ts";
import { type Board, clockOf, type Design, parametersOf } from "../../targets/devices/fpga/board.ts";
import { BOARDS } from "../../targets/devices/fpga/boards/catalogue.gen.ts";
import { CODENET_DEFAULTS, codenetTwin } from "../../targets/devices/fpga/codenet/twin.ts";
import { type FpgaDevice, openFpga } from "../../targets/devices/fpga/device.ts";
import type { Line } from "../../targets/devices/fpga/link/line.ts";
import type { FpgaMeter, FpgaProgram } from "../../targets/devices/fpga/program.ts";
import { TwinDevice } from "../../targets/devices/fpga/twin/device.ts";
import { twinLine } from "../../targets/devices/fpga/twin/line.ts";
import { MCUS } from "../../targets/devices/mcu/catalogue.gen.ts";
import type { WasmDevice } from "../../targets/devices/wasm/device.ts";
import { agentHash } from "../../targets/hosts/node/agents/build.ts";
import { emulatedLine } from "../../targets/hosts/node/agents/lines.ts";
import { buildHash } from "../../targets/hosts/node/build-hash.ts";
import { host } from "../../targets/hosts/node/host.ts";
import { serialLine } from "../../targets/hosts/node/serial.ts";
import { buildSimulator, simulatorLine } from "../../targets/hosts/node/simulator.ts";
import type { VerbOption } from "../verb.ts";
import type { Context } from "./context.ts";

export const TARGET_OPTION: VerbOption = {
  flags: "--target <where>",
  description: "wasm, or linears on an FPGA or an MCU: fpga:twin, fpga:sim, mcu:<MCU>, fpga:<serial port>[@baud]",
  default: "wasm",
};

/** The boards that twin and simulator stand for. */
const MODEL_BOARDS: Readonly<Record<Design, Board>> = { linear: BOARDS.icebreaker, codenet: BOARDS["icebreaker-codenet"] };
const BAUD = 1_000_000;

export function twinOf(board: Board): TwinDevice {
  const hello = { board: board.name, build: buildHash(board), khz: Math.round(1000 * clockOf(board)) };
  const { weights, buffer = CODENET_DEFAULTS.buffer, line = CODENET_DEFAULTS.line } = board.memory;
  return board.design === "codenet" ? codenetTwin({ ...hello, memory: weights, buffer, line }) : new TwinDevice({ ...hello, ...board.memory });
}

/** Core parameters of a board's simulator. */
export function simulatedParameters(board: Board): Record<string, string> {
  const { DIV: _, DIVF: __, DIVQ: ___, ...core } = parametersOf(board, buildHash(board));
  return core;
}

/** The board of this design that twin and simulator stand for. */
export const modelBoard = (design: Design): Board => MODEL_BOARDS[design];

async function lineTo(kind: string, place: string, design: Design, signal: AbortSignal): Promise<Line> {
  const board = modelBoard(design);
  if (kind === "fpga" && place === "twin") return twinLine(twinOf(board));
  if (kind === "fpga" && place === "sim") return simulatorLine(await buildSimulator("rtl", simulatedParameters(board), signal, design));
  if (kind === "mcu" && design === "linear" && Object.hasOwn(MCUS, place)) return emulatedLine(place, MCUS[place], signal);
  const [, path, baud] = /^(.+?)(?:@(\d+))?$/.exec(place) ?? [];
  if (!path)
    throw new SkintError("usage", `--target ${kind}: needs a place; give fpga:twin, fpga:sim, fpga:/dev/ttyUSB1 or mcu: and one of ${Object.keys(MCUS).join(", ")}`, {
      what: "--target",
    });
  return serialLine(path, baud ? Number(baud) : BAUD);
}

/** The line of a target `fpga:…` or `mcu:…`. Throws `usage` for any other. */
export async function openLine(target: string, design: Design, signal: AbortSignal): Promise<Line> {
  const [, kind, place] = /^(fpga|mcu):(.*)$/.exec(target) ?? [];
  if (!kind) throw new SkintError("usage", `there is no target ${target}; give wasm, fpga:twin, fpga:sim, mcu:<MCU>, or fpga: or mcu: and a serial port`, { what: "--target" });
  return lineTo(kind, place, design, signal);
}

/** Boards whose image is of this design, by the name they say, with the hash of that image. */
export const knownBoards = (design: Design) =>
  new Map(
    Object.values(BOARDS)
      .filter((b) => (b.design ?? "linear") === design)
      .map((b) => [b.name, buildHash(b)]),
  );

/** The device that a target stands for, beside the WASM device. Throws `usage`, and what opening a line throws. */
export async function openTarget(target: string, wasm: WasmDevice, context: Context): Promise<WasmDevice | FpgaDevice> {
  if (target === "wasm") return wasm;
  const line = await openLine(target, "linear", context.signal);
  const agents = Object.entries(MCUS).map(([folder, m]) => [m.name, agentHash(folder, m)] as const);
  const known = new Map([...knownBoards("linear"), ...agents]);
  const progress = context.progress("loading weights onto the device");
  try {
    return await openFpga(line, wasm, { now: host.now, signal: context.signal, known, onLoad: (done, total) => (done === total ? progress.end() : progress.update(done, total)) });
  } catch (e) {
    progress.end();
    await line.close();
    throw e;
  }
}

/** What an FPGA or an MCU did, in a line; undefined where there is none. */
export function meterLine(program: Program): string | undefined {
  if (!("placed" in program)) return undefined;
  const { placed, device } = program as FpgaProgram;
  const { cycles, macs, link, linkMs } = program.meter() as FpgaMeter;
  const rate = cycles ? (macs / cycles).toFixed(2) : "no";
  return `${device}: ${placed.size} linears, ${cycles} clocks, ${rate} multiply-adds a clock; ${link.sent + link.received} bytes on the line in ${linkMs.toFixed(0)} ms, ${link.repeats} of ${link.requests} requests sent again`;
}
