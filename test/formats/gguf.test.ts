// GGUF: round trips, files of PyPI gguf, rows as f32, metadata getters, parts, and files much larger than what is read of them.
import { readFileSync } from "node:fs";
import { inflateSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BLOCKS } from "../../runtime/formats/gguf/blocks/index.ts";
import type { GgufList } from "../../runtime/formats/gguf/lists.ts";
import { openGguf } from "../../runtime/formats/gguf/open.ts";
import type { GgufFile } from "../../runtime/formats/gguf/reader.ts";
import { type GgufType, TENSOR_TYPES, VALUE_TYPES } from "../../runtime/formats/gguf/types.ts";
import { memorySource } from "../../runtime/io/source.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { createRandom } from "../../runtime/num/random.ts";
import { GGUF_MODELS } from "../attacks/gguf-model.ts";
import { meteredSource } from "../attacks/meter.ts";
import { buildGguf, f32Tensor, field, type GgufField, type GgufSpec, list, nested, randomTensor } from "../support/gguf.ts";
import { memoryFolder, sparseSource } from "../support/memory.ts";
import { contentOf } from "./packs.ts";

const FILES = (JSON.parse(readFileSync(new URL("gguf-golden.json", import.meta.url), "utf8")) as { files: Readonly<Record<string, string>> }).files;
const unpacked = (text: string) => new Uint8Array(inflateSync(Buffer.from(text, "base64")));
const open = (spec: GgufSpec) => openGguf(memorySource(buildGguf(spec), "model.gguf"));

test.each([...BLOCKS.values()])("rows of $name are read in any pieces", async ({ name, elements, bytes, decode }) => {
  const k = 2 * elements;
  const rows = Math.ceil(400_000 / (2 * bytes));
  const tensor = randomTensor("w", name, [rows, k], createRandom(5));
  const file = await open({ tensors: [f32Tensor("first", [3], [1, 2, 3]), tensor] });
  const all = new Float32Array(rows * k);
  decode(tensor.data, all.length / elements, all);
  const out = new Float32Array(rows * k);
  await file.readF32("w", 0, rows, out);
  expect(Buffer.compare(Buffer.from(out.buffer), Buffer.from(all.buffer))).toBe(0);
  const some = new Float32Array(2 * k + 1).fill(9);
  await file.readF32("w", 3, 2, some);
  expect(some.subarray(0, -1)).toEqual(all.subarray(3 * k, 5 * k));
  expect(some.at(-1)).toBe(9);
});

test("the file counts dimensions from the inside, we from the outside", async () => {
  const file = await open({ tensors: [randomTensor("w", "Q4_0", [3, 2, 64], createRandom(1)), f32Tensor("s", [], [2.5]), f32Tensor("none", [0, 4], [])] });
  expect([...file.tensors.values()]).toMatchObject([
    { name: "w", dtype: "Q4_0", shape: [3, 2, 64], bytes: 3 * 2 * 2 * 18 },
    { name: "s", dtype: "F32", shape: [], bytes: 4 },
    { name: "none", dtype: "F32", shape: [0, 4], bytes: 0 },
  ]);
  const out = new Float32Array(1);
  await file.readF32("s", 0, 1, out);
  expect(out[0]).toBe(2.5);
  await file.readF32("none", 0, 0, out);
});

test("one-dimensional tensors of blocks are read at any element", async () => {
  const tensor = randomTensor("w", "Q5_1", [96], createRandom(2));
  const file = await open({ tensors: [tensor] });
  const all = new Float32Array(96);
  BLOCKS.get("Q5_1")?.decode(tensor.data, 3, all);
  const out = new Float32Array(40);
  await file.readF32("w", 30, 40, out);
  expect(out).toEqual(all.subarray(30, 70));
});

