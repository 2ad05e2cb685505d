// The way from Verilog to an image: synthesis, place and route, packing. What it takes and how fast it is are read from nextpnr's report.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { SkintError } from "../../runtime/errors.ts";
import { type Board, clockOf, parametersOf } from "../../targets/devices/fpga/board.ts";
import { buildHash, sourcesOf } from "../../targets/hosts/node/build-hash.ts";
import { sha256 } from "../../targets/hosts/node/hash.ts";
import type { Toolchain } from "./toolchain.ts";

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
  readonly signal?: AbortSignal;
  readonly onStep?: (done: number) => void;
}

/** yosys's script. A chip with multipliers and large RAMs gets the vendor's cells. */
export function script(board: Board, build: string): string {
  const defines = [
    ...(board.has.dsp ? ["-DSKINT_MAC16"] : []),
    ...(board.has.spram ? ["-DSKINT_SPRAM"] : []),
    ...(board.clock.pad ? ["-DSKINT_PAD"] : []),
    ...(board.design ? [`-DSKINT_${board.design.toUpperCase()}`] : []),
  ];
  const files = sourcesOf(board)
    .map((f) => basename(f))
    .filter((f) => f.endsWith(".v"));
  const set = Object.entries(parametersOf(board, build)).map(([name, value]) => `-set ${name} ${value}`);
  return [`read_verilog ${[...defines, ...files].join(" ")}`, `chparam ${set.join(" ")} top`, "synth_ice40 -abc2 -top top -json image.json"].join("\n");
}

/** nextpnr's report: cells that are used, and the last and therefore true estimate of the clock. Throws `program.failed` if it is no report. */
export function readReport(log: string): Pick<Image, "uses" | "mhz"> {
  const used = (name: string) => Number(new RegExp(`${name}:\\s*(\\d+)\\s*/`).exec(log)?.[1] ?? 0);
  const mhz = [...log.matchAll(/Max frequency for clock\s+'[^']*':\s*([\d.]+) MHz/g)].map((m) => Number(m[1])).at(-1);
  const cells = used("ICESTORM_LC");
  if (!mhz || !cells) throw new SkintError("program.failed", "nextpnr's report has no clock or no cells; is its version one that Skint knows?", { what: "nextpnr-ice40" });
  return { uses: { cells, ram: used("ICESTORM_RAM"), dsp: used("ICESTORM_DSP"), spram: used("ICESTORM_SPRAM") }, mhz };
}

export async function makeImage(board: Board, tools: Toolchain, { seed, signal, onStep }: ImageOptions): Promise<Image> {
  const build = buildHash(board);
  const sources = Object.fromEntries(sourcesOf(board).map((f) => [basename(f), readFileSync(f, "utf8")]));
  const synth = await tools.run("yosys", ["-q", "-s", "image.ys"], { ...sources, "image.ys": script(board, build) }, ["image.json"], signal);
  onStep?.(1);
  const pins = Object.entries(board.pins).map(([name, pin]) => `set_io ${name} ${pin}\n`);
  const place = ["--json", "image.json", "--pcf", "image.pcf", "--asc", "image.asc", "--freq", String(clockOf(board)), "--seed", String(seed), "--timing-allow-fail"];
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
  const bytes = files["image.bin"];
  const hasher = sha256();
  hasher.update(bytes);
  return { bytes, sha256: hasher.digest(), build, tools: tools.name, ...readReport(placed.log) };
}
