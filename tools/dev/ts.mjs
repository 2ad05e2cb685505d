// Runs a TypeScript entry file of this repository on the installed Node: bundles it with esbuild
// (packages stay external), then imports the result with the remaining arguments as process.argv.
import { mkdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

const [entry, ...rest] = process.argv.slice(2);
const outdir = resolve("node_modules/.cache/skint");
mkdirSync(outdir, { recursive: true });
const outfile = join(outdir, `${entry.replaceAll("/", "_")}.${process.pid}.mjs`);
process.on("exit", () => rmSync(outfile, { force: true }));
await build({ entryPoints: [entry], outfile, bundle: true, platform: "node", format: "esm", target: "node20", packages: "external", sourcemap: "inline", logLevel: "error" });
process.argv = [process.argv[0], resolve(entry), ...rest];
await import(pathToFileURL(outfile).href);
