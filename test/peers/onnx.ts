// ONNX models of one node, written by hand: what onnxruntime is timed on. The format is Protocol Buffers; field numbers are those of onnx.proto.
// MatMulNBits is onnxruntime's own (domain com.microsoft): y f32 [m, n] = x f32 [m, k] · Wᵀ, W in blocks of int4 along k, stored + 8.

const VARINT = 0;
const BYTES = 2;
/** TensorProto.DataType. */
const TYPES = { f32: 1, u8: 2, i8: 3, i32: 6 } as const;
/** AttributeProto.AttributeType of a whole number. */
const INT = 2;

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

interface Operand {
  readonly name: string;
  readonly type: keyof typeof TYPES;
  readonly dims: readonly number[];
}

interface Constant extends Operand {
  readonly data: Bytes;
}

interface OneNode {
  readonly op: string;
  /** "" is ONNX's own. */
  readonly domain: string;
  readonly attributes: Readonly<Record<string, number>>;
  readonly input: Operand;
  readonly constants: readonly Constant[];
  readonly output: Operand;
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

/** ModelProto around a graph of one node. */
function modelOf({ op, domain, attributes, input, constants, output }: OneNode): Bytes {
  const node = message(1, [
    ...[input, ...constants].map(({ name }) => text(1, name)),
    text(2, output.name),
    text(4, op),
    ...Object.entries(attributes).map(([name, value]) => message(5, [text(1, name), number(3, value), number(20, INT)])),
    text(7, domain),
  ]);
  const graph = message(7, [node, text(2, op), ...constants.map(initializer), valueInfo(11, input), valueInfo(12, output)]);
  const opset = (name: string, version: number) => message(8, [text(1, name), number(2, version)]);
  return concat([number(1, 8), graph, opset("", 17), ...(domain ? [opset(domain, 1)] : [])]);
}

const raw = (values: Float32Array) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

/** W [n, k] of random int4 codes with the scale `scale`, activations rounded to int8 inside (accuracy level 4). */
export function matMulNBits(n: number, k: number, m: number, block: number, codes: Bytes, scale: number): Bytes {
  const blocks = Math.ceil(k / block);
  return modelOf({
    op: "MatMulNBits",
    domain: "com.microsoft",
    attributes: { K: k, N: n, bits: 4, block_size: block, accuracy_level: 4 },
    input: { name: "x", type: "f32", dims: [m, k] },
    constants: [
      { name: "w", type: "u8", dims: [n, blocks, block / 2], data: codes },
      { name: "scales", type: "f32", dims: [n * blocks], data: raw(new Float32Array(n * blocks).fill(scale)) },
    ],
    output: { name: "y", type: "f32", dims: [m, n] },
  });
}

/** y i32 [m, n] = x u8 [m, k] · W i8 [k, n]. */
export function matMulInteger(n: number, k: number, m: number, codes: Bytes): Bytes {
  return modelOf({
    op: "MatMulInteger",
    domain: "",
    attributes: {},
    input: { name: "x", type: "u8", dims: [m, k] },
    constants: [{ name: "w", type: "i8", dims: [k, n], data: codes }],
    output: { name: "y", type: "i32", dims: [m, n] },
  });
}