test("what is outside, too small, absent or no weight is refused", async () => {
  const file = await open({ tensors: [f32Tensor("w", [2, 2], [1, 2, 3, 4]), { name: "ids", dtype: "I32", shape: [2], data: new Uint8Array(8) }] });
  const out = new Float32Array(4);
  await expect(file.readF32("w", 1, 2, out)).rejects.toMatchObject({ code: "usage", place: { what: "w" } });
  await expect(file.readF32("w", 0, 2, new Float32Array(3))).rejects.toMatchObject({ code: "usage" });
  await expect(file.readBytes("w", 15, new Uint8Array(2))).rejects.toMatchObject({ code: "usage" });
  await expect(file.readBytes("v", 0, new Uint8Array(2))).rejects.toMatchObject({ code: "model.tensor", place: { what: "v" } });
  await expect(file.readF32("ids", 0, 2, out)).rejects.toMatchObject({ code: "format.dtype", place: { what: "ids" } });
});

test("a file of 10 GB opens by its front", async () => {
  const shape = [1 << 16, 40960];
  const front = buildGguf({ metadata: { "general.architecture": field("string", "llama") }, tensors: [{ name: "w", dtype: "F32", shape, data: new Uint8Array(0) }] });
  const meter = { allocated: 0, read: 0 };
  const file = await openGguf(meteredSource(sparseSource(front, front.length + 2 ** 18 * 40960, "large.gguf"), meter));
  expect(meter.read).toBeLessThanOrEqual(1 << 18);
  const row = new Float32Array(40960).fill(1);
  await file.readF32("w", 65535, 1, row);
  expect(row.every((v) => v === 0)).toBe(true);
});

describe("metadata", () => {
  const EVERY: Readonly<Record<string, GgufField>> = {
    u8: field("u8", 255),
    i8: field("i8", -128),
    u16: field("u16", 65535),
    i16: field("i16", -32768),
    u32: field("u32", 0xffffffff),
    i32: field("i32", -(2 ** 31)),
    f32: field("f32", 1.5),
    bool: field("bool", true),
    string: field("string", "tést"),
    u64: field("u64", 2n ** 64n - 1n),
    i64: field("i64", -(2n ** 63n)),
    f64: field("f64", 0.1),
    array: list("string", ["", "a", "漢"]),
  };

  test("every type, exact", async () => {
    const { metadata } = await open({ metadata: EVERY });
    const values = Object.fromEntries([...metadata.keys()].map((key) => [key, metadata.get(key)?.value]));
    const { array, ...scalars } = values;
    const whole = { u8: 255, i8: -128, u16: 65535, i16: -32768, u32: 0xffffffff, i32: -(2 ** 31), u64: 2n ** 64n - 1n, i64: -(2n ** 63n) };
    expect(scalars).toEqual({ ...whole, f32: 1.5, bool: true, string: "tést", f64: 0.1 });
    expect(array).toMatchObject({ type: "string", length: 3 });
    for (const key of metadata.keys()) expect(metadata.get(key)?.type).toBe(key);
    expect(metadata.size).toBe(VALUE_TYPES.length);
  });

  test("getters give what is there, or say what is wrong with it", async () => {
    const { metadata } = await open({
      metadata: { ...EVERY, nan: field("f32", Number.NaN), big: list("u64", [1n, 2n ** 60n]), reals: list("f32", [0.5, Number.NaN]), flags: list("bool", [true, false]) },
    });
    expect(metadata.text("string")).toBe("tést");
    expect(metadata.text("none", "x")).toBe("x");
    expect(metadata.whole("u16", 65535)).toBe(65535);
    expect(metadata.whole("i8", 10, undefined, -128)).toBe(-128);
    expect(metadata.whole("none", 10, 3)).toBe(3);
    expect(metadata.real("f64")).toBe(0.1);
    expect(metadata.flag("bool")).toBe(true);
    expect(metadata.flag("none", false)).toBe(false);
    expect(metadata.list("array", "text")).toEqual(["", "a", "漢"]);
    expect(metadata.list("flags", "flag", 2)).toEqual([true, false]);
    const wrong: [string, () => unknown][] = [
      ["none", () => metadata.text("none")],
      ["u8", () => metadata.text("u8")],
      ["u8", () => metadata.whole("u8", 254)],
      ["i8", () => metadata.whole("i8", 254)],
      ["u64", () => metadata.whole("u64", Number.POSITIVE_INFINITY)],
      ["f32", () => metadata.whole("f32", 254)],
      ["bool", () => metadata.whole("bool", 254)],
      ["nan", () => metadata.real("nan")],
      ["f32", () => metadata.real("f32", undefined, 1.5)],
      ["u8", () => metadata.real("u8")],
      ["u8", () => metadata.flag("u8")],
      ["array", () => metadata.text("array")],
      ["string", () => metadata.list("string", "text")],
      ["array", () => metadata.list("array", "whole")],
      ["array", () => metadata.list("array", "text", 4)],
      ["big", () => metadata.list("big", "whole")],
      ["reals", () => metadata.list("reals", "real")],
    ];
    for (const [what, get] of wrong) expect(get).toThrow(expect.objectContaining({ code: "model.config", place: { what } }));
    expect(() => metadata.whole("u8", 254)).toThrow(/model\.gguf: u8 is 255, a whole number from 1 to 254 was expected/);
  });

  test("a text that is not UTF-8 is refused when it is asked for", async () => {
    const { metadata } = await open({ metadata: { a: list("string", ["x", Uint8Array.of(0xff)]) } });
    const texts = metadata.get("a")?.value as GgufList;
    expect(texts.at(0)).toBe("x");
    expect(() => texts.at(1)).toThrow(expect.objectContaining({ code: "format.header" }));
  });

  test("a vocabulary larger than a chunk", async () => {
    const tokens = Array.from({ length: 50_000 }, (_, i) => `token ${i}`);
    const scores = tokens.map((_, i) => -i);
    const { metadata } = await open({ metadata: { before: field("u8", 1), tokens: list("string", tokens), scores: list("f32", scores), after: field("u8", 2) } });
    expect(metadata.list("tokens", "text")).toEqual(tokens);
    expect(metadata.list("scores", "real")).toEqual(scores);
    expect(metadata.whole("after", 9)).toBe(2);
  });
});

