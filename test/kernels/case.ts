// A kernel case: one step on made-up data, as data. Kernels of every build and any number of units must give the reference's answer.
import type { OperandArray } from "../../runtime/ops/define.ts";

/** `exact`: bit-equal. Otherwise |got − want| ≤ abs + rel · |want| for every element. */
export type Bound = "exact" | { readonly abs: number; readonly rel: number };

/** What a file <op>.cases.ts exports. */
export type Cases = readonly Case[];

export interface Case {
  readonly name: string;
  readonly variant: string;
  readonly rows: number;
  /** Attributes and slots by field name. */
  readonly values: Readonly<Record<string, number>>;
  /** Fresh operands, outputs included (filled with whatever must not survive). Absent optional operands are left out. */
  tensors(): Record<string, OperandArray>;
  /** Row strides by tensor field. */
  readonly strides: Readonly<Record<string, number>>;
  /** How each output is judged. For i8tok outputs give a `view` that hides the unspecified bytes. */
  readonly compare: Readonly<Record<string, Bound>>;
  /** Per output field: what of its bytes is specified, as comparable numbers (default: all). */
  readonly view?: Readonly<Record<string, (t: OperandArray) => OperandArray>>;
  /** Per output field: what builds and splits must agree on to the bit, where that is more than `view` shows the reference. */
  readonly alike?: Readonly<Record<string, (t: OperandArray) => OperandArray>>;
}
