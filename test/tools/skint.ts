// Runs dist/skint.js as its users do, in a folder of its own.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Tiny } from "../support/tiny.ts";

const SCRIPT = resolve("dist/skint.js");

export interface Ended {
  readonly exit: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Bench {
  readonly dir: string;
  readonly path: (name: string) => string;
  /** Runs a command to its end. */
  skint(...args: string[]): Ended;
  /** Runs with --json and hands back the answer; anything but success is thrown. */
  // biome-ignore lint/suspicious/noExplicitAny: answers of commands are read by tests that know them
  json(...args: string[]): any;
  /** Starts a command; `until` resolves when standard error has said a text. */
  start(...args: string[]): { kill(signal: NodeJS.Signals): void; until(text: string): Promise<void>; ended: Promise<Ended> };
  /** Writes a checkpoint's files into a folder here. */
  checkpoint(name: string, files: ReadonlyMap<string, Uint8Array>): string;
  remove(): void;
}

export function bench(): Bench {
  const dir = mkdtempSync(join(tmpdir(), "skint-cli-"));
  const path = (name: string) => join(dir, name);
  const skint = (...args: string[]): Ended => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, ...args], { cwd: dir, encoding: "utf8", maxBuffer: 1 << 26, input: "" });
    return { exit: status, out: stdout, err: stderr };
  };
  return {
    dir,
    path,
    skint,
    json(...args) {
      const { exit, out, err } = skint(...args, "--json");
      if (exit !== 0) throw new Error(`skint ${args.join(" ")} ended with ${exit}: ${out}${err}`);
      return JSON.parse(out);
    },
    start(...args) {
      const child = spawn(process.execPath, [SCRIPT, ...args], { cwd: dir, stdio: ["ignore", "pipe", "pipe"] });
      let [out, err] = ["", ""];
      child.stdout.on("data", (d) => (out += d));
      child.stderr.on("data", (d) => (err += d));
      const ended = once(child, "close").then(([exit]) => ({ exit, out, err }));
      const until = async (text: string) => {
        while (!err.includes(text) && child.exitCode === null) await new Promise((r) => setTimeout(r, 5));
      };
      return { kill: (signal) => void child.kill(signal), until, ended };
    },
    checkpoint(name, files) {
      mkdirSync(path(name));
      for (const [file, bytes] of files) writeFileSync(join(path(name), file), bytes);
      return name;
    },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** The files of a tiny checkpoint with one of them changed, or left out. */
export function changed(tiny: Tiny, file: string, content: string | Uint8Array | undefined): Map<string, Uint8Array> {
  const files = new Map(tiny.files);
  if (content === undefined) files.delete(file);
  else files.set(file, typeof content === "string" ? new TextEncoder().encode(content) : content);
  return files;
}
