// Builds without threads are made of the files of those with threads: the same code over memory that is not shared.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { buildOf, fileOf } from "../../targets/devices/wasm/files.ts";
import "../support/core.ts"; // lets Node 20 have relaxed SIMD

const bytesOf = (file: string) => new Uint8Array(readFileSync(`dist/core/${file}.wasm`));

test.each([
  ["scalar", "scalar"],
  ["simd", "simd-threads"],
  ["simd-threads", "simd-threads"],
  ["dot32", "dot32-threads"],
])("build %s is made of %s", (build, file) => expect(fileOf(build)).toBe(file));

test.each(["simd", "relaxed", "dot32"])("%s differs from its file in the memory that it imports, and takes one that is not shared", (build) => {
  const file = bytesOf(fileOf(build));
  const before = file.slice();
  const made = buildOf(build, file);
  expect(file, "the file's bytes stay").toEqual(before);
  const differing = [...made.keys()].filter((i) => made[i] !== file[i]);
  expect(differing).toHaveLength(1);
  expect([file[differing[0]], made[differing[0]]]).toEqual([3, 1]);
  const over = (bytes: Uint8Array<ArrayBuffer>, shared: boolean) =>
    new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory: new WebAssembly.Memory({ initial: 8, maximum: 65536, shared }) } });
  expect(() => over(made, false)).not.toThrow();
  expect(() => over(made, true)).toThrow(/memory/);
  expect(() => over(file, false)).toThrow(/memory/);
});

test("what has a file of its own stays as it is", () => {
  const bytes = new Uint8Array([1, 2, 3]);
  expect(buildOf("scalar", bytes)).toBe(bytes);
  expect(buildOf("simd-threads", bytes)).toBe(bytes);
});

test.each([
  ["nothing", new Uint8Array()],
  ["a text", new TextEncoder().encode("<!doctype html><title>Not found</title>")],
  ["a module without imports", new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])],
  ["a section whose length has no end", new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff])],
  ["many imports that are not there", new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 2, 4, 0xff, 0xff, 0xff, 0x7f])],
])("%s is no core", (_, bytes) => expect(() => buildOf("simd", bytes)).toThrowError(expect.objectContaining({ code: "device.unavailable" })));
