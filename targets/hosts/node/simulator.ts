// The simulator of the FPGA engine: rtl/ and sim/main.cpp made into a program by Verilator, once for each text of theirs, and a line to it.
import { type ChildProcessWithoutNullStreams, execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { SkintError } from "../../../runtime/errors.ts";
import type { Design } from "../../devices/fpga/board.ts";
import type { Line } from "../../devices/fpga/link/line.ts";
import { cacheRoot } from "./cache.ts";

/** What is simulated: the RTL, the RTL with the vendor's models of its cells, a netlist that synthesis made (a file), or the resident loader's RTL. */
export type Level = "rtl" | "cells" | "loader" | { readonly netlist: string };

/** Clocks a bit of the line in every simulator. */
export const SIMULATED_DIV = 8;
const CELLS = "ice40/cells_sim.v";

/** Folder of the FPGA device's files: beside this file's in the sources, and in the package beside dist/. */
export function fpgaFiles(): string {
  let dir = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(dir, "targets/devices/fpga/rtl/core.v")) && dirname(dir) !== dir) dir = dirname(dir);
  return join(dir, "targets/devices/fpga");
}

/** What codenet's core has of the linear engine's files. */
const SHARED: readonly string[] = ["command.v", "frame_rx.v", "frame_tx.v", "memory.v", "pair.v", "uart.v"];

/** Files of a design's core in Verilog, in a fixed order; `top.v` puts it on a board. */
export function rtlFiles(design: Design = "linear"): string[] {
  const rtl = join(fpgaFiles(), "rtl");
  const inFolder = (dir: string) =>
    readdirSync(dir)
      .filter((f) => f.endsWith(".v") && f !== "top.v")
      .sort()
      .map((f) => join(dir, f));
  return design === "linear" ? inFolder(rtl) : [...inFolder(join(rtl, design)), ...SHARED.map((f) => join(rtl, f))];
}

/** Files of the resident loader in Verilog, in a fixed order; `loader_top.v` puts it on a board. */
export function loaderFiles(): string[] {
  const dir = join(fpgaFiles(), "rtl");
  return ["frame_rx.v", "frame_tx.v", "loader/loader.v", "loader/spi.v", "uart.v"].map((f) => join(dir, f));
}

function vendorCells(): string | undefined {
  return ["/usr/share/yosys", "/usr/local/share/yosys"].map((d) => join(d, CELLS)).find(existsSync);
}

/** Why a simulator cannot be built here; undefined if it can. */
export async function lacksSimulator(level: Level = "rtl"): Promise<string | undefined> {
  if (level !== "rtl" && level !== "loader" && !vendorCells()) return "yosys's models of the vendor's cells are not here (Debian: yosys)";
  const found = await promisify(execFile)("verilator", ["--version"]).catch(() => undefined);
  return found ? undefined : "verilator is not here (Debian: verilator, g++, make)";
}

/** Values of the core's parameters (rtl/core.v) that differ from its defaults; texts of 64-bit ones as hex. */
export type Parameters = Readonly<Record<string, number | string>>;

/**
 * Path of the simulator, built if it is not in the cache: 15 s for the RTL, 60 s for a netlist.
 * Throws `device.unavailable` without Verilator, `program.failed` if the build fails.
 */