const INTEGER = { u8: [0, 255], i8: [-128, 127], u16: [0, 65535], i16: [-32768, 32767], u32: [0, 2 ** 32 - 1], i32: [-(2 ** 31), 2 ** 31 - 1] } as const;

type Pair = { readonly type: Exclude<GgufType, "array">; readonly value: number | bigint | boolean | string };

const SCALAR: fc.Arbitrary<Pair> = fc.oneof(
  ...Object.entries(INTEGER).map(([type, [min, max]]) => fc.integer({ min, max }).map((value) => ({ type: type as keyof typeof INTEGER, value }))),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => ({ type: "u64" as const, value })),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => ({ type: "i64" as const, value })),
  fc.float().map((value) => ({ type: "f32" as const, value })),
  fc.double().map((value) => ({ type: "f64" as const, value })),
  fc.boolean().map((value) => ({ type: "bool" as const, value })),
  fc.string({ unit: "binary" }).map((value) => ({ type: "string" as const, value })),
);

type Tree = { readonly field: GgufField; readonly plain: unknown };

const small = (v: Pair["value"]) => (typeof v === "bigint" && Number.isSafeInteger(Number(v)) ? Number(v) : v);
const VALUE: fc.Arbitrary<Tree> = SCALAR.map(({ type, value }) => ({ field: field(type, value), plain: small(value) }));
const LIST: fc.Arbitrary<Tree> = fc.tuple(SCALAR, fc.nat(5)).map(([{ type, value }, n]) => ({ field: list(type, Array(n).fill(value)), plain: Array(n).fill(small(value)) }));
const DEEP: fc.Arbitrary<Tree> = fc.array(LIST, { maxLength: 3 }).map((lists) => ({ field: nested(lists.map((l) => l.field)), plain: lists.map((l) => l.plain) }));
const NAME = fc.oneof(fc.string({ unit: "binary", minLength: 1, maxLength: 40 }), fc.constantFrom("__proto__", "constructor", "version")).filter((s) => !s.includes("\0"));

