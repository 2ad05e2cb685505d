// `skint doctor` as a program, and what it says of builds that are missing, broken or beyond the engine.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { probe } from "../../targets/devices/wasm/probe.ts";
import { examineBuilds } from "../../tools/doctor/builds.ts";
import { coreModule } from "../support/core.ts";

const ALL = { simd: true, relaxed: true, threads: true, sharedMemory: true };

test("doctor reports machine, features and builds as JSON", () => {
  const report = JSON.parse(execFileSync(process.execPath, ["dist/skint.js", "doctor", "--json"], { encoding: "utf8" }));
  expect(report.machine.node).toBe(process.versions.node);
  expect(report.features.simd).toBe(true);
  expect(report.builds.find((b: { name: string }) => b.name === "scalar")).toMatchObject({ state: "ready", reason: null });
});

test("the probe finds what this engine is known to have", () => {
  coreModule("relaxed"); // sets the flag that Node 20 needs for relaxed SIMD
  expect(probe()).toEqual(ALL);
});

test("missing, broken and unsupported builds are told apart", () => {
  const dir = mkdtempSync(join(tmpdir(), "skint-doctor-"));
  try {
    writeFileSync(join(dir, "scalar.wasm"), "not wasm");
    writeFileSync(join(dir, "relaxed.wasm"), "");
    writeFileSync(join(dir, "simd-threads.wasm"), "");
    const states = examineBuilds({ ...ALL, relaxed: false, sharedMemory: false }, pathToFileURL(`${dir}/`));
    const of = (name: string) => states.find((b) => b.name === name);
    expect(of("scalar")?.state).toBe("broken");
    expect(of("simd")).toMatchObject({ state: "missing", bytes: null });
    expect(of("simd")?.reason).toContain("npm run build");
    expect(of("relaxed")?.state).toBe("unsupported");
    expect(of("simd-threads")?.reason).toContain("no shared memory");
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
