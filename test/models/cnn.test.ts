// What a config of a CNN can say wrongly, and what its checkpoint can lack: an error that names the field or tensor, and nothing is built.
import { expect, test } from "vitest";
import { architecture } from "../../models/cnn/model.ts";
import { checkGraph } from "../../runtime/graph/check.ts";
import { quantiseLayer, rangeOf } from "../../tools/compress/images/quantise.ts";

const CONFIG = { model_type: "cnn", image: [8, 8, 3], layers: [{ outputs: 4, size: 3, stride: 2 }], classes: 5 };
const build = (change: Readonly<Record<string, unknown>>) => architecture.build({ ...CONFIG, ...change }, { cache: "f32" });

test("a sound config is a sound graph", () => {
  checkGraph(build({}));
  checkGraph(build({ pool: "none" }));
});

test.each([
  ["image", undefined],
  ["image", [8, 8]],
  ["image", [8, 0, 3]],
  ["image", [8, 5000, 3]],
  ["image", "8x8"],
  ["layers", []],
  ["layers", [3]],
  ["layers", undefined],
  ["classes", 0],
  ["classes", 1e9],
  ["pool", "median"],
])("%s %j is refused by name", (field, value) => {
  expect(() => build({ [field]: value })).toThrow(expect.objectContaining({ code: "model.config", place: expect.objectContaining({ what: field }) }));
});

test.each([
  { outputs: 4, size: 2 },
  { outputs: 4, size: 33 },
  { outputs: 0, size: 3 },
  { outputs: 4, size: 3, stride: 0 },
])("a layer %j is refused", (layer) => {
  expect(() => build({ layers: [layer] })).toThrow(expect.objectContaining({ code: "model.config" }));
});

test("a head over all of an image that is not square, or too large, is refused", () => {
  expect(() => build({ pool: "none", image: [8, 16, 1] })).toThrow(expect.objectContaining({ code: "model.config" }));
  expect(() => build({ pool: "none", image: [128, 128, 1] })).toThrow(expect.objectContaining({ code: "model.config" }));
});

const ONE = { step: 1, zero: 0 };

test("sums that may not fit 24 bits, and biases beyond 16, are refused by layer", () => {
  const layer = (k: number, bias: number) => ({
    name: "wide",
    weights: new Float32Array(k).fill(1),
    bias: Float32Array.of(bias),
    shape: [1, 1, k] as const,
    from: ONE,
    to: { step: 100, zero: 0 },
  });
  expect(quantiseLayer(layer(500, 0), "w8").shift).toBeGreaterThan(8);
  expect(() => quantiseLayer(layer(520, 0), "w8")).toThrow(expect.objectContaining({ code: "recipe.invalid", place: expect.objectContaining({ what: "wide" }) }));
  expect(quantiseLayer(layer(520, 0), "w4").weight.length).toBeGreaterThan(0);
  expect(() => quantiseLayer(layer(16, 4e6), "w8")).toThrow(/bias/);
});

test("a range with nothing in it is refused", () => {
  for (const high of [0, Number.NaN, Number.POSITIVE_INFINITY]) expect(() => rangeOf(0, high, "x")).toThrow(expect.objectContaining({ code: "recipe.invalid" }));
  expect(rangeOf(-1, 1.55, "x").zero).toBe(100);
});
