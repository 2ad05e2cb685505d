// `npm test`: every gate of the house, then vitest; `--long` includes *.long.test.ts. The last line is `N passed, N failed, N skipped`.
// Under CI it first lets tools/dev/setup install what is missing; elsewhere setup is the developer's to run.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Report } from "./reporter.ts";

const script = (file: string, ...args: string[]) => ["tools/dev/ts.mjs", file, ...args];
const tsc = (project: string) => ["node_modules/typescript/bin/tsc", "-p", project];

/** Each is one Node program that must end with code 0. */
const GATES: readonly (readonly [name: string, argv: string[]])[] = [
  ["build", script("tools/dev/build.ts", "--if-stale")],
  ["generated files", script("tools/gen/main.ts", "--check")],
  ["types", tsc("tsconfig.json")],
  ["types of the core", tsc("assembly/tsconfig.json")],
  ["lint", ["node_modules/@biomejs/biome/bin/biome", "ci", "--colors=off", "."]],
  ["house rules", script("tools/dev/rules.ts")],
  ["sizes", script("tools/dev/size.ts")],
];

const SHOWN_LINES = 60;

const seconds = (since: number) => `${((performance.now() - since) / 1000).toFixed(1)} s`;

/** As much of a failed gate's output as helps; the whole of it is one command away. */
function excerpt(output: string, argv: string[]): string {
  const lines = output.trimEnd().split("\n");
  const more = lines.length - SHOWN_LINES;
  return more <= 0 ? lines.join("\n") : [...lines.slice(0, SHOWN_LINES), `… ${more} more lines: node ${argv.join(" ")}`].join("\n");
}

/** Runs one gate; its output is shown only if it fails. */
function gate(name: string, argv: string[]): boolean {
  const begin = performance.now();
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], maxBuffer: 1 << 28 });
  if (signal) process.exit(130);
  const ok = status === 0;
  console.log(`${ok ? "ok    " : "FAILED"} ${name} (${seconds(begin)})`);
  if (!ok) console.log(excerpt(`${stdout}${stderr}`, argv));
  return ok;
}

/** Undefined if vitest ended without a report. */
function vitest(long: boolean): Report | undefined {
  const dir = mkdtempSync(join(tmpdir(), "skint-test-"));
  const file = join(dir, "report.json");
  const argv = ["node_modules/vitest/vitest.mjs", "run", "--reporter=default", "--reporter=./tools/dev/reporter.ts"];
  const env = { ...process.env, SKINT_REPORT: file, ...(long ? { SKINT_LONG: "1" } : {}) };
  const { signal } = spawnSync(process.execPath, argv, { stdio: ["ignore", "inherit", "inherit"], env });
  const report = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Report) : undefined;
  rmSync(dir, { recursive: true, force: true });
  if (signal) process.exit(130);
  return report;
}

function main(): void {
  if (process.env.CI) spawnSync("bash", ["tools/dev/setup"], { stdio: ["ignore", "inherit", "inherit"] });
  const results = GATES.map(([name, argv]) => gate(name, argv));
  const report = vitest(process.argv.includes("--long"));
  if (!report) console.log("FAILED vitest ended without a report; its output above says why");
  if (report?.skipped.length) {
    console.log(`skipped (if a file is missing, tools/dev/setup installs it):`);
    for (const { name, reason } of report.skipped) console.log(`  ${name}: ${reason ?? "no reason given"}`);
  }
  const passed = results.filter(Boolean).length + (report?.passed ?? 0);
  const failed = results.filter((ok) => !ok).length + (report?.failed ?? 1);
  if (failed) process.exitCode = 1;
  console.log(`${passed} passed, ${failed} failed, ${report?.skipped.length ?? 0} skipped`);
}

main();
