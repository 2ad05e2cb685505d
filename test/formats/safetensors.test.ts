// Safetensors: round trips, rows as f32, folders and shards.
import fc from "fast-check";
import { expect, test } from "vitest";
import { openWeights, readConfig, readTokenizer } from "../../runtime/formats/safetensors/folder.ts";
import { DTYPE_BITS, type Dtype } from "../../runtime/formats/safetensors/header.ts";
import { openSafetensors } from "../../runtime/formats/safetensors/reader.ts";
import { createSafetensors, layoutSafetensors } from "../../runtime/formats/safetensors/writer.ts";
import { memorySource } from "../../runtime/io/source.ts";
import { f32ArrayToF16 } from "../../runtime/num/half.ts";
import { memoryFolder, memorySink } from "../support/memory.ts";
import { buildSafetensors, contentOf } from "./packs.ts";

const NAME = fc.string({ unit: "binary", minLength: 0, maxLength: 40 }).filter((name) => name !== "__metadata__");

const FILE = fc.record({
  metadata: fc.dictionary(NAME, fc.string({ unit: "binary" }), { maxKeys: 5 }),
  tensors: fc.uniqueArray(
    fc.record({
      name: fc.oneof(NAME, fc.constantFrom("__proto__", "constructor", "toString")),
      dtype: fc.constantFrom(...(Object.keys(DTYPE_BITS) as Dtype[]).filter((dtype) => DTYPE_BITS[dtype] >= 8)),
      shape: fc.array(fc.nat(4), { maxLength: 5 }),
    }),
    { selector: (tensor) => tensor.name, maxLength: 8 },
  ),
});

test("what is written is read back, byte for byte", async () => {
  await fc.assert(
    fc.asyncProperty(FILE, fc.integer({ min: 1, max: 50 }), async ({ metadata, tensors }, chunk) => {
      const sink = memorySink();
      const layout = layoutSafetensors(tensors, new Map(Object.entries(metadata)));
      const writer = await createSafetensors(sink, layout);
      const contents = layout.tensors.map(({ begin, end }, seed) => contentOf(end - begin, seed));
      for (const [i, content] of contents.entries()) for (let at = 0; at < content.length; at += chunk) await writer.write(tensors[i].name, content.subarray(at, at + chunk));
      await writer.finish();
      const file = await openSafetensors(memorySource(sink.bytes() as Uint8Array));
      expect(file.header.metadata).toEqual(new Map(Object.entries(metadata)));
      expect([...file.tensors.values()]).toMatchObject(tensors.map((t, i) => ({ ...t, bytes: contents[i].length })));
      for (const [i, content] of contents.entries()) {
        const bytes = new Uint8Array(content.length);
        await file.readBytes(tensors[i].name, 0, bytes);
        expect(bytes).toEqual(content);
      }
    }),
  );
});

const VALUES = Float32Array.of(0, -0.5, 1, 2, -3, 4, 65504, 2 ** -24, 1.5, -2.25, 10, 11);

function stored(dtype: "F32" | "F16" | "BF16" | "F64"): Uint8Array {
  if (dtype === "F32") return new Uint8Array(VALUES.slice().buffer);
  if (dtype === "F64") return new Uint8Array(Float64Array.from(VALUES).buffer);
  const halves = new Uint16Array(VALUES.length);
  if (dtype === "F16") f32ArrayToF16(VALUES, halves);
  else for (const [i, bits] of new Uint32Array(VALUES.slice().buffer).entries()) halves[i] = bits >>> 16;
  return new Uint8Array(halves.buffer);
}

test.each(["F32", "F16", "BF16", "F64"] as const)("%s rows are read as f32", async (dtype) => {
  const first = { name: "x", dtype: "U8", shape: [3], data: new Uint8Array(3) } as const;
  const file = await openSafetensors(memorySource(buildSafetensors([first, { name: "w", dtype, shape: [4, 3], data: stored(dtype) }])));
  const expected = dtype === "BF16" ? VALUES.map((v) => (v === 65504 ? 65280 : v)) : VALUES;
  const all = new Float32Array(12);
  await file.readF32("w", 0, 4, all);
  expect(all).toEqual(expected);
  const rows = new Float32Array(8).fill(7);
  await file.readF32("w", 1, 2, rows);
  expect([...rows]).toEqual([...expected.subarray(3, 9), 7, 7]);
});

