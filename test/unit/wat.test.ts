// The checks on the core's text form: they fire on small made-up modules, and no build in dist/ gives them cause to.
import { expect, test } from "vitest";
import { allocates, judge, judgeBuilds, kernelsCall, rebuildsConstants, staticDataEndsLate, usesAtomics, walkHoldsKernels } from "../../tools/dev/wat.ts";

const func = (name: string, ...body: string[]) => ` (func $${name} (param $0 i32)\n${body.map((l) => `  ${l}`).join("\n")}\n )\n`;
const WALK = func("assembly/entry.simd.gen/walk", "local.get $0", "call_indirect (type $0)");
const KERNEL = func("assembly/add/f32.simd/kernel", "v128.load", "f32x4.add");

test("a clean module passes", () => {
  expect(judge(`(module\n (data $0 (i32.const 1036) "\\1c\\00")\n${WALK}${KERNEL})`, false)).toEqual([]);
});

test("growing and allocating are found", () => {
  const wat = func("assembly/add/f32.simd/kernel", "memory.grow") + func("~lib/rt/stub/__new", "nop");
  expect(allocates(wat)).toHaveLength(2);
});

test("atomics are found in builds without threads only", () => {
  const wat = WALK + func("assembly/executor/rest", "i64.atomic.load");
  expect(usesAtomics(wat)).toHaveLength(1);
  expect(judge(wat, true)).toEqual([]);
});

test("a kernel inlined into the walk is found, and a walk without the table", () => {
  expect(walkHoldsKernels(WALK + func("assembly/executor/work", "v128.load", "call_indirect (type $0)"))).toHaveLength(1);
  expect(walkHoldsKernels(func("assembly/entry.simd.gen/walk", "call $kernel"))).toHaveLength(1);
});

test("a small function called in a loop of a kernel is found", () => {
  const small = func("assembly/lib/split/start", "nop");
  const inLoop = func("assembly/add/f32.simd/kernel", "loop $a", " call $assembly/lib/split/start", "end");
  expect(kernelsCall(small + inLoop)).toEqual(["assembly/add/f32.simd/kernel calls assembly/lib/split/start in a loop; it was not inlined"]);
  expect(kernelsCall(small + func("assembly/add/f32.simd/kernel", "loop $a", " nop", "end", "call $assembly/lib/split/start"))).toEqual([]);
  expect(kernelsCall(func("assembly/lib/split/start", "loop $b", " nop", "end") + inLoop)).toEqual([]);
  expect(kernelsCall(func("assembly/executor/work", "loop $a", " call $x", "end"))).toEqual([]);
});

test("a vector constant other than zero is found", () => {
  const zero = "v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000";
  expect(rebuildsConstants(func("assembly/add/f32.simd/kernel", zero))).toEqual([]);
  expect(rebuildsConstants(func("assembly/add/f32.simd/kernel", zero, "v128.const i32x4 0x00000000 0x00000000 0x00010000 0x00000000"))).toHaveLength(1);
});

test("static data beyond the first page is found", () => {
  expect(staticDataEndsLate(` (data $0 (i32.const 65533) "\\00a\\"")\n`)).toEqual([]);
  expect(staticDataEndsLate(` (data $0 (i32.const 65533) "\\00a\\"b")\n`)).toHaveLength(1);
});

test("no build of the core gives a finding", () => {
  expect(judgeBuilds()).toEqual([]);
});
