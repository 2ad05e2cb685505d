// Finds what stands in the tree: ops, kernels, schemes, activation formats, models, verbs. A catalogue is only ever a list of files.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** Each can run what those before it can. `dot32` needs nothing more than `relaxed`: it is for engines where the dot into i32 is one instruction. */
export const ISAS = ["scalar", "simd", "relaxed", "dot32"] as const;
export type Isa = (typeof ISAS)[number];

export interface KernelFile {
  readonly family: string;
  readonly variant: string;
  readonly isa: Isa;
  /** `<family>_<variant>__<isa>`: the kernel's name everywhere. */
  readonly name: string;
}

export interface Build {
  readonly name: string;
  readonly isa: Isa;
  readonly threads: boolean;
}

/** Every build of the core, most portable first. */
export const BUILDS: readonly Build[] = [
  { name: "scalar", isa: "scalar", threads: false },
  { name: "simd", isa: "simd", threads: false },
  { name: "relaxed", isa: "relaxed", threads: false },
  { name: "dot32", isa: "dot32", threads: false },
  { name: "simd-threads", isa: "simd", threads: true },
  { name: "relaxed-threads", isa: "relaxed", threads: true },
  { name: "dot32-threads", isa: "dot32", threads: true },
];

/** Those that have a file: the others are made of them (targets/devices/wasm/files.ts). */
export const KEPT_BUILDS: readonly Build[] = BUILDS.filter((b) => b.threads || b.isa === "scalar");

/** Builds of the limits: of vectors only, and no build is for what an instruction costs. */
export const LIMIT_BUILDS: readonly Build[] = BUILDS.filter((b) => b.isa === "simd" || b.isa === "relaxed");

function folders(dir: string): string[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { withFileTypes: true })
    .filter((e) => e.isDirectory())
    .map((e) => e.name)
    .sort();
}

/** Names of the folders in `dir` that hold the file `has`. */
export function foldersWith(dir: string, has: string): string[] {
  return folders(dir).filter((name) => existsSync(join(dir, name, has)));
}

const FILE = new RegExp(`^([a-z0-9_]+)\\.(${ISAS.join("|")})\\.ts$`);

/** Folders of assembly/ whose files are named like kernels of the core: what kernels share, and the limits of a machine. */
const APART: readonly string[] = ["lib", "limits"];

/** Kernel files: assembly/<family>/<variant>.<isa>.ts. */
export function kernelFiles(root = "assembly"): KernelFile[] {
  return kernelsIn(
    root,
    folders(root).filter((f) => !APART.includes(f)),
  );
}

/** Kernels that only show what a machine can do (skint bench kernels): assembly/limits/<limit>.<isa>.ts. */
export function limitFiles(root = "assembly"): KernelFile[] {
  return kernelsIn(root, ["limits"]);
}

function kernelsIn(root: string, families: readonly string[]): KernelFile[] {
  const found: KernelFile[] = [];
  for (const family of families.filter((f) => existsSync(join(root, f)))) {
    for (const file of readdirSync(join(root, family)).sort()) {
      const m = FILE.exec(file);
      if (m) found.push({ family, variant: m[1], isa: m[2] as Isa, name: `${family}_${m[1]}__${m[2]}` });
    }
  }
  return found;
}

/** What a build contains: for each family and variant the most capable kernel that it can run. */
export function kernelsOf(build: Build, files = kernelFiles()): KernelFile[] {
  const best = new Map<string, KernelFile>();
  for (const f of files) {
    if (ISAS.indexOf(f.isa) > ISAS.indexOf(build.isa)) continue;
    const key = `${f.family}_${f.variant}`;
    const have = best.get(key);
    if (!have || ISAS.indexOf(f.isa) > ISAS.indexOf(have.isa)) best.set(key, f);
  }
  return [...best.values()];
}

/** Kernels of the linear algebra for the tools: assembly/linalg/<name>.kernel.ts. */
export function linalgKernels(root = "assembly/linalg"): string[] {
  if (!existsSync(root)) return [];
  return readdirSync(root)
    .flatMap((f) => /^([a-z0-9]+)\.kernel\.ts$/.exec(f)?.[1] ?? [])
    .sort();
}

/** Plain .ts files of a folder that are neither tests, generated, nor listed in `except`. */
export function modulesIn(dir: string, except: readonly string[]): string[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir)
    .filter((f) => f.endsWith(".ts") && !f.endsWith(".gen.ts") && !f.endsWith(".test.ts") && !except.includes(f))
    .map((f) => f.slice(0, -3))
    .sort();
}
