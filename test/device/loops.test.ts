// The inner loops of the products, as compiled: their counts are reviewed text, test/device/loops.golden.txt. SKINT_UPDATE=1 rewrites it.
import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { count, countBuilds, countLoops, innermost, text } from "../../tools/dev/loops.ts";

const GOLDEN = "test/device/loops.golden.txt";
const HEAD = `Vector operations of the inner loops of the products (tools/dev/loops.ts), each kernel as it is first built: for 16 multiply-adds, and as counted.\n\n`;

test("inner loops are as reviewed", () => {
  const now = `${HEAD}${text(countBuilds())}\n`;
  if (process.env.SKINT_UPDATE) writeFileSync(GOLDEN, now);
  expect(now, "if the kernel is the better for it: SKINT_UPDATE=1 npx vitest run test/device/loops.test.ts").toBe(readFileSync(GOLDEN, "utf8"));
});

test("no inner loop calls, chooses or rebuilds a constant", () => {
  const faults = countBuilds().flatMap(({ kernel, loops }) => loops.flatMap(({ place, loop }) => loop.faults.map((f) => `${kernel}, ${place}: ${f}`)));
  expect(faults).toEqual([]);
});

test("every vector kernel of a product has a loop that multiplies", () => {
  expect(countBuilds().flatMap(({ kernel, loops }) => (loops.length ? [] : [kernel]))).toEqual([]);
});

const lines = (...all: string[]) => all.map((l) => `  ${l}`);

test("only loops without a loop in them are inner", () => {
  const body = lines("loop $a", " nop", " loop $b", "  v128.load", " end", "end", "loop $c", " call $d", "end");
  expect(innermost(body).map((l) => l.map((t) => t.trim()))).toEqual([["v128.load"], ["call $d"]]);
});

test("loads, stores and zeros are no operations; of several kinds of products the first counts", () => {
  const dot = lines("local.get $1", "v128.load offset=16", "v128.load32_splat", "i32x4.dot_i16x8_s", "local.get $2", "i32x4.add", "f32x4.mul", "v128.store");
  expect(count(dot, new Set(["$2"]))).toEqual({ macs: 8, operations: 3, loads: 2, stores: 1, vectors: 1, faults: [] });
  expect(count(lines("i16x8.relaxed_dot_i8x16_i7x16_s", "i32x4.dot_i16x8_s", "i32x4.add"), new Set())).toMatchObject({ macs: 16, operations: 3 });
  expect(count(lines("f32x4.mul", "f32x4.add"), new Set())).toMatchObject({ macs: 4, operations: 2 });
  expect(count(lines("f32x4.add"), new Set())).toBeUndefined();
});

test("calls, choices and constants in a loop are faults", () => {
  const zero = "v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000";
  expect(count(lines("f32x4.mul", "call $x", "select", "v128.bitselect", zero, zero.replace("00000000", "0000000f")), new Set())?.faults).toHaveLength(4);
});

test("loops are found through calls, generics too", () => {
  const func = (name: string, ...body: string[]) => ` (func $${name} (param $0 i32)\n${lines("(local $1 v128)", ...body).join("\n")}\n )\n`;
  const wat = `${func('"assembly/lib/a.simd/T<assembly/lib/b.simd/U>#block"', "loop $l", " local.get $1", " i32x4.dot_i16x8_s", "end")}${func("assembly/gemv/q4.simd/kernel", 'call $"assembly/lib/a.simd/T<assembly/lib/b.simd/U>#block"')}${func("assembly/add/f32.simd/kernel", "loop $l", " f32x4.mul", "end")}`;
  const counted = countLoops(wat, ["gemv"]);
  expect(counted).toMatchObject([{ kernel: "gemv_q4__simd", loops: [{ place: "T<U>#block", loop: { macs: 8, operations: 1, vectors: 1 } }] }]);
  expect(text(counted)).toBe("gemv_q4__simd\n    2.00 operations for 16      8 multiply-adds, 1 operations, 0 loads, 0 stores, 1 vectors   T<U>#block");
});
