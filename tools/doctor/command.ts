// `skint doctor`: what this machine can do, which builds of the core run on it, what is missing and how to get it.
import { probe, type WasmFeatures } from "../../targets/devices/wasm/probe.ts";
import { host } from "../../targets/hosts/node/host.ts";
import { type MachineReport, readMachine } from "../../targets/hosts/node/machine.ts";
import type { Context } from "../cli/context.ts";
import { EXIT } from "../cli/errors.ts";
import { table } from "../cli/table.ts";
import { bytes } from "../cli/units.ts";
import type { Verb } from "../verb.ts";
import { type BuildState, examineBuilds } from "./builds.ts";

interface Report {
  readonly machine: MachineReport;
  /** Threads that can run at once for this process. */
  readonly threads: number;
  readonly features: WasmFeatures;
  readonly builds: readonly BuildState[];
}

function machineRows(m: MachineReport, threads: number): string[][] {
  const free = m.memoryFreeBytes === null ? "" : `, ${bytes(m.memoryFreeBytes)} free`;
  const rows = [
    ["engine", `${m.engine.name} ${m.engine.version}, ${m.engine.core}`],
    ["system", `${m.os}, ${m.arch}`],
    ["board", m.board ?? ""],
    ["processor", `${m.cpu}, ${threads} ${threads === 1 ? "thread" : "threads"}`],
    ["clock", [m.maxMegahertz ? `up to ${Math.round(m.maxMegahertz)} MHz` : "", m.governor ? `governor ${m.governor}` : ""].filter(Boolean).join(", ")],
    ["memory", `${bytes(m.memoryBytes)}${free}`],
    ["heat", (m.temperatures ?? []).map((t) => `${t.zone} ${t.celsius.toFixed(0)} °C`).join(", ")],
    ["power", m.power?.total ? `${m.power.total.watts.toFixed(2)} W (${m.power.total.of}${m.power.total.estimated ? ", estimated" : ""})` : ""],
  ];
  return rows.filter(([, text]) => text !== "");
}

function text({ machine, threads, features, builds }: Report, { colour }: Context): string {
  const mark = (ok: boolean) => (ok ? colour.green("yes") : colour.yellow("no"));
  const featureRows = [
    ["SIMD", mark(features.simd)],
    ["relaxed SIMD", mark(features.relaxed)],
    ["shared memory", mark(features.threads && features.sharedMemory)],
  ];
  const paint = { ready: colour.green, missing: colour.red, refused: colour.yellow, broken: colour.red };
  const rows = builds.map((b) => [b.name, b.bytes === null ? "" : bytes(b.bytes), String(b.kernels), paint[b.state](b.state), b.reason ?? ""]);
  return `${table([], [...machineRows(machine, threads), ...featureRows])}\n\n${table(["core build", "size", "kernels", "state", ""], rows, { right: [1, 2] })}`;
}

export const verb: Verb = {
  name: "doctor",
  summary: "show what this machine can do and what is missing",
  description:
    "Shows the engine, processor, memory and WebAssembly features of this machine, and runs the self-test of each build of the core; for each build that is not ready it says why and what to do. Ends with exit code 3 if no build is ready.",
  example: "skint doctor\nskint doctor --json",
  async run(_args, context) {
    const report: Report = { machine: readMachine(), threads: host.parallelism, features: probe(), builds: await examineBuilds(host) };
    context.answer(report, () => text(report, context));
    return report.builds.some((b) => b.state === "ready") ? EXIT.ok : EXIT.missing;
  },
};