test("a scalar is one row of one; rows and bytes outside are refused; a type that is no weight is named", async () => {
  const file = await openSafetensors(
    memorySource(
      buildSafetensors([
        { name: "s", dtype: "F32", shape: [], data: new Uint8Array(Float32Array.of(2.5).buffer) },
        { name: "ids", dtype: "I64", shape: [2], data: new Uint8Array(16) },
      ]),
    ),
  );
  const out = new Float32Array(2);
  await file.readF32("s", 0, 1, out);
  expect(out[0]).toBe(2.5);
  await expect(file.readF32("s", 1, 1, out)).rejects.toMatchObject({ code: "usage", place: { what: "s" } });
  await expect(file.readBytes("s", 2, new Uint8Array(3))).rejects.toMatchObject({ code: "usage" });
  await expect(file.readF32("ids", 0, 2, new Float32Array(1))).rejects.toMatchObject({ code: "usage" });
  await expect(file.readF32("nothing", 0, 1, out)).rejects.toMatchObject({ code: "model.tensor", place: { what: "nothing" } });
  await expect(file.readF32("ids", 0, 2, out)).rejects.toMatchObject({ code: "format.dtype", place: { what: "ids" } });
  await expect(file.readF32("ids", 0, 2, out)).rejects.toThrow(/tensor ids is I64/);
});

test("the writer refuses wrong order, too much, too little", async () => {
  const layout = layoutSafetensors(
    [
      { name: "a", dtype: "U8", shape: [2] },
      { name: "b", dtype: "U8", shape: [2] },
    ],
    new Map(),
  );
  const writer = await createSafetensors(memorySink(), layout);
  await expect(writer.write("b", new Uint8Array(1))).rejects.toMatchObject({ code: "usage", place: { what: "b" } });
  await expect(writer.write("a", new Uint8Array(3))).rejects.toMatchObject({ code: "usage", place: { what: "a" } });
  await expect(writer.finish()).rejects.toMatchObject({ code: "usage", place: { what: "a" } });
});

test("a folder: shards are joined, a single file is preferred, missing files are named", async () => {
  const one = buildSafetensors([{ name: "a", dtype: "F32", shape: [1], data: new Uint8Array(Float32Array.of(1).buffer) }]);
  const two = buildSafetensors([{ name: "b", dtype: "F32", shape: [1], data: new Uint8Array(Float32Array.of(2).buffer) }]);
  const index = new TextEncoder().encode(JSON.stringify({ metadata: { total_size: 8, total_parameters: 2 }, weight_map: { a: "m-1.safetensors", b: "m-2.safetensors" } }));
  const shards: [string, Uint8Array][] = [
    ["m-1.safetensors", one],
    ["m-2.safetensors", two],
    ["model.safetensors.index.json", index],
  ];
  const store = await openWeights(memoryFolder(new Map(shards)));
  expect([...store.tensors.keys()]).toEqual(["a", "b"]);
  const out = new Float32Array(1);
  await store.readF32("b", 0, 1, out);
  expect(out[0]).toBe(2);
  await expect(store.readF32("c", 0, 1, out)).rejects.toMatchObject({ code: "model.tensor", place: { what: "c" } });
  const single = await openWeights(memoryFolder(new Map([...shards, ["model.safetensors", one]])));
  expect([...single.tensors.keys()]).toEqual(["a"]);
  const empty = memoryFolder(new Map());
  await expect(openWeights(empty)).rejects.toMatchObject({ code: "file.missing", place: { what: "model.safetensors" } });
  await expect(readConfig(empty)).rejects.toMatchObject({ code: "file.missing", place: { what: "config.json" } });
  await expect(readTokenizer(empty)).rejects.toMatchObject({ code: "file.missing", place: { what: "tokenizer.json" } });
});

test("config.json comes as checked text", async () => {
  const folder = (text: string) => memoryFolder(new Map([["config.json", new TextEncoder().encode(text)]]));
  expect(await readConfig(folder('{"time_step_limit":[0.0,Infinity]}'))).toBe('{"time_step_limit":[0.0,Infinity]}');
  await expect(readConfig(folder('{"a":1,"a":2}'))).rejects.toMatchObject({ code: "format.duplicate", place: { what: "a" } });
  await expect(readConfig(folder(" ".repeat(4_000_001)))).rejects.toMatchObject({ code: "format.limit", place: { what: "config.json" } });
});
