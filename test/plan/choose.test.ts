// Which kernel takes a step and into how many units it is cut, at every edge.
import { expect, test } from "vitest";
import { chooseKernel, chooseUnits, MAX_UNITS } from "../../runtime/plan/choose.ts";
import { KERNELS } from "../../targets/devices/wasm/catalogue.gen.ts";

const HAVE = ["gemv_q8__simd", "gemm_q8__simd", "gemv_q4g32__scalar", "add_f32__simd", "rmsnorm_f32__simd", "rmsnorm_i8tok__scalar"];

test.each([
  ["linear", "q8", 1, "gemv_q8__simd", /one row/],
  ["linear", "q8", 2, "gemm_q8__simd", /2 rows share/],
  ["linear", "q8", 128, "gemm_q8__simd", /128 rows share/],
  ["linear", "q4g32", 1, "gemv_q4g32__scalar", /one row/],
  ["linear", "q4g32", 64, "gemv_q4g32__scalar", /no gemm/],
  ["add", "f32", 64, "add_f32__simd", /only/],
  ["rmsnorm", "i8tok", 1, "rmsnorm_i8tok__scalar", /only/],
])("%s %s over %i rows takes %s", (op, variant, rows, kernel, why) => {
  const choice = chooseKernel(op, variant, rows, HAVE);
  expect(choice.kernel).toBe(kernel);
  expect(choice.why).toMatch(why);
});

test("a variant is matched whole: q8 is not q8g32", () => {
  expect(chooseKernel("linear", "q8", 1, ["gemv_q8g32__simd", "gemv_q8__simd"]).kernel).toBe("gemv_q8__simd");
});

test.each([
  ["linear", "q2", "no kernel computes linear in variant q2 for 1 rows; this build has gemv_q8__simd, gemm_q8__simd, gemv_q4g32__scalar"],
  ["softcap", "f32", "no kernel computes softcap in variant f32 for 1 rows; this build has none for this op"],
  ["linear", "", "no kernel computes linear in variant (none) for 1 rows; this build has gemv_q8__simd, gemm_q8__simd, gemv_q4g32__scalar"],
])("%s in variant %j has no kernel, and says what there is", (op, variant, message) => {
  expect(() => chooseKernel(op, variant, 1, HAVE)).toThrow(expect.objectContaining({ code: "plan.kernel", message, place: { what: op } }));
});

test("every build takes one row and many in every scheme", () => {
  for (const [build, kernels] of Object.entries(KERNELS))
    for (const scheme of ["f32", "f16", "q8", "q8g32", "q4g32", "q4g128", "t2", "q161"])
      for (const rows of [1, 64]) expect(chooseKernel("linear", scheme, rows, kernels).kernel, build).toContain(`_${scheme}__`);
});

// 20,000 multiply-adds or 8,000 bytes are a microsecond; a unit is 5 of them, and below 3 nothing is cut.
test.each([
  [0, 0, 64, 1],
  [59_999, 0, 64, 1],
  [149_999, 0, 64, 1],
  [150_000, 0, 64, 2],
  [0, 23_999, 64, 1],
  [0, 59_999, 64, 1],
  [0, 60_000, 64, 2],
  [150_000, 100_000, 64, 3],
  [1_000_000, 0, 64, 10],
  [1_000_000, 0, 7, 7],
  [1_000_000, 0, 1, 1],
  [1_000_000, 0, 0, 1],
  [1e12, 0, 1e6, MAX_UNITS],
])("%i multiply-adds and %i bytes in at most %i pieces make %i units", (macs, bytes, pieces, units) => expect(chooseUnits(macs, bytes, pieces)).toBe(units));
