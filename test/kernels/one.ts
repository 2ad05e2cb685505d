// One step on one kernel of a build: for goals that compare WASM with other devices.

import { OPS } from "../../runtime/ops/catalogue.gen.ts";
import type { OperandArray } from "../../runtime/ops/define.ts";
import type { BuildName } from "../../targets/devices/wasm/catalogue.gen.ts";
import { kernelsFor, runKernel } from "./harness.ts";

/** A step as an op, its variant, operands and attributes, strides of rows among them. */
export interface Operation {
  readonly op: string;
  readonly variant: string;
  readonly tensors: Record<string, OperandArray>;
  readonly values: Record<string, number>;
}

/** Runs steps of one row of a build's first kernel; the output `y` is written in place. */
export function kernelOf(build: BuildName): (o: Operation) => void {
  return ({ op, variant, tensors, values }) => {
    const fields = Object.entries(OPS[op].fields).filter(([, kind]) => kind.startsWith("stride "));
    const strides = Object.fromEntries(fields.map(([field, kind]) => [kind.slice(7), values[field] ?? 0]));
    const c = { name: op, variant, rows: values.rows, values, strides, tensors: () => tensors, compare: { y: "exact" as const } };
    runKernel(build, kernelsFor(build, op, variant)[0], op, c, { units: 1, skew: 0 });
  };
}
