// Policy: which kernel takes a step, and into how many units it is cut. Pure functions of op, variant, shape and what the device has.
import { SkintError } from "../errors.ts";
import { OPS } from "../ops/catalogue.gen.ts";

export interface Choice {
  readonly kernel: string;
  readonly why: string;
}

/** `rows`: the most rows a step of the plan can have. */
export function chooseKernel(op: string, variant: string, rows: number, kernels: readonly string[]): Choice {
  const families = op === "linear" ? (rows > 1 ? ["gemm", "gemv"] : ["gemv"]) : OPS[op].families;
  for (const family of families) {
    const prefix = `${family}_${variant}__`;
    const kernel = kernels.find((k) => k.startsWith(prefix));
    if (kernel) return { kernel, why: reason(op, family, rows) };
  }
  const others = kernels.filter((k) => OPS[op].families.some((f) => k.startsWith(`${f}_`)));
  throw new SkintError("plan.kernel", `no kernel computes ${op} in variant ${variant || "(none)"} for ${rows} rows; this build has ${others.join(", ") || "none for this op"}`, {
    what: op,
  });
}

function reason(op: string, family: string, rows: number): string {
  if (op !== "linear") return "the only family";
  if (family === "gemm") return `${rows} rows share each weight read`;
  return rows > 1 ? "no gemm for this scheme: weights are read once a row" : "one row: stream the weights";
}

/** Multiply-adds a microsecond a lane is assumed to do when work is cut into units of 5 µs (executor research §3.5). */
const MACS_PER_US = 20_000;
const BYTES_PER_US = 8_000;
const UNIT_US = 5;
export const MAX_UNITS = 64;

/** Units of a step with at most `pieces` independent pieces; below about 3 µs of work a step is not cut. */
export function chooseUnits(macs: number, bytes: number, pieces: number): number {
  const us = Math.max(macs / MACS_PER_US, bytes / BYTES_PER_US);
  if (us < 3) return 1;
  return Math.max(1, Math.min(Math.round(us / UNIT_US), pieces, MAX_UNITS));
}