const SPEC = fc.record({
  version: fc.constantFrom(2, 3),
  alignment: fc.constantFrom(1, 8, 32, 4096),
  padEnd: fc.boolean(),
  metadata: fc.uniqueArray(fc.tuple(NAME, fc.oneof(VALUE, LIST, DEEP)), { selector: ([key]) => key, maxLength: 6 }),
  tensors: fc.uniqueArray(fc.record({ name: NAME, id: fc.constantFrom(...TENSOR_TYPES.keys()), outer: fc.array(fc.nat(3), { maxLength: 3 }), blocks: fc.nat(2) }), {
    selector: ({ name }) => name,
    maxLength: 6,
  }),
});

const plain = (value: unknown): unknown => (typeof value === "object" ? Array.from({ length: (value as GgufList).length }, (_, i) => plain((value as GgufList).at(i))) : value);

test("what is written is read back, byte for byte", async () => {
  await fc.assert(
    fc.asyncProperty(SPEC, async ({ version, alignment, padEnd, metadata, tensors }) => {
      const specs = tensors.map(({ name, id, outer, blocks }, seed) => {
        const { name: dtype, elements, bytes } = TENSOR_TYPES.get(id) as { name: string; elements: number; bytes: number };
        const shape = [...outer, blocks * elements];
        return {
          name,
          dtype,
          shape,
          data: contentOf(
            outer.reduce((product, d) => product * d, blocks * bytes),
            seed,
          ),
        };
      });
      const fields = metadata.map(([key, tree]): [string, GgufField] => [key, tree.field]);
      if (!fields.some(([key]) => key === "general.alignment")) fields.push(["general.alignment", field("u32", alignment)]);
      const file: GgufFile = await open({ version, alignment, padEnd, metadata: fields, tensors: specs });
      expect(file.version).toBe(version);
      for (const [key, tree] of metadata) expect(plain(file.metadata.get(key)?.value)).toEqual(tree.plain);
      expect([...file.tensors.values()]).toMatchObject(specs.map(({ name, dtype, shape, data }) => ({ name, dtype, shape, bytes: data.length })));
      for (const { name, data } of specs) {
        const bytes = new Uint8Array(data.length);
        await file.readBytes(name, 0, bytes);
        expect(bytes).toEqual(data);
      }
    }),
    { numRuns: 300 },
  );
});

