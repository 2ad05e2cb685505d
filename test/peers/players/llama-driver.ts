// Compiles llama-driver.c once with the machine's gcc and starts it: llama.cpp with no JavaScript in the way.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import { SkintError } from "../../../runtime/errors.ts";
import { hashText } from "../../../targets/hosts/node/partial.ts";
import { peerFile } from "../peers.ts";
import { peersCache } from "../synthetic.ts";
import { type Player, startProcess } from "./player.ts";

const SOURCE = "test/peers/players/llama-driver.c";
/** What the prebuilt libraries were built from; it lies beside them. */
const METADATA = "@node-llama-cpp/linux-x64/bins/linux-x64/_nlcBuildMetadata.json";

/** Path of the program. Throws `device.unavailable` where it cannot be compiled. */
function compiled(): string {
  const program = join(peersCache(), `llama-driver-${hashText(readFileSync(SOURCE, "utf8")).slice(0, 16)}`);
  if (existsSync(program)) return program;
  const unfinished = `${program}.${process.pid}`;
  try {
    execFileSync("gcc", ["-O2", "-o", unfinished, SOURCE, "-ldl"], { stdio: "pipe" });
  } catch (cause) {
    throw new SkintError("device.unavailable", `${SOURCE} cannot be compiled here (${cause}); install gcc on Linux x64`, { what: "gcc" }, { cause });
  }
  renameSync(unfinished, program);
  return program;
}

export async function openDriver(file: string, threads: number): Promise<Player> {
  const metadata = peerFile(METADATA);
  const { repo, release } = JSON.parse(readFileSync(metadata, "utf8")).buildOptions.llamaCpp;
  const player = await startProcess("llama-driver", compiled(), [dirname(metadata), file, String(threads)]);
  return { ...player, engine: `${repo} ${release}, C driver; ${player.engine}` };
}
