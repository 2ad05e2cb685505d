// What an op declares about itself. The record a kernel reads (one 32-bit word per field, see
// docs/adding-a-op.md) and the names a graph node, a reference and a test case use are this one table.

/**
 * How one field of an op record is filled:
 * - `rows`      address of the u32 that holds the number of rows (tokens) of this step
 * - `slot`      address of a u32 slot the kernel reads (a position, a length)
 * - `in` `out` `inout`  address of a tensor; 0 if the operand is absent (ends in `?`)
 * - `stride t`  distance between two rows of tensor `t`: in elements for f32 and u32, in bytes for packed formats
 * - `u32` `i32` `f32`   an attribute
 */
export type FieldKind = "rows" | "slot" | "in" | "out" | "inout" | "in?" | "out?" | "inout?" | `stride ${string}` | "u32" | "i32" | "f32";

/** Typed view of one operand as a reference or a test sees it. Strides as in the record. */
export type OperandArray = Float32Array | Uint32Array | Uint8Array;

/** Everything a reference needs: the tensors by field name, attributes and slots by field name. */
export interface Operands {
  readonly tensors: Readonly<Record<string, OperandArray | undefined>>;
  readonly values: Readonly<Record<string, number>>;
}

/** The slow and obvious meaning of an op: reads and writes `o.tensors` in place. */
export type Reference = (o: Operands, variant: string) => void;

/** Dimensions of an operand: `rows`, an attribute's name, a product of attributes (`heads*dh`), a number, or `*` for anything. */
export type ShapeRule = readonly (string | number)[];

export interface OpDef {
  readonly name: string;
  /** Kernel folder(s) under `assembly/`; the default is the op's own name. */
  readonly families: readonly string[];
  /** Field name → kind, in record order; words 0 and 1 of the record are `kernel` and `units`. */
  readonly fields: Readonly<Record<string, FieldKind>>;
  /** Tensor field → the dimensions it must have; what a graph from a stranger is checked against. */
  readonly shapes: Readonly<Record<string, ShapeRule>>;
  /** Operands that are packed matrices of weights: of any scheme (the variant of the step), or of the one named, whatever the recipe. */
  readonly weights: Readonly<Record<string, string>>;
  /** Operands that are states → stem of their format, which is `<stem>_<variant>`. */
  readonly states: Readonly<Record<string, string>>;
  /** Variants a graph may name; lowering adds others (`i8tok`, schemes). Empty: the op is made by lowering only. */
  readonly variants: readonly string[];
  /** Variant → optional operands that it must have; where another variant has them and it has not, they must be absent. */
  readonly needs: Readonly<Record<string, readonly string[]>>;
  /** Operands that variants other than `f32` read as rows of i8static (runtime/act) → the operand with their range, which is lowering's. */
  readonly quantised: Readonly<Record<string, string>>;
  /** Variant → operands that are not f32 there → their format: images and what convolves them (runtime/image). */
  readonly formats: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Complaint about attribute values that no kernel can take, or undefined. */
  readonly complaint: (attrs: Attributes) => string | undefined;
  /** Is row r of each result made of the rows r of its operands alone, whatever the position? */
  readonly perRow: boolean;
  /** Independent pieces that a step over `rows` rows can be cut into: the default is its rows. */
  readonly pieces: (attrs: Attributes, rows: number) => number;
  /** Multiply-adds a row. */
  readonly macs: (attrs: Attributes) => number;
}

export type Attributes = Readonly<Record<string, number>>;

/** Words of a record: `kernel`, `units`, then the fields. Records are RECORD_WORDS long on every device. */
export const RECORD_WORDS = 32;

export interface OpRules {
  readonly shapes: Record<string, ShapeRule>;
  readonly families?: OpDef["families"];
  readonly weights?: OpDef["weights"];
  readonly states?: OpDef["states"];
  readonly variants?: OpDef["variants"];
  readonly needs?: OpDef["needs"];
  readonly quantised?: OpDef["quantised"];
  readonly formats?: OpDef["formats"];
  readonly complaint?: OpDef["complaint"];
  readonly perRow?: OpDef["perRow"];
  readonly pieces?: OpDef["pieces"];
  readonly macs?: OpDef["macs"];
}

const DEFAULTS = {
  weights: {},
  states: {},
  variants: ["f32"],
  needs: {},
  quantised: {},
  formats: {},
  complaint: () => undefined,
  perRow: false,
  pieces: (_: Attributes, rows: number) => rows,
  macs: () => 0,
};

export function defineOp(name: string, fields: Record<string, FieldKind>, rules: OpRules): OpDef {
  if (Object.keys(fields).length > RECORD_WORDS - 2) throw new Error(`op ${name} has more than ${RECORD_WORDS - 2} fields`);
  return { ...DEFAULTS, name, families: [name], fields, ...rules };
}

/** The operand whose weight scheme is the variant, if the op has one. */
export function schemed(op: OpDef): string | undefined {
  return Object.keys(op.weights).find((field) => op.weights[field] === "any");
}
