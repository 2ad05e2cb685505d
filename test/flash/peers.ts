// Others' programs that flashing is held to: optiboot in simavr, avrdude, stm32flash. They come from Debian at test time (tools/dev/setup); what is not
// here is said to be missing.
import { execFile, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Arrivals } from "../../targets/devices/fpga/link/arrivals.ts";
import type { Line } from "../../targets/devices/fpga/link/line.ts";
import type { Twin } from "../../targets/flash/protocol.ts";

const OPTIBOOT = "/usr/share/arduino/hardware/arduino/avr/bootloaders/optiboot/optiboot.c";
const CACHE = "node_modules/.cache/skint";
const PATIENCE = 60_000;

const has = (program: string) => (process.env.PATH ?? "").split(":").some((dir) => existsSync(join(dir, program)));

/** What is not here of programs and files, by Debian's names; undefined if nothing is missing. */
function lacks(needs: Readonly<Record<string, boolean>>): string | undefined {
  const missing = Object.keys(needs).filter((name) => !needs[name]);
  return missing.length ? `${missing.join(", ")} not here (Debian's names)` : undefined;
}

export const lacksAvr = () =>
  lacks({
    "arduino-core-avr": existsSync(OPTIBOOT),
    "libsimavr-dev": existsSync("/usr/include/simavr/sim_avr.h"),
    "libelf-dev": existsSync("/usr/include/libelf.h"),
    gcc: has("gcc"),
    "gcc-avr": has("avr-gcc"),
    "avr-libc": existsSync("/usr/lib/avr/include/avr/io.h"),
  });
export const lacksAvrdude = () => lacksAvr() ?? lacks({ avrdude: has("avrdude"), socat: has("socat") });
export const lacksStm32flash = () => lacks({ stm32flash: has("stm32flash"), socat: has("socat") });

/** A folder that goes with `close`. */
export function scratch(): { path: (name: string) => string; close: () => void } {
  const dir = mkdtempSync(join(tmpdir(), "skint-peers-"));
  return { path: (name) => join(dir, name), close: () => rmSync(dir, { recursive: true, force: true }) };
}

/** avr.c as a program, compiled where its source is newer. */
export function buildAvr(): string {
  const program = `${CACHE}/avr`;
  const source = "test/flash/avr.c";
  mkdirSync(CACHE, { recursive: true });
  if (!existsSync(program) || statSync(program).mtimeMs < statSync(source).mtimeMs)
    execFileSync("gcc", ["-O2", "-o", program, source, "-lsimavr", "-lelf", "-lm"], { stdio: ["ignore", "pipe", "pipe"] });
  return program;
}

export interface Avr {
  readonly line: Line;
  /** Ends it; its flash. */
  end(): Promise<Uint8Array>;
}

/**
 * Optiboot, compiled from the source in Debian's package: the binary beside it is 532 bytes, as today's compiler makes it, which its 512 do not hold.
 * Without the lights at the beginning it is 496.
 */
function optiboot(): string {
  const file = `${CACHE}/optiboot.bin`;
  if (existsSync(file)) return file;
  const sections = ["-Wl,--section-start=.text=0x7e00", "-Wl,--section-start=.version=0x7ffe", "-Wl,--relax", "-nostartfiles", "-nostdlib"];
  const options = ["-w", "-Os", "-fno-split-wide-types", "-mmcu=atmega328p", "-DF_CPU=16000000L", "-DBAUD_RATE=115200", "-DLED_START_FLASHES=0"];
  execFileSync("avr-gcc", [...options, ...sections, "-o", `${file}.elf`, OPTIBOOT], { stdio: ["ignore", "pipe", "pipe"] });
  execFileSync("avr-objcopy", ["-O", "binary", "-j", ".text", "-j", ".version", "--gap-fill", "0xff", `${file}.elf`, file]);
  return file;
}

/** An ATmega328P with optiboot, whose serial line is this line. */
export function startAvr(flash: string): Avr {
  const child = spawn(buildAvr(), [optiboot(), flash], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const arrivals = new Arrivals("simavr");
  child.stdout.on("data", (d: Buffer) => arrivals.push(d));
  child.stdin.on("error", () => {});
  return {
    line: {
      name: "simavr",
      write: async (bytes) => void child.stdin.write(bytes),
      read: (ms) => arrivals.read(ms),
      async signals({ dtr }) {
        if (dtr) child.kill("SIGUSR1");
      },
      async close() {
        child.kill();
      },
    },
    async end() {
      child.stdin.end();
      await ended;
      return new Uint8Array(readFileSync(flash));
    },
  };
}

/** A pseudo terminal; resolves when it is there. @param behind socat's address of what lies behind it */
async function terminal(link: string, behind: string) {
  const child = spawn("socat", [`PTY,link=${link},raw,echo=0`, behind], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.on("error", () => {});
  for (let i = 0; !existsSync(link); i++) {
    if (i > 500) throw new Error("socat made no terminal");
    await new Promise((r) => setTimeout(r, 10));
  }
  return child;
}

const run = (program: string, args: readonly string[]) => promisify(execFile)(program, [...args], { timeout: PATIENCE });

/** Has avrdude write and verify a file through optiboot; what the flash is then. */
export async function avrdude(image: string, flash: string, link: string): Promise<Uint8Array> {
  const child = await terminal(link, `EXEC:${buildAvr()} ${optiboot()} ${flash}`);
  const ended = new Promise((resolve) => child.once("exit", resolve));
  try {
    await run("avrdude", ["-q", "-q", "-F", "-D", "-c", "stk500v1", "-p", "m328p", "-b", "115200", "-P", link, "-U", `flash:w:${image}:r`]);
  } finally {
    child.kill();
  }
  await ended;
  for (let i = 0; i < 500 && !existsSync(flash); i++) await new Promise((r) => setTimeout(r, 10));
  return new Uint8Array(readFileSync(flash));
}

/** Has stm32flash write, verify and start a file on a twin behind a pseudo terminal. */
export async function stm32flash(image: string, twin: Twin, link: string): Promise<void> {
  const child = await terminal(link, "STDIO");
  child.stdout.on("data", async (d: Buffer) => {
    await twin.line.write(new Uint8Array(d));
    child.stdin.write(await twin.line.read(0));
  });
  try {
    await run("stm32flash", ["-m", "8n1", "-b", "115200", "-w", image, "-v", "-g", "0x08000000", link]);
  } finally {
    child.kill();
  }
}