export async function buildSimulator(level: Level = "rtl", parameters: Parameters = {}, signal?: AbortSignal, design: Design = "linear"): Promise<string> {
  const why = await lacksSimulator(level);
  if (why) throw new SkintError("device.unavailable", `the simulator cannot be built: ${why}; fpga:twin needs nothing`);
  const dir = fpgaFiles();
  const main = join(dir, "sim/main.cpp");
  const netlist = typeof level === "object";
  const plain = level === "rtl" || level === "loader";
  const loader = level === "loader";
  const sources = [...(netlist ? [level.netlist] : loader ? loaderFiles() : rtlFiles(design)), ...(plain ? [] : [vendorCells() as string])];
  const cells = level === "cells" ? ["-DSKINT_MAC16", "-DSKINT_SPRAM"] : [];
  const defines = plain ? [] : [...cells, "-DNO_ICE40_DEFAULT_ASSIGNMENTS", "-DICE40_U"];
  const generics = netlist ? [] : Object.entries({ DIV: SIMULATED_DIV, ...parameters }).map(([name, value]) => `-G${name}=${value}`);
  const hash = createHash("sha256").update(JSON.stringify([defines, generics, loader]));
  for (const f of [...sources, main, join(dir, "sim/nor.h"), join(dir, "rtl/crc.vh")]) hash.update(readFileSync(f));
  const kept = join(cacheRoot(), "simulators", hash.digest("hex").slice(0, 16));
  if (existsSync(kept)) return kept;
  mkdirSync(dirname(kept), { recursive: true });
  const work = mkdtempSync(join(tmpdir(), "skint-sim-"));
  const args = ["--cc", "--exe", "--build", "-O3", "--x-assign", "fast", "--x-initial", "fast", "--noassert", "-Wno-fatal", "-Wno-lint", "-Wno-style"];
  const cflags = `-O2 -DDIVISOR=${SIMULATED_DIV}${loader ? ` -DLOADER -I${join(dir, "sim")}` : ""}`;
  const flags = ["-CFLAGS", cflags, ...defines, ...generics, `-I${join(dir, "rtl")}`, "--top-module", loader ? "loader" : "core", "--Mdir", work, "-o", "simulator"];
  try {
    await promisify(execFile)("verilator", [...args, ...flags, ...sources, main], { signal, maxBuffer: 1 << 26 });
    renameAcross(join(work, "simulator"), kept);
    return kept;
  } catch (e) {
    if (signal?.aborted) throw new SkintError("aborted", "building the simulator was stopped by the caller");
    const { stderr = "" } = e as { stderr?: string };
    throw new SkintError("program.failed", `verilator could not build the simulator: ${stderr.slice(-600) || e}`, { what: "verilator" }, { cause: e });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Into its place at once, also from another file system. */
function renameAcross(from: string, to: string): void {
  const beside = `${to}.${process.pid}`;
  rmSync(beside, { force: true });
  copyFileSync(from, beside);
  renameSync(beside, to);
}

/** Characters' time without an answer after which a lockstep simulator gives up, once the core is at rest: longer than the parser's own. */
const WAIT = 48;

/** Code of a simulator whose core was at work for longer than `--work` allows (sim/main.cpp). */
const HUNG = 3;

/** Starts a simulator in lockstep. `faults`: switches of sim/main.cpp. Reading throws `device.lost` when the program ends, or its core does not end its work. */
export const simulatorLine = (program: string, faults: readonly string[] = []): Line => lockstepLine("fpga:sim", program, ["--stdio", ...faults], WAIT);

/** A program whose time stands still while nobody talks to it, by the conversation of `--stdio` (sim/main.cpp). `wait`: characters' time without an answer. */
export function lockstepLine(name: string, program: string, args: readonly string[], wait: number): Line {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] }) as unknown as ChildProcessWithoutNullStreams;
  const answers = new Answers(child, name);
  let out: Uint8Array[] = [];
  return {
    name,
    async write(bytes) {
      out.push(bytes.slice());
    },
    async read(ms) {
      const bytes = Buffer.concat(out);
      out = [];
      const head = Buffer.alloc(8);
      head.writeUInt32LE(bytes.length, 0);
      head.writeUInt32LE(ms === 0 ? 0 : wait, 4);
      child.stdin.write(Buffer.concat([head, bytes]));
      return answers.next();
    },
    async close() {
      child.kill();
    },
  };
}

/** The simulator's answers, each with its length before it. */
class Answers {
  private held = Buffer.alloc(0);
  private want: ((bytes: Uint8Array) => void) | undefined;
  private refuse: ((e: Error) => void) | undefined;
  private gone: SkintError | undefined;

  constructor(child: ChildProcessWithoutNullStreams, name: string) {
    child.stdout.on("data", (d: Buffer) => {
      this.held = Buffer.concat([this.held, d]);
      this.settle();
    });
    const end = (why: string) => {
      this.gone = new SkintError("device.lost", `the simulator ended (${why}); run the command again`, { what: name });
      this.refuse?.(this.gone);
    };
    child.on("error", (e) => end(e.message));
    child.on("exit", (code, signal) => end(signal ?? (code === HUNG ? "the core was at work for more clocks than --work allows without an answer" : `code ${code}`)));
    child.stdin.on("error", () => {});
  }

  next(): Promise<Uint8Array> {
    if (this.gone) return Promise.reject(this.gone);
    return new Promise((resolve, reject) => {
      this.want = resolve;
      this.refuse = reject;
      this.settle();
    });
  }

  private settle(): void {
    if (!this.want || this.held.length < 4) return;
    const length = this.held.readUInt32LE(0);
    if (this.held.length < 4 + length) return;
    const bytes = Uint8Array.from(this.held.subarray(4, 4 + length));
    this.held = this.held.subarray(4 + length);
    const want = this.want;
    this.want = undefined;
    this.refuse = undefined;
    want(bytes);
  }
}
