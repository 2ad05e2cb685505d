// Hidden neurons in another order: which layers have some, that the model stays the same, that rows which share a mask become alike.
import { expect, test } from "vitest";
import { SCHEMES } from "../../runtime/quant/catalogue.gen.ts";
import { type Checkpoint, graphOf, openCheckpoint } from "../../tools/compress/checkpoint.ts";
import { compressModel } from "../../tools/compress/compress.ts";
import { hiddenOf, withAlikeNeurons } from "../../tools/compress/neurons.ts";
import { recipeNamed } from "../../tools/compress/recipe.ts";
import { findWeight } from "../../tools/compress/weights.ts";
import { memorySink } from "../support/memory.ts";
import { environment, open, type TinyShape, tinyCheckpoint, tokensOf } from "../support/tiny.ts";

const SHARED = recipeNamed("24v8w4-magnitude");

async function both(shape: Partial<TinyShape>): Promise<{ plain: Checkpoint; ordered: Checkpoint }> {
  const plain = await openCheckpoint((await tinyCheckpoint(shape)).folder);
  return { plain, ordered: await withAlikeNeurons(plain, graphOf(plain, SHARED)) };
}

async function logits(c: Checkpoint): Promise<Float32Array> {
  const sink = memorySink();
  await compressModel(c, sink, await environment(), { recipe: recipeNamed("f32") });
  const model = await open(sink.bytes() as Uint8Array, { score: true });
  const got = (await model.engine.run("score", tokensOf(20, 300), 0)).slice();
  model.close();
  return got;
}

test.each([{}, { bias: true, activation: "gelu_pytorch_tanh" }])("%j: the model computes the same but for rounding", async (shape) => {
  const { plain, ordered } = await both(shape);
  expect(ordered.order?.("layers.0.ffn.up.weight")?.rows).toEqual(ordered.order?.("layers.0.ffn.down.weight")?.columns);
  const [a, b] = [await logits(plain), await logits(ordered)];
  a.forEach((v, i) => {
    expect(b[i]).toBeCloseTo(v, 4);
  });
});

test("channels of values trade places within their head; heads of o that share them follow; q and k stay", async () => {
  const { ordered } = await both({ heads: 4, kvheads: 2, dh: 16 });
  const rows = ordered.order?.("layers.0.attention.v.weight")?.rows ?? new Uint32Array();
  const columns = ordered.order?.("layers.0.attention.o.weight")?.columns ?? new Uint32Array();
  expect([rows.length, columns.length]).toEqual([32, 64]);
  expect([...rows]).not.toEqual([...rows].sort((a, b) => a - b));
  rows.forEach((from, to) => {
    expect(Math.floor(from / 16)).toBe(Math.floor(to / 16));
  });
  columns.forEach((from, to) => {
    const [head, value] = [Math.floor(to / 16), Math.floor(to / 32)];
    expect(from - 16 * head).toBe(rows[16 * value + (to % 16)] - 16 * value);
  });
  for (const name of ["q", "k"]) expect(ordered.order?.(`layers.0.attention.${name}.weight`)).toBeUndefined();
});

test("every neuron has one place, in each layer", async () => {
  const { ordered } = await both({});
  for (const layer of [0, 1]) {
    const order = ordered.order?.(`layers.${layer}.ffn.gate.weight`)?.rows ?? new Uint32Array();
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 96 }, (_, i) => i));
    expect([...order]).not.toEqual([...order].sort((a, b) => a - b));
  }
});

test("of many neurons only those of a slice trade places", async () => {
  const c = await openCheckpoint((await tinyCheckpoint()).folder);
  const order = (await withAlikeNeurons(c, graphOf(c, SHARED), 32)).order?.("layers.0.ffn.gate.weight")?.rows ?? new Uint32Array();
  expect(order.length).toBe(96);
  for (const from of [0, 32, 64]) {
    const slice = [...order.subarray(from, from + 32)];
    expect(slice).not.toEqual([...slice].sort((a, b) => a - b));
    expect(slice.sort((a, b) => a - b)).toEqual(Array.from({ length: 32 }, (_, i) => from + i));
  }
});

test("rows that share a mask keep more of their energy", async () => {
  const { plain, ordered } = await both({});
  const lost = async (c: Checkpoint) => {
    const t = graphOf(c, SHARED).tensors.find((x) => x.name === "layers.0.ffn.up.weight");
    if (!t) throw new Error("there is no such weight");
    const w = await findWeight(c, t).read(0, 96);
    const packed = new Uint8Array(SCHEMES.q4s24v.bytes(96, 64));
    SCHEMES.q4s24v.encode(w, 96, 64, packed);
    const back = SCHEMES.q4s24v.decode(packed, 96, 64);
    return w.reduce((sum, v, i) => sum + (v - back[i]) ** 2, 0);
  };
  expect(await lost(ordered)).toBeLessThan(0.99 * (await lost(plain)));
});

test("a checkpoint whose rows share no masks is left alone", async () => {
  const c = await openCheckpoint((await tinyCheckpoint()).folder);
  for (const recipe of ["24w4-magnitude", "w4"]) expect(await withAlikeNeurons(c, graphOf(c, recipeNamed(recipe)))).toBe(c);
});

test("hidden values that anything else reads keep their order", async () => {
  const c = await openCheckpoint((await tinyCheckpoint({ layers: 1 })).folder);
  const graph = graphOf(c, SHARED);
  expect(hiddenOf(graph).map((h) => [h.makers.map((m) => m.name), h.reader.name])).toEqual([[["layers.0.ffn.gate", "layers.0.ffn.up"], "layers.0.ffn.down"]]);
  const [{ reader, makers }] = hiddenOf(graph);
  for (const tensor of [reader.tensors.x, makers[0].tensors.y, makers[1].tensors.w]) {
    const spy = { ...reader, name: "spy", tensors: { ...reader.tensors, x: tensor } };
    expect(hiddenOf({ ...graph, nodes: [...graph.nodes, spy] })).toEqual([]);
  }
});