test.each(["whole.gguf", "parts-00001-of-00003.gguf"])("a model written by PyPI gguf: %s", async (file) => {
  const folder = memoryFolder(new Map(Object.entries(FILES).map(([name, bytes]) => [name, unpacked(bytes)])));
  const model = await openGguf({ folder, file });
  const { metadata } = model;
  expect(metadata.text("general.architecture")).toBe("llama");
  expect(metadata.whole("llama.block_count", 9)).toBe(2);
  expect(metadata.real("llama.attention.layer_norm_rms_epsilon")).toBe(0.5);
  expect(metadata.flag("llama.attention.causal")).toBe(true);
  expect(metadata.list("tokenizer.ggml.tokens", "text")).toEqual(["<s>", "ä", "漢字"]);
  expect(metadata.list("tokenizer.ggml.scores", "real")).toEqual([0, -1.5, 2]);
  expect(metadata.list("tokenizer.ggml.token_type", "whole")).toEqual([3, 1, 1]);
  expect([...model.tensors.values()].map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual([
    ["a.weight", "F32", [2, 3]],
    ["b.weight", "F16", [4, 2]],
    ["c.weight", "Q8_0", [2, 64]],
  ]);
  const read = async (name: string, row: number, rows: number, k: number) => {
    const out = new Float32Array(rows * k);
    await model.readF32(name, row, rows, out);
    return [...out];
  };
  expect(await read("a.weight", 1, 1, 3)).toEqual([3, 4, 5]);
  expect(await read("b.weight", 2, 2, 2)).toEqual([4, 5, 6, 7]);
  for (const [i, v] of (await read("c.weight", 1, 1, 64)).entries()) expect(Math.abs(v - 64 - i)).toBeLessThan(0.6);
});

test("parts are joined, whichever is given, and closed together", async () => {
  const part = (no: number, ...names: string[]) =>
    buildGguf({
      metadata: { "split.no": field("u16", no), "split.count": field("u16", 3), "split.tensors.count": field("i32", 3), ...(no === 0 ? { name: field("string", "m") } : {}) },
      tensors: names.map((name) => f32Tensor(name, [1], [names.length + no])),
    });
  const files = new Map([
    ["m-00001-of-00003.gguf", part(0)],
    ["m-00002-of-00003.gguf", part(1, "a", "b")],
    ["m-00003-of-00003.gguf", part(2, "c")],
    ["whole.gguf", buildGguf({ tensors: [f32Tensor("x", [1], [1])] })],
  ]);
  const folder = memoryFolder(files);
  let closed = 0;
  const counting = { ...folder, open: async (file: string) => ({ ...(await folder.open(file)), close: async () => void closed++ }) };
  for (const file of ["m-00001-of-00003.gguf", "m-00003-of-00003.gguf"]) {
    const model = await openGguf({ folder: counting, file });
    expect([...model.tensors.keys()]).toEqual(["a", "b", "c"]);
    expect(model.metadata.text("name")).toBe("m");
    const out = new Float32Array(1);
    await model.readF32("b", 0, 1, out);
    expect(out[0]).toBe(3);
    await expect(model.readF32("d", 0, 1, out)).rejects.toMatchObject({ code: "model.tensor", place: { what: "d" } });
    closed = 0;
    await model.close();
    expect(closed).toBe(3);
  }
  expect([...(await openGguf({ folder, file: "whole.gguf" })).tensors.keys()]).toEqual(["x"]);
  await expect(openGguf({ folder, file: "none.gguf" })).rejects.toMatchObject({ code: "file.missing", place: { what: "none.gguf" } });
  files.delete("m-00002-of-00003.gguf");
  closed = 0;
  await expect(openGguf({ folder: counting, file: "m-00003-of-00003.gguf" })).rejects.toMatchObject({ code: "file.missing", place: { what: "m-00002-of-00003.gguf" } });
  expect(closed).toBe(2);
});

test("parts of more tensors than a model may have are refused", async () => {
  const part = (no: number, count: number) => {
    const tensors = Array.from({ length: count }, (_, i) => f32Tensor(`${no}.${i}`, [0], []));
    return buildGguf({ metadata: { "split.no": field("u16", no), "split.count": field("u16", 3) }, tensors });
  };
  const { tensors, modelTensors } = LIMITS;
  const counts = [tensors, tensors, modelTensors + 1 - 2 * tensors];
  const folder = memoryFolder(new Map(counts.map((count, no) => [`m-0000${no + 1}-of-00003.gguf`, part(no, count)])));
  await expect(openGguf({ folder, file: "m-00001-of-00003.gguf" })).rejects.toMatchObject({ code: "format.limit", place: { what: "m-00003-of-00003.gguf" } });
});

test.each(Object.entries(GGUF_MODELS))("as a file, this one is sound: %s", async (_, { make }) => {
  const file = await openGguf(memorySource((await make()) as Uint8Array));
  for (const key of file.metadata.keys()) expect(file.metadata.get(key)).toBeDefined();
  await file.close();
});
