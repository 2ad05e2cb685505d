// `skint doctor` as a program, and what it says of builds that are missing, broken or refused by the engine.
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { probe } from "../../targets/devices/wasm/probe.ts";
import { host } from "../../targets/hosts/node/host.ts";
import { examineBuilds } from "../../tools/doctor/builds.ts";
import { ALL_BUILDS, coreModule } from "../support/core.ts";

test("doctor reports machine, features and builds as JSON", () => {
  const report = JSON.parse(execFileSync(process.execPath, ["dist/skint.js", "doctor", "--json"], { encoding: "utf8" }));
  expect(report.machine.engine.version).toBe(process.versions.node);
  expect(report.features.simd).toBe(true);
  expect(report.builds.map((b: { name: string }) => b.name)).toEqual(ALL_BUILDS);
  expect(report.builds[0]).toMatchObject({ name: "scalar", state: "ready", reason: null });
});

test("the probe finds what this engine is known to have", () => {
  coreModule("relaxed"); // test/support/core.ts sets the flag that Node 20 needs for relaxed SIMD
  expect(probe()).toEqual({ simd: true, relaxed: true, threads: true, sharedMemory: true });
});

test("missing, broken and refused builds are told apart", async () => {
  const core = async (name: string) => {
    if (name === "scalar") return new TextEncoder().encode("not wasm") as Uint8Array<ArrayBuffer>;
    return host.core(name === "relaxed" ? "no-such" : "simd");
  };
  const states = await examineBuilds({ ...host, core });
  const of = (name: string) => states.find((b) => b.name === name);
  expect(of("scalar")?.state).toBe("broken");
  expect(of("relaxed")).toMatchObject({ state: "missing", bytes: null });
  expect(of("relaxed")?.reason).toContain("npm run build");
  expect(of("simd")).toMatchObject({ state: "ready", reason: null });
  // The unshared core under a shared name: cannot be linked to shared memory.
  expect(of("simd-threads")?.state).not.toBe("ready");
});
