// `npm run build`: generated files, every build of the core, the bundles and the type declarations into dist/.
// `--if-stale` returns at once when nothing that goes into dist/ is newer than the last build; `--core` stops after the core.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as asc from "assemblyscript/asc";
import { build } from "esbuild";
import { KEPT_BUILDS, LIMIT_BUILDS } from "../gen/scan.ts";

const STAMP = "dist/.stamp";
const SOURCES = ["runtime", "assembly", "targets", "models", "tools", "asconfig.json", "package.json"];

function newest(path: string): number {
  const s = statSync(path);
  if (!s.isDirectory()) return s.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((f) => newest(join(path, f))));
}

function isFresh(): boolean {
  return existsSync(STAMP) && Math.max(...SOURCES.map(newest)) <= statSync(STAMP).mtimeMs;
}

/** Compiles `entry` into <out>.wasm and <out>.wat. */
async function compile(entry: string, target: string, out: string): Promise<void> {
  mkdirSync(dirname(out), { recursive: true });
  const { error, stderr } = await asc.main([entry, "--target", target, "--outFile", `${out}.wasm`, "--textFile", `${out}.wat`]);
  if (error) throw new Error(`build ${target} of ${entry} failed:\n${stderr.toString()}`);
}

/** Every build of the core, the linear algebra of the tools, and the limits of a machine. */
async function core(): Promise<void> {
  for (const { name } of KEPT_BUILDS) await compile(`assembly/entry.${name}.gen.ts`, name, `dist/core/${name}`);
  await compile("assembly/linalg/entry.gen.ts", "linalg", "dist/linalg");
  for (const { name } of LIMIT_BUILDS) await compile(`assembly/limits/entry.${name}.gen.ts`, name, `dist/limits/${name}`);
}

const entries = [
  { in: "tools/skint.ts", out: "skint", platform: "node" },
  { in: "targets/hosts/node/index.ts", out: "node", platform: "node" },
  { in: "targets/hosts/node/lane.ts", out: "lane", platform: "node" },
  { in: "targets/hosts/node/fenced.ts", out: "fence", platform: "node" },
  { in: "targets/hosts/browser/index.ts", out: "browser", platform: "browser" },
  { in: "targets/hosts/browser/worker.ts", out: "browser-worker", platform: "browser" },
  { in: "targets/hosts/browser/lane.ts", out: "browser-lane", platform: "browser" },
] as const;

async function bundles(): Promise<void> {
  for (const e of entries.filter((e) => existsSync(e.in)))
    await build({
      entryPoints: { [e.out]: e.in },
      outdir: "dist",
      bundle: true,
      platform: e.platform,
      format: "esm",
      target: "es2022",
      packages: e.platform === "node" ? "external" : "bundle",
      minify: e.platform === "browser",
      sourcemap: true,
      logLevel: "warning",
      ...(e.out === "skint" ? { banner: { js: "#!/usr/bin/env node" } } : {}),
    });
}

function declarations(): void {
  execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tools/dev/tsconfig.types.json"], { stdio: "inherit" });
}

if (process.argv.includes("--if-stale") && isFresh()) process.exit(0);
rmSync(STAMP, { force: true });
execFileSync(process.execPath, ["tools/dev/ts.mjs", "tools/gen/main.ts"], { stdio: "inherit" });
await core();
if (!process.argv.includes("--core")) {
  await bundles();
  declarations();
  writeFileSync(STAMP, "");
}
