// The way from Verilog to an image: synthesis, place and route, packing. What it takes and how fast it is are read from nextpnr's report.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { SkintError } from "../../runtime/errors.ts";
import { type Board, clockOf, loaderParameters, parametersOf } from "../../targets/devices/fpga/board.ts";
import { multiboot, withComment } from "../../targets/flash/image/ice40.ts";
import { seal, unsealed } from "../../targets/flash/image/record.ts";
import { buildHash, loaderHash, loaderSources, sourcesOf } from "../../targets/hosts/node/build-hash.ts";
import { sha256 } from "../../targets/hosts/node/hash.ts";
import type { Toolchain } from "./toolchain.ts";

const digest = (bytes: Uint8Array) => {
  const hasher = sha256();
  hasher.update(bytes);
  return hasher.digest();
};

export interface Image {
  readonly bytes: Uint8Array;
  readonly sha256: string;
  /** What the image says of itself in HELLO. */
  readonly build: string;
  readonly uses: Board["budget"];
  /** Fastest clock by nextpnr. */
  readonly mhz: number;
  readonly tools: string;
}

export interface ImageOptions {
  readonly seed: number;
  /** Default: engine. */
  readonly kind?: Kind;
  readonly signal?: AbortSignal;
  readonly onStep?: (done: number) => void;
}

/** What the programs are given of one image. */
interface Source {
  /** Verilog's top module, its files, what is defined for them, and its parameters. */
  readonly top: string;
  readonly files: readonly string[];
  readonly defines: readonly string[];
  readonly parameters: Readonly<Record<string, string>>;
  readonly pins: Readonly<Record<string, string>>;
  /** Clock that it has to reach, in MHz. */
  readonly mhz: number;
  readonly build: string;
  /** Makes what lies in the flash of the bitstream. */
  flashed(bitstream: Uint8Array): Uint8Array;
}

/** What an image may be: the board's engine, or the loader that stays in its flash and writes the engine. */
export type Kind = "engine" | "loader";

/** A chip with multipliers and large RAMs gets the vendor's cells. */
function engine(board: Board, build: string): Source {
  const defines = [
    ...(board.has.dsp ? ["-DSKINT_MAC16"] : []),
    ...(board.has.spram ? ["-DSKINT_SPRAM"] : []),
    ...(board.clock.pad ? ["-DSKINT_PAD"] : []),
    ...(board.design ? [`-DSKINT_${board.design.toUpperCase()}`] : []),
  ];
  const { pins } = board;
  return { top: "top", files: sourcesOf(board), defines, parameters: parametersOf(board, build), pins, mhz: clockOf(board), build, flashed: (bitstream) => bitstream };
}

/** Throws `usage` for a board whose flash another loader has. */
function loader(board: Board): Source {
  const { flash } = board;
  if (!flash?.pins) throw new SkintError("usage", `${board.title} has no loader of Skint's; skint flash --list-boards says what it has`, { what: "--image" });
  const { region } = flash;
  const build = loaderHash(board);
  return {
    top: "loader_top",
    files: loaderSources(),
    defines: [],
    parameters: loaderParameters(board, flash, build),
    pins: { ...board.pins, ...flash.pins },
    mhz: board.clock.crystal,
    build,
    flashed(bitstream) {
      const whole = multiboot(bitstream, [region.start]);
      if (whole.length <= region.start) return whole;
      throw new SkintError("plan.memory", `the loader takes ${whole.length} bytes of the flash, and what it writes begins at ${region.start}; move it in boards/`, {
        what: board.name,
      });
    },
  };
}

const sourceOf = (board: Board, kind: Kind): Source => (kind === "loader" ? loader(board) : engine(board, buildHash(board)));

/** yosys's script. */
function scriptOf({ top, files, defines, parameters }: Source): string {
  const verilog = files.map((f) => basename(f)).filter((f) => f.endsWith(".v"));
  const set = Object.entries(parameters).map(([name, value]) => `-set ${name} ${value}`);
  return [`read_verilog ${[...defines, ...verilog].join(" ")}`, `chparam ${set.join(" ")} ${top}`, `synth_ice40 -abc2 -top ${top} -json image.json`].join("\n");
}

/** yosys's script for a board's engine. */
export const script = (board: Board, build: string): string => scriptOf(engine(board, build));

/** nextpnr's report: cells that are used, and the last and therefore true estimate of the clock. Throws `program.failed` if it is no report. */
export function readReport(log: string): Pick<Image, "uses" | "mhz"> {
  const used = (name: string) => Number(new RegExp(`${name}:\\s*(\\d+)\\s*/`).exec(log)?.[1] ?? 0);
  const mhz = [...log.matchAll(/Max frequency for clock\s+'[^']*':\s*([\d.]+) MHz/g)].map((m) => Number(m[1])).at(-1);
  const cells = used("ICESTORM_LC");
  if (!mhz || !cells) throw new SkintError("program.failed", "nextpnr's report has no clock or no cells; is its version one that Skint knows?", { what: "nextpnr-ice40" });
  return { uses: { cells, ram: used("ICESTORM_RAM"), dsp: used("ICESTORM_DSP"), spram: used("ICESTORM_SPRAM") }, mhz };
}

/** Throws `program.failed`, `usage` for a loader that the board does not have, `plan.memory` for one that reaches into what it writes. */
export async function makeImage(board: Board, tools: Toolchain, { seed, kind = "engine", signal, onStep }: ImageOptions): Promise<Image> {
  const source = sourceOf(board, kind);
  const sources = Object.fromEntries(source.files.map((f) => [basename(f), readFileSync(f, "utf8")]));
  const synth = await tools.run("yosys", ["-q", "-s", "image.ys"], { ...sources, "image.ys": scriptOf(source) }, ["image.json"], signal);
  onStep?.(1);
  const pins = Object.entries(source.pins).map(([name, pin]) => `set_io ${name} ${pin}\n`);
  const place = ["--json", "image.json", "--pcf", "image.pcf", "--asc", "image.asc", "--freq", String(source.mhz), "--seed", String(seed), "--timing-allow-fail"];
  const placed = await tools.run(
    "nextpnr-ice40",
    [`--${board.device}`, "--package", board.package, ...place],
    { ...synth.files, "image.pcf": pins.join("") },
    ["image.asc"],
    signal,
  );
  onStep?.(2);
  const { files } = await tools.run("icepack", ["image.asc", "image.bin"], placed.files, ["image.bin"], signal);
  onStep?.(3);
  const bytes = source.flashed(withComment(files["image.bin"], unsealed(board.name)));
  seal(bytes, digest);
  return { bytes, sha256: digest(bytes), build: source.build, tools: tools.name, ...readReport(placed.log) };
}
