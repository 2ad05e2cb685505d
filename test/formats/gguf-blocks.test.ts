// Blocks of GGUF against PyPI gguf: sizes of every type, and the bits that blocks decode to.
import { readFileSync } from "node:fs";
import { inflateSync } from "node:zlib";
import { expect, test } from "vitest";
import { BLOCKS } from "../../runtime/formats/gguf/blocks/index.ts";
import { TENSOR_TYPES } from "../../runtime/formats/gguf/types.ts";

interface Golden {
  readonly sizes: Readonly<Record<string, readonly [id: number, elements: number, bytes: number]>>;
  readonly types: Readonly<Record<string, { readonly blocks: string; readonly values: string }>>;
}

const GOLDEN = JSON.parse(readFileSync(new URL("gguf-golden.json", import.meta.url), "utf8")) as Golden;
const unpacked = (text: string) => new Uint8Array(inflateSync(Buffer.from(text, "base64")));

/** Bits of values, every NaN as one. */
const bitsOf = (values: Float32Array) => new Uint32Array(values.map((v) => v).buffer).map((bits, i) => (Number.isNaN(values[i]) ? 0x7fc00000 : bits));

test("types have the sizes that PyPI gguf gives them", () => {
  const ours = [...TENSOR_TYPES].map(([id, { name, elements, bytes }]) => [name, [id, elements, bytes]]);
  // Of Q8_1, which no file holds, PyPI gguf still knows an older form; ggml's has two f16 scales.
  expect(Object.fromEntries(ours)).toEqual({ ...GOLDEN.sizes, Q8_1: [9, 32, 36] });
  for (const { name, elements, bytes } of BLOCKS.values()) expect([name, elements, bytes]).toEqual([name, ...GOLDEN.sizes[name].slice(1)]);
});

test.each([...BLOCKS.values()])("$name decodes to the bits of PyPI gguf", ({ name, elements, bytes, decode }) => {
  const blocks = unpacked(GOLDEN.types[name].blocks);
  const expected = new Uint32Array(unpacked(GOLDEN.types[name].values).buffer);
  const count = blocks.length / bytes;
  const out = new Float32Array(count * elements + 1).fill(7);
  decode(blocks, count, out);
  expect(bitsOf(out.subarray(0, -1))).toEqual(expected);
  expect(out.at(-1)).toBe(7);
});
