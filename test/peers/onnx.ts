// ONNX models written by hand: what onnxruntime is timed on. The format is Protocol Buffers; field numbers are those of onnx.proto.
// MatMulNBits is onnxruntime's own (domain com.microsoft): y f32 [m, n] = x f32 [m, k] · Wᵀ, W in blocks of int4 along k, stored + 8.

const VARINT = 0;
const BYTES = 2;
const FIXED32 = 5;
/** TensorProto.DataType. */
const TYPES = { f32: 1, u8: 2, i8: 3, i32: 6, i64: 7 } as const;
/** AttributeProto.AttributeType. */
const [FLOAT, INT, GRAPH, INTS] = [1, 2, 5, 7];

type Bytes = Uint8Array;

function varint(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) out.push((rest % 128) + 128);
  return [...out, rest];
}

function concat(parts: readonly Bytes[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const p of parts) {
    whole.set(p, at);
    at += p.length;
  }
  return whole;
}

const number = (field: number, value: number): Bytes => Uint8Array.from([...varint(8 * field + VARINT), ...varint(value)]);
const bytes = (field: number, value: Bytes): Bytes => concat([Uint8Array.from([...varint(8 * field + BYTES), ...varint(value.length)]), value]);
const text = (field: number, value: string): Bytes => bytes(field, new TextEncoder().encode(value));
const message = (field: number, parts: readonly Bytes[]): Bytes => bytes(field, concat(parts));

export interface Operand {
  readonly name: string;
  readonly type: keyof typeof TYPES;
  readonly dims: readonly number[];
}

export interface Constant extends Operand {
  readonly data: Bytes;
}

/** A whole number, several of them, a float, or the body of a loop. */
export type Attribute = number | readonly number[] | { readonly float: number } | { readonly graph: OnnxGraph };

export interface OnnxNode {
  readonly op: string;
  /** "", as by itself, is ONNX's own. */
  readonly domain?: string;
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** Names; "" is an operand that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly constants: readonly Constant[];
  readonly inputs: readonly Operand[];
  readonly outputs: readonly Operand[];
}

/** ValueInfoProto. */
function valueInfo(field: number, { name, type, dims }: Operand): Bytes {
  const shape = message(
    2,
    dims.map((d) => message(1, [number(1, d)])),
  );
  return message(field, [text(1, name), message(2, [message(1, [number(1, TYPES[type]), shape])])]);
}

/** TensorProto. */
function initializer({ name, type, dims, data }: Constant): Bytes {
  return message(5, [...dims.map((d) => number(1, d)), number(2, TYPES[type]), text(8, name), bytes(9, data)]);
}

const float = (field: number, value: number): Bytes => concat([Uint8Array.of(8 * field + FIXED32), new Uint8Array(Float32Array.of(value).buffer)]);

/** AttributeProto. */
function attribute(name: string, value: Attribute): Bytes {
  const of = (parts: Bytes[], type: number) => message(5, [text(1, name), ...parts, number(20, type)]);
  if (typeof value === "number") return of([number(3, value)], INT);
  if ("float" in value) return of([float(2, value.float)], FLOAT);
  if ("graph" in value) return of([graphProto(6, value.graph)], GRAPH);
  return of(
    value.map((v) => number(8, v)),
    INTS,
  );
}

/** NodeProto. */
function nodeProto({ op, domain = "", attributes = {}, inputs, outputs }: OnnxNode): Bytes {
  const named = Object.entries(attributes).map(([name, value]) => attribute(name, value));
  return message(1, [...inputs.map((name) => text(1, name)), ...outputs.map((name) => text(2, name)), text(4, op), ...named, text(7, domain)]);
}

/** GraphProto. */
function graphProto(field: number, { nodes, constants, inputs, outputs }: OnnxGraph): Bytes {
  const values = [...inputs.map((o) => valueInfo(11, o)), ...outputs.map((o) => valueInfo(12, o))];
  return message(field, [...nodes.map(nodeProto), text(2, "graph"), ...constants.map(initializer), ...values]);
}

const CONTRIB = "com.microsoft";

/** ModelProto. */
export function onnxModel(graph: OnnxGraph): Bytes {
  const opset = (name: string, version: number) => message(8, [text(1, name), number(2, version)]);
  return concat([number(1, 8), graphProto(7, graph), opset("", 17), opset(CONTRIB, 1)]);
}

/** A model of one node, whose operands are x and the constants. */
function modelOf(node: Pick<OnnxNode, "op" | "domain" | "attributes">, input: Operand, constants: readonly Constant[], output: Operand): Bytes {
  const names = [input, ...constants].map(({ name }) => name);
  return onnxModel({ nodes: [{ ...node, inputs: names, outputs: [output.name] }], constants, inputs: [input], outputs: [output] });
}

const raw = (values: Float32Array) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

/** W [n, k] of random int4 codes with the scale `scale`, activations rounded to int8 inside (accuracy level 4). */
export function matMulNBits(n: number, k: number, m: number, block: number, codes: Bytes, scale: number): Bytes {
  const blocks = Math.ceil(k / block);
  return modelOf(
    { op: "MatMulNBits", domain: CONTRIB, attributes: { K: k, N: n, bits: 4, block_size: block, accuracy_level: 4 } },
    { name: "x", type: "f32", dims: [m, k] },
    [
      { name: "w", type: "u8", dims: [n, blocks, block / 2], data: codes },
      { name: "scales", type: "f32", dims: [n * blocks], data: raw(new Float32Array(n * blocks).fill(scale)) },
    ],
    { name: "y", type: "f32", dims: [m, n] },
  );
}

/** y i32 [m, n] = x u8 [m, k] · W i8 [k, n]. */
export function matMulInteger(n: number, k: number, m: number, codes: Bytes): Bytes {
  const w: Constant = { name: "w", type: "i8", dims: [k, n], data: codes };
  return modelOf({ op: "MatMulInteger" }, { name: "x", type: "u8", dims: [m, k] }, [w], { name: "y", type: "i32", dims: [m, n] });
}
