// Agents of MCUs, made by the system's compilers out of targets/devices/mcu: once for each text of theirs, and kept in the cache.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { SkintError } from "../../../../runtime/errors.ts";
import { definesOf, type Mcu } from "../../../devices/mcu/mcu.ts";
import { seal, unsealed } from "../../../flash/image/record.ts";
import { cacheRoot } from "../cache.ts";
import { fpgaFiles } from "../simulator.ts";
import { type Flat, flatten } from "./elf.ts";

const execute = promisify(execFile);

export interface Agent extends Flat {
  readonly elf: string;
  /** The flat image as a file. */
  readonly file: string;
  /** What it says of itself in HELLO. */
  readonly build: string;
}

const WARNINGS = ["-Wall", "-Wextra", "-Werror"];
/** Without what is not used; loops that copy stay loops, as core/freestanding.c is made of them. */
const FLAGS = ["-std=gnu99", "-ffunction-sections", "-fdata-sections", "-fno-tree-loop-distribute-patterns", "-Wl,--gc-sections", "-Wl,--undefined=agent_record"];

/** Folder of agents: beside this file's in the sources, and in the package beside dist/. */
export const agentFiles = (): string => join(dirname(fpgaFiles()), "mcu");

/** Folders that an agent is made of; a file of a later one takes the place of one of the same name. */
const foldersOf = (folder: string, { compiler }: Mcu): string[] => ["core", ...compiler.parts, join("mcus", folder)].map((f) => join(agentFiles(), f));

const filesIn = (dirs: readonly string[], ending: RegExp): string[] => {
  const found = new Map<string, string>();
  for (const dir of dirs) for (const f of readdirSync(dir).sort()) if (ending.test(f)) found.set(f, join(dir, f));
  return [...found.values()];
};

/** First 16 hex digits of the SHA-256 of an agent's sources and its description. `folder`: its name in mcus/. */
export function agentHash(folder: string, mcu: Mcu): string {
  const hash = createHash("sha256").update(JSON.stringify(mcu));
  for (const dir of foldersOf(folder, mcu)) for (const f of filesIn([dir], /\.(c|h|S|ld)$/)) hash.update(`${basename(dir)}/${basename(f)}\0`).update(readFileSync(f));
  return hash.digest("hex").slice(0, 16);
}

const versionOf = (compiler: string) => execute(compiler, ["-dumpfullversion", "-dumpversion"]).then(({ stdout }) => stdout.trim());

/** Why an agent cannot be made here; undefined if it can. */
export async function lacksCompiler({ compiler }: Mcu): Promise<string | undefined> {
  const found = await versionOf(`${compiler.prefix}gcc`).catch(() => undefined);
  return found ? undefined : `${compiler.prefix}gcc is not here (Debian: ${compiler.debian})`;
}

/** GCC's arguments behind which `-o` comes. */
function argumentsOf(folder: string, mcu: Mcu, build: string): string[] {
  const dirs = foldersOf(folder, mcu);
  const defines = Object.entries({ RECORD: JSON.stringify(unsealed(mcu.name)), ...definesOf(mcu, build) }).map(([name, value]) => `-D${name}=${value}`);
  const searched = [...dirs].reverse().flatMap((d) => [`-I${d}`, `-L${d}`]);
  const script = join(dirs[dirs.length - 1], "link.ld");
  return [...WARNINGS, ...FLAGS, ...mcu.compiler.flags, ...defines, ...searched, ...(existsSync(script) ? [`-T${script}`] : []), ...filesIn(dirs, /\.(c|S)$/), "-lgcc"];
}

/**
 * The agent of an MCU. Throws `device.unavailable` without the compiler, `program.failed` if it fails, `plan.memory` if the agent is larger than its room.
 */
export async function buildAgent(folder: string, mcu: Mcu, signal?: AbortSignal): Promise<Agent> {
  const build = agentHash(folder, mcu);
  const why = await lacksCompiler(mcu);
  if (why) throw new SkintError("device.unavailable", `the agent of ${mcu.title} cannot be made: ${why}`, { what: mcu.name });
  const compiler = `${mcu.compiler.prefix}gcc`;
  const args = argumentsOf(folder, mcu, build);
  const key = createHash("sha256")
    .update(JSON.stringify([await versionOf(compiler), args]))
    .digest("hex")
    .slice(0, 16);
  const kept = join(cacheRoot(), "agents", `${mcu.name}-${key}`);
  const agent = (dir: string, flat: Flat): Agent => ({ ...flat, elf: join(dir, "agent.elf"), file: join(dir, "agent.bin"), build });
  if (existsSync(kept)) return agent(kept, sealed(mcu, readFileSync(join(kept, "agent.elf"))));
  mkdirSync(dirname(kept), { recursive: true });
  const work = mkdtempSync(`${kept}.`);
  try {
    await execute(compiler, [...args, "-o", join(work, "agent.elf")], { signal, maxBuffer: 1 << 26 });
    const flat = sealed(mcu, readFileSync(join(work, "agent.elf")));
    writeFileSync(join(work, "agent.bin"), flat.bytes);
    if (!existsSync(kept)) renameSync(work, kept);
    return agent(kept, flat);
  } catch (e) {
    if (e instanceof SkintError) throw e;
    if (signal?.aborted) throw new SkintError("aborted", "making the agent was stopped by the caller");
    const { stderr = "" } = e as { stderr?: string };
    throw new SkintError("program.failed", `${compiler} could not make the agent of ${mcu.title}: ${stderr.slice(-600) || e}`, { what: compiler }, { cause: e });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function sealed(mcu: Mcu, elf: Uint8Array): Flat {
  const flat = flatten(elf);
  mcu.seal?.(flat.bytes);
  seal(flat.bytes, (bytes) => createHash("sha256").update(bytes).digest("hex"));
  if (flat.code > mcu.room.code || flat.ram > mcu.room.ram)
    throw new SkintError(
      "plan.memory",
      `the agent of ${mcu.title} takes ${flat.code} bytes of code and ${flat.ram} of RAM; its room is ${mcu.room.code} and ${mcu.room.ram}: make it smaller, or its memories`,
      { what: mcu.name },
    );
  return flat;
}
