// Cases of ops that turn f32 rows into f32 rows or rows of an activation format: the ladder of shapes, strides wider than the row, unwritable gaps.
import { ACTS } from "../../runtime/act/catalogue.gen.ts";
import type { ActFormat } from "../../runtime/act/format.ts";
import type { OperandArray } from "../../runtime/ops/define.ts";
import type { Bound, Case } from "./case.ts";
import { codesAndScale, ONE_CODE, specified } from "./i8rows.ts";

/** 2^-24, the relative error of one f32 rounding. */
export const ROUNDING = 2 ** -24;

/** k below, at and above the vector, and of real models. */
export const LADDER: readonly number[] = [1, 3, 4, 5, 32, 64, 127, 576];

export interface RowCase {
  readonly name: string;
  readonly rows: number;
  readonly k: number;
  /** Floats between rows of every f32 operand (64 times as many bytes between quantised rows). */
  readonly gap?: number;
  readonly values: Readonly<Record<string, number>>;
  /** Row operands f32 [rows, k + gap] are called with n = rows·(k + gap); vectors are made by the same function. */
  readonly inputs: () => Record<string, Float32Array>;
  /** Names of the inputs that are rows. */
  readonly streams: readonly string[];
  readonly bound: Bound;
}

export function f32Case(c: RowCase): Case {
  const stride = c.k + (c.gap ?? 0);
  const { rows, k } = c;
  const packed = (t: OperandArray) => Float32Array.from({ length: rows * k }, (_, i) => t[Math.floor(i / k) * stride + (i % k)] as number);
  return {
    name: `${c.name}, rows ${rows}, k ${k}${c.gap ? `, gap ${c.gap}` : ""}`,
    variant: "f32",
    rows,
    values: { k, panel: 0, ...c.values },
    strides: Object.fromEntries([...c.streams, "y"].map((s) => [s, stride])),
    tensors: () => ({ ...c.inputs(), y: new Float32Array(rows * stride).fill(7) }),
    compare: { y: c.bound },
    view: { y: packed },
    // the gaps too: nothing may be written there
    alike: { y: (t) => t },
  };
}

export function actCase(act: ActFormat, c: RowCase, panel: number): Case {
  const stride = c.k + (c.gap ?? 0);
  const bytes = act.bytes(c.k) + 64 * (c.gap ?? 0);
  return {
    name: `${c.name}, rows ${c.rows}, k ${c.k}, panel ${panel}${c.gap ? `, gap ${c.gap}` : ""}`,
    variant: act.name,
    rows: c.rows,
    values: { k: c.k, panel, ...c.values },
    strides: { ...Object.fromEntries(c.streams.map((s) => [s, stride])), y: bytes },
    tensors: () => ({ ...c.inputs(), y: new Uint8Array(c.rows * bytes).fill(0xee) }),
    compare: { y: ONE_CODE },
    view: { y: codesAndScale(act, c.rows, c.k, bytes) },
    alike: { y: specified(act, c.rows, c.k, bytes, panel) },
  };
}

/** The case with a range that is given, in the variant that knows one. */
export function rangedCase(c: RowCase, range: number): Case {
  return actCase(ACTS.i8tok, { ...c, name: `${c.name}, range ${range}`, inputs: () => ({ ...c.inputs(), range: Float32Array.of(range) }) }, c.k % 3);
}

/** All variants of one case; the panel varies with k so that all occur. */
export function allVariants(c: RowCase): Case[] {
  return [
    f32Case(c),
    ...Object.values(ACTS)
      .filter((act) => act.fused && !act.rows)
      .map((act) => actCase(act, c, act.panels[c.k % act.panels.length])),
  ];
}
