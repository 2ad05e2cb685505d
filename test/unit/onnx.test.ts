// The ONNX models that peers are timed on, read back by a reader of plain Protocol Buffers.
import { expect, test } from "vitest";
import { matMulInteger, matMulNBits } from "../peers/onnx.ts";

type Message = { readonly field: number; readonly value: number | Uint8Array }[];

function parse(bytes: Uint8Array): Message {
  const out: Message = [];
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[at++];
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    if (key % 8 === 0) out.push({ field: key >> 3, value: varint() });
    else {
      expect(key % 8).toBe(2);
      const length = varint();
      expect(at + length).toBeLessThanOrEqual(bytes.length);
      out.push({ field: key >> 3, value: bytes.subarray(at, at + length) });
      at += length;
    }
  }
  return out;
}

const all = (m: Message, field: number) => m.filter((f) => f.field === field).map((f) => f.value);
const inner = (m: Message, field: number) => all(m, field).map((v) => parse(v as Uint8Array));
const texts = (m: Message, field: number) => all(m, field).map((v) => new TextDecoder().decode(v as Uint8Array));

function graphOf(model: Uint8Array) {
  const top = parse(model);
  const [graph] = inner(top, 7);
  const [node] = inner(graph, 1);
  const operand = (m: Message) => {
    const [tensor] = inner(inner(m, 2)[0], 1);
    return { name: texts(m, 1)[0], type: all(tensor, 1)[0], dims: inner(inner(tensor, 2)[0], 1).flatMap((d) => all(d, 1)) };
  };
  return {
    opsets: inner(top, 8).map((o) => [texts(o, 1)[0], all(o, 2)[0]]),
    node: { inputs: texts(node, 1), outputs: texts(node, 2), op: texts(node, 4)[0], domain: texts(node, 7)[0] },
    attributes: Object.fromEntries(inner(node, 5).map((a) => [texts(a, 1)[0], all(a, 3)[0]])),
    constants: inner(graph, 5).map((t) => ({ name: texts(t, 8)[0], type: all(t, 2)[0], dims: all(t, 1), data: all(t, 9)[0] as Uint8Array })),
    input: operand(inner(graph, 11)[0]),
    output: operand(inner(graph, 12)[0]),
  };
}

test("MatMulNBits: int4 in blocks, scales as f32, accuracy level 4", () => {
  const codes = Uint8Array.from({ length: 300 * 32 }, (_, i) => i & 255);
  const g = graphOf(matMulNBits(300, 64, 2, 32, codes, 0.5));
  expect(g.opsets).toEqual([
    ["", 17],
    ["com.microsoft", 1],
  ]);
  expect(g.node).toEqual({ inputs: ["x", "w", "scales"], outputs: ["y"], op: "MatMulNBits", domain: "com.microsoft" });
  expect(g.attributes).toEqual({ K: 64, N: 300, bits: 4, block_size: 32, accuracy_level: 4 });
  expect(g.input).toEqual({ name: "x", type: 1, dims: [2, 64] });
  expect(g.output).toEqual({ name: "y", type: 1, dims: [2, 300] });
  const [w, scales] = g.constants;
  expect({ ...w, data: Uint8Array.from(w.data) }).toEqual({ name: "w", type: 2, dims: [300, 2, 16], data: codes });
  expect(scales).toMatchObject({ name: "scales", type: 1, dims: [600] });
  expect(new Float32Array(scales.data.slice().buffer)).toEqual(new Float32Array(600).fill(0.5));
});

test("MatMulInteger: u8 times i8", () => {
  const g = graphOf(
    matMulInteger(
      5,
      3,
      1,
      Uint8Array.from({ length: 15 }, (_, i) => 255 - i),
    ),
  );
  expect(g.opsets).toEqual([
    ["", 17],
    ["com.microsoft", 1],
  ]);
  expect(g.node).toEqual({ inputs: ["x", "w"], outputs: ["y"], op: "MatMulInteger", domain: "" });
  expect([g.input, g.output]).toEqual([
    { name: "x", type: 2, dims: [1, 3] },
    { name: "y", type: 6, dims: [1, 5] },
  ]);
  expect(g.constants[0]).toMatchObject({ name: "w", type: 3, dims: [3, 5] });
});
