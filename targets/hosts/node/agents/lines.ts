// Lines to agents that run in an emulator here: QEMU, simavr or rp2040js, whichever the MCU's description names.
import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { SkintError } from "../../../../runtime/errors.ts";
import { Arrivals } from "../../../devices/fpga/link/arrivals.ts";
import type { Line } from "../../../devices/fpga/link/line.ts";
import type { Emulator, Mcu } from "../../../devices/mcu/mcu.ts";
import { cacheRoot } from "../cache.ts";
import { lockstepLine } from "../simulator.ts";
import { type Agent, agentFiles, buildAgent, lacksCompiler } from "./build.ts";
import { lacksRp2040, rp2040Line } from "./rp2040.ts";

const execute = promisify(execFile);

/** Milliseconds of an emulator's time without an answer after which one in lockstep gives up: longer than QUIET_MS of core/agent.h. */
export const WAIT_MS = 150;

interface Kind<E extends Emulator> {
  /** Why it is not here. */
  lacks(emulator: E): Promise<string | undefined>;
  open(emulator: E, mcu: Mcu, agent: Agent, name: string): Promise<Line>;
}

const qemu: Kind<Extract<Emulator, { kind: "qemu" }>> = {
  async lacks({ program, debian }) {
    const found = await execute(program, ["--version"]).catch(() => undefined);
    return found ? undefined : `${program} is not here (Debian: ${debian})`;
  },
  async open({ program, args }, _, { elf }, name) {
    return qemuLine(program, [...args, elf], name);
  },
};

/** Its serial line is its standard input and output. It ends with this process. */
function qemuLine(program: string, args: readonly string[], name: string): Line {
  const child = spawn(program, ["-display", "none", "-monitor", "none", "-serial", "stdio", ...args], { stdio: ["pipe", "pipe", "ignore"] });
  const arrivals = new Arrivals(name);
  const end = () => child.kill("SIGKILL");
  process.once("exit", end);
  child.stdout.on("data", (bytes: Uint8Array) => arrivals.push(bytes));
  child.stdin.on("error", (e) => arrivals.end(e.message));
  child.on("error", (e) => arrivals.end(e.message));
  const gone = new Promise<void>((resolve) => {
    child.on("close", (code) => {
      arrivals.end(`the emulator ended with ${code}`);
      resolve();
    });
  });
  return {
    name,
    write: (bytes) =>
      new Promise((resolve, reject) => {
        child.stdin.write(bytes, (e) => (e ? reject(arrivals.lost(e.message)) : resolve()));
      }),
    read: (ms) => arrivals.read(ms),
    close: () => {
      process.off("exit", end);
      end();
      return gone;
    },
  };
}

const SIMAVR_HEADER = "/usr/include/simavr/sim_avr.h";

const simavr: Kind<Extract<Emulator, { kind: "simavr" }>> = {
  async lacks() {
    if (!existsSync(SIMAVR_HEADER)) return "simavr is not here (Debian: libsimavr-dev, libelf-dev)";
    const found = await execute("cc", ["--version"]).catch(() => undefined);
    return found ? undefined : "there is no C compiler here (Debian: gcc)";
  },
  async open({ core }, { khz, baud }, { file }, name) {
    const wait = Math.ceil((WAIT_MS * baud) / 10_000);
    return lockstepLine(name, await buildSimavr(), [core, String(1000 * khz), String(baud), file], wait);
  },
};

/** The program that runs an AVR (sim/simavr.c), built if it is not in the cache. */
async function buildSimavr(): Promise<string> {
  const source = join(agentFiles(), "sim/simavr.c");
  const kept = join(cacheRoot(), "simulators", `simavr-${createHash("sha256").update(readFileSync(source)).digest("hex").slice(0, 16)}`);
  if (existsSync(kept)) return kept;
  mkdirSync(dirname(kept), { recursive: true });
  const work = `${kept}.${process.pid}`;
  await execute("cc", ["-O2", "-o", work, source, "-lsimavr", "-lelf"]).catch((e) => {
    throw new SkintError("program.failed", `the program that runs simavr could not be built: ${(e as { stderr?: string }).stderr ?? e}`, { what: "cc" });
  });
  renameSync(work, kept);
  return kept;
}

const rp2040js: Kind<Extract<Emulator, { kind: "rp2040js" }>> = {
  lacks: lacksRp2040,
  open: (_, mcu, agent, name) => rp2040Line(mcu, agent.bytes, WAIT_MS, name),
};

const KINDS = { qemu, simavr, rp2040js } as const;
const kindOf = ({ emulator }: Mcu) => KINDS[emulator.kind] as Kind<Emulator>;

/** Why an agent cannot be made and run here; undefined if it can. */
export async function lacksAgent(mcu: Mcu): Promise<string | undefined> {
  return (await lacksCompiler(mcu)) ?? (await kindOf(mcu).lacks(mcu.emulator));
}

/**
 * Makes the agent of an MCU and starts it in its emulator. `folder`: its name in targets/devices/mcu/mcus.
 * Throws `device.unavailable` where compiler or emulator is not here, and what buildAgent throws.
 */
export async function emulatedLine(folder: string, mcu: Mcu, signal?: AbortSignal): Promise<Line> {
  const why = await lacksAgent(mcu);
  if (why) throw new SkintError("device.unavailable", `${mcu.title} cannot be run here: ${why}`, { what: `mcu:${folder}` });
  return kindOf(mcu).open(mcu.emulator, mcu, await buildAgent(folder, mcu, signal), `mcu:${folder}`);
}
