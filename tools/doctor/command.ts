// `skint doctor`: what this machine can do, which builds of the core run on it, what is missing and how to get it.
import { probe, type WasmFeatures } from "../../targets/devices/wasm/probe.ts";
import type { Context } from "../cli/context.ts";
import { EXIT } from "../cli/errors.ts";
import { table } from "../cli/table.ts";
import { bytes } from "../cli/units.ts";
import type { Verb } from "../verb.ts";
import { type BuildState, examineBuilds } from "./builds.ts";
import { describeMachine, type Machine } from "./machine.ts";

interface Report {
  readonly machine: Machine;
  readonly features: WasmFeatures;
  readonly builds: readonly BuildState[];
}

function text({ machine: m, features, builds }: Report, { colour }: Context): string {
  const mark = (ok: boolean) => (ok ? colour.green("yes") : colour.yellow("no"));
  const memory = `${bytes(m.memory.total)}, ${bytes(m.memory.free)} free${m.memory.limit ? `, limited to ${bytes(m.memory.limit)}` : ""}`;
  const machine = table(
    [],
    [
      ["engine", `Node ${m.node}, V8 ${m.v8}`],
      ["system", m.system],
      ["processor", `${m.cpu}, ${m.threads} threads`],
      ["memory", memory],
      ["SIMD", mark(features.simd)],
      ["relaxed SIMD", mark(features.relaxed)],
      ["threads", mark(features.threads && features.sharedMemory)],
    ],
  );
  const paint = { ready: colour.green, missing: colour.red, unsupported: colour.yellow, broken: colour.red };
  const rows = builds.map((b) => [b.name, b.bytes === null ? "" : bytes(b.bytes), String(b.kernels), paint[b.state](b.state), b.reason ?? ""]);
  return `${machine}\n\n${table(["core build", "size", "kernels", "state", ""], rows, { right: [1, 2] })}`;
}

export const verb: Verb = {
  name: "doctor",
  summary: "show what this machine can do and what is missing",
  description:
    "Shows the engine, processor, memory and WebAssembly features of this machine, which builds of the core start on it, and for each that does not, why and what to do. Ends with exit code 3 if no build starts.",
  example: "skint doctor\nskint doctor --json",
  async run(_args, context) {
    const features = probe();
    const report: Report = { machine: describeMachine(), features, builds: examineBuilds(features) };
    context.answer(report, () => text(report, context));
    return report.builds.some((b) => b.state === "ready") ? EXIT.ok : EXIT.missing;
  },
};
