// Goals of the first slice: a real model is compressed, run and measured by one command.
import { runAttacks } from "../../../test/attacks/run.ts";
import type { Area } from "../goal.ts";
import { costOfFourBits, errorToOracle, ratioToFiveGram } from "../slice/quality.ts";
import { coreBytes, distinctOutputs, loadRatio, secondsToStart } from "../slice/speed.ts";

async function attacksHandled() {
  const verdicts = await runAttacks();
  const failed = verdicts.filter((v) => !v.ok);
  return {
    value: (verdicts.length - failed.length) / verdicts.length,
    note: `${verdicts.length} malformed files${failed.length ? `; failed: ${failed.map((v) => v.name).join(", ")}` : ""}`,
  };
}

export const area: Area = {
  name: "slice",
  goals: [
    { id: "slice.start_s", figure: "npm start after install", unit: "s", must: { op: "<=", value: 90 }, measure: secondsToStart },
    {
      id: "slice.bpb_ratio_5gram",
      figure: "held-out bits per byte of tiny-swiglu f32 over a 5-gram Kneser-Ney model",
      unit: "ratio",
      must: { op: "<=", value: 0.95 },
      measure: ratioToFiveGram,
    },
    { id: "slice.q4_bpb_cost", figure: "relative bits-per-byte cost of q4g32 + i8tok", unit: "ratio", must: { op: "<=", value: 0.02 }, measure: costOfFourBits },
    {
      id: "slice.oracle_logit_err",
      figure: "f32 logits against the training framework, max relative",
      unit: "ratio",
      must: { op: "<=", value: 1e-4 },
      measure: () => errorToOracle(),
    },
    { id: "slice.threads_equal", figure: "distinct outputs over 1…8 threads and all builds", unit: "outputs", must: { op: "=", value: 1 }, measure: distinctOutputs },
    { id: "slice.wasm_bytes", figure: "all core builds", unit: "B", must: { op: "<=", value: 500000 }, measure: coreBytes },
    { id: "slice.load_ratio", figure: "load of a 100 MB model over read + hash + copy", unit: "ratio", must: { op: "<=", value: 1.3 }, measure: loadRatio },
    { id: "slice.attacks", figure: "malformed files handled with a typed error", unit: "share", must: { op: "=", value: 1 }, measure: attacksHandled },
  ],
};
