// Which scans of Mamba-2 go by chunks: those of steps with a whole chunk of rows, by shape alone, with scratch memory for the units they are cut into.
import { expect, test } from "vitest";
import { architecture } from "../../models/mamba2/model.ts";
import type { TensorDef } from "../../runtime/graph/types.ts";
import { CHUNK, scratchWords } from "../../runtime/ops/ssd/chunks.ts";
import { MAX_UNITS } from "../../runtime/plan/choose.ts";
import { lower } from "../../runtime/plan/lower.ts";
import type { Plan, Step } from "../../runtime/plan/types.ts";
import { KERNELS } from "../../targets/devices/wasm/catalogue.gen.ts";

const CONFIG = { model_type: "mamba2", hidden_size: 768, num_hidden_layers: 1, vocab_size: 64, head_dim: 64, state_size: 128, n_groups: 1 };

const planOf = (rows: number, change: Record<string, unknown> = {}): Plan =>
  lower(architecture.build({ ...CONFIG, ...change }, { cache: "f32" }), {
    name: "prefill",
    symbols: { T: rows, L: 1, C: 1 },
    kernels: KERNELS.simd,
    fuse: true,
    logits: "last",
    taps: [],
  });
const scanOf = (plan: Plan) => plan.steps.find((s) => s.op === "ssd") as Step;

test("a step of a chunk or more goes by chunks, in units of whole heads with a row of scratch memory each", () => {
  const plan = planOf(128);
  const step = scanOf(plan);
  expect(step).toMatchObject({ variant: "chunks", kernel: "ssd_chunks__simd" });
  const [units, words] = (plan.tensors.get(step.tensors.scratch) as TensorDef).shape as number[];
  expect(words).toBe(scratchWords({ dh: 64, states: 128 }));
  expect(step.units).toBeGreaterThan(1);
  expect(step.units).toBeLessThanOrEqual(units);
  expect(units).toBeLessThanOrEqual(MAX_UNITS);
});

test.each<[string, number, Record<string, unknown>]>([
  ["one token", 1, {}],
  ["fewer rows than a chunk", CHUNK - 1, {}],
  ["heads that are no whole blocks", 128, { head_dim: 24 }],
  ["few states", 128, { state_size: CHUNK / 2 }],
  ["an odd number of states", 128, { state_size: 127 }],
])("%s: one row after the other, without scratch memory", (_, rows, change) => {
  const step = scanOf(planOf(rows, change));
  expect(step).toMatchObject({ variant: "f32", kernel: "ssd_f32__simd" });
  expect(step.tensors.scratch).toBeUndefined();
});
