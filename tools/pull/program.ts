// Runs the user's own npm or pip, so that their mirrors, logins and offline settings hold.
import { spawn } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { SkintError, throwIfAborted } from "../../runtime/errors.ts";
import type { Context } from "../cli/context.ts";

export interface Program {
  /** Command and its arguments, in the order they are tried: the first that is installed runs. */
  readonly commands: readonly (readonly string[])[];
  /** Added to the environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Folder it fills, for progress. */
  readonly into: string;
  /** What to do when none is installed. */
  readonly absent: string;
}

const TOLD_BYTES = 2000;
const POLL_MS = 300;
/** Between asking a program to stop and ending it. */
const GRACE_MS = 3000;

function folderBytes(path: string): number {
  return readdirSync(path).reduce((sum, f) => sum + (statSync(join(path, f), { throwIfNoEntry: false })?.size ?? 0), 0);
}

/** Undefined when the command is not installed, else its exit code and the end of what it said. */
function once([command, ...args]: readonly string[], { env }: Program, signal: AbortSignal): Promise<{ code: number | null; said: string } | undefined> {
  return new Promise((resolve, reject) => {
    // npm is a script on Windows, which only a shell runs; every argument was checked to hold nothing that a shell reads.
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"], shell: process.platform === "win32", windowsHide: true });
    let said = "";
    const hear = (data: Buffer) => {
      said = (said + data.toString()).slice(-TOLD_BYTES);
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    let kill: NodeJS.Timeout | undefined;
    const stop = () => {
      child.kill("SIGTERM");
      kill = setTimeout(() => child.kill("SIGKILL"), GRACE_MS);
    };
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    const end = () => {
      clearTimeout(kill);
      signal.removeEventListener("abort", stop);
    };
    const finish = (code: number | null) => {
      end();
      resolve({ code, said: said.trim() });
    };
    child.on("error", (e: NodeJS.ErrnoException) => {
      end();
      if (e.code === "ENOENT") resolve(undefined);
      else reject(e);
    });
    // A child of the child may hold its output open: who was asked to stop is not waited for beyond its own end.
    child.on("exit", (code) => {
      if (signal.aborted) finish(code);
    });
    child.on("close", finish);
  });
}

/** Runs the first command that is installed. Throws `program.failed`, `aborted`. */
export async function runProgram(program: Program, context: Context): Promise<void> {
  const progress = context.progress(`${program.commands[0].slice(0, 2).join(" ")}`, "bytes");
  const poll = setInterval(() => progress.update(folderBytes(program.into)), POLL_MS);
  try {
    for (const command of program.commands) {
      const ended = await once(command, program, context.signal);
      throwIfAborted(context.signal, command[0]);
      if (ended?.code === 0) return;
      if (ended) throw new SkintError("program.failed", `${command.join(" ")} ended with ${ended.code}; what it said last:\n${ended.said}`, { what: command[0] });
    }
    throw new SkintError("program.failed", `${program.commands[0][0]} is not installed, or not on the PATH; ${program.absent}`, { what: program.commands[0][0] });
  } finally {
    clearInterval(poll);
    progress.end();
  }
}
