// yosys, nextpnr-ice40 and icepack: the system's own, or those of npm (YoWASP), which are the same programs as WebAssembly.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { SkintError } from "../../runtime/errors.ts";

export type Program = "yosys" | "nextpnr-ice40" | "icepack";
/** By name. */
export type Files = Readonly<Record<string, string | Uint8Array>>;

export interface Toolchain {
  /** With versions, for records. */
  readonly name: string;
  /** Runs a program among `files`; gives the files `wanted` and what it printed. Throws `program.failed`. */
  run(program: Program, args: readonly string[], files: Files, wanted: readonly string[], signal?: AbortSignal): Promise<{ files: Record<string, Uint8Array>; log: string }>;
}

const PACKAGES = { "yosys": "@yowasp/yosys", "nextpnr-ice40": "@yowasp/nextpnr-ice40", "icepack": "@yowasp/nextpnr-ice40" } as const;
const FUNCTIONS = { "yosys": "runYosys", "nextpnr-ice40": "runNextpnrIce40", "icepack": "runIcepack" } as const;

const execute = promisify(execFile);
const failed = (program: Program, log: string) =>
  new SkintError("program.failed", `${program} failed: ${log.trim().split("\n").slice(-4).join(" | ") || "it said nothing"}`, { what: program });

async function native(): Promise<Toolchain | undefined> {
  const version = (name: string, flag: string) => execute(name, [flag]).then(({ stdout, stderr }) => `${stdout}${stderr}`.trim().split("\n")[0]);
  try {
    const [yosys, nextpnr] = [await version("yosys", "-V"), await version("nextpnr-ice40", "--version")];
    await execute("which", ["icepack"]);
    const short = (text: string) => /\d+\.[\w.+-]+/.exec(text)?.[0] ?? text;
    return { name: `yosys ${short(yosys)}, nextpnr ${short(nextpnr)}`, run: runNative };
  } catch {
    return undefined;
  }
}

const runNative: Toolchain["run"] = async (program, args, files, wanted, signal) => {
  const dir = mkdtempSync(join(tmpdir(), "skint-flash-"));
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(dir, name), content);
    const { stdout, stderr } = await execute(program, [...args], { cwd: dir, signal, maxBuffer: 1 << 28 }).catch((e) => {
      if (signal?.aborted) throw new SkintError("aborted", `${program} was stopped by the caller`);
      throw failed(program, `${(e as { stdout?: string }).stdout ?? ""}${(e as { stderr?: string }).stderr ?? e}`);
    });
    return { files: Object.fromEntries(wanted.map((name) => [name, new Uint8Array(readFileSync(join(dir, name)))])), log: `${stdout}${stderr}` };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
};

type Yowasp = (args: string[], files: Files, options: object) => Promise<Record<string, Uint8Array | string>>;

/** Looks where the user stands first: an optional peer lies beside Skint or in his own project. */
function locate(name: string): string | undefined {
  for (const from of [join(process.cwd(), "package.json"), import.meta.url])
    for (const dir of createRequire(from).resolve.paths(name) ?? []) {
      try {
        const manifest = JSON.parse(readFileSync(join(dir, name, "package.json"), "utf8"));
        return join(dir, name, manifest.exports?.default ?? manifest.main);
      } catch {
        // not in this one
      }
    }
  return undefined;
}

async function npm(): Promise<Toolchain | undefined> {
  const paths = Object.values(PACKAGES).map(locate);
  if (paths.some((p) => p === undefined)) return undefined;
  const version = (path: string) => JSON.parse(readFileSync(join(path, "../../package.json"), "utf8")).version;
  return { name: `@yowasp/yosys ${version(paths[0] as string)}, @yowasp/nextpnr-ice40 ${version(paths[1] as string)}`, run: runNpm };
}

const runNpm: Toolchain["run"] = async (program, args, files, wanted) => {
  const module = (await import(pathToFileURL(locate(PACKAGES[program]) as string).href)) as Record<string, Yowasp>;
  const lines: string[] = [];
  const decoder = new TextDecoder();
  const print = (bytes: Uint8Array | null) => {
    if (bytes) lines.push(decoder.decode(bytes));
  };
  try {
    const tree = await module[FUNCTIONS[program]]([...args], files, { stdout: print, stderr: print, decodeASCII: false });
    return { files: Object.fromEntries(wanted.map((name) => [name, asBytes(tree[name])])), log: lines.join("") };
  } catch (e) {
    throw failed(program, lines.join("") || String(e));
  }
};

const asBytes = (content: Uint8Array | string) => (typeof content === "string" ? new TextEncoder().encode(content) : new Uint8Array(content));

/** Throws `device.unavailable` if the tools that were asked for are not here. */
export async function openToolchain(which: "auto" | "native" | "npm"): Promise<Toolchain> {
  const found = (which !== "npm" && (await native())) || (which !== "native" && (await npm()));
  if (found) return found;
  const install = { native: "Debian: yosys, nextpnr-ice40, fpga-icestorm", npm: "npm install @yowasp/yosys @yowasp/nextpnr-ice40 (260 MB)" };
  const how = which === "auto" ? `${install.npm}, or those of the system (${install.native})` : install[which];
  throw new SkintError("device.unavailable", `the tools that make images are not here; install them: ${how}`, { what: "--tools" });
}
