// Mode core by clusters of texts: the nearest one's neurons are kept; clusters of other weights, or counted otherwise, are not taken.
import { afterEach, beforeAll, expect, test } from "vitest";
import { type Clusters, formatClusters, probeHash } from "../../runtime/cores/clusters.ts";
import { ranked } from "../../runtime/cores/rank.ts";
import type { CoreOptions } from "../../runtime/session/coreoptions.ts";
import type { Model, ModelOptions } from "../../runtime/session/model.ts";
import type { WasmOptions } from "../../targets/devices/wasm/device.ts";
import { sha256 } from "../../targets/hosts/node/hash.ts";
import { core, inner, KEPT, NEURONS, PROMPT, tallyOf } from "../support/cores.ts";
import { open, pack, tinyCheckpoint } from "../support/tiny.ts";

let relu: Uint8Array;
let silu: Uint8Array;
const models: Model[] = [];

beforeAll(async () => {
  relu = (await pack(await tinyCheckpoint({ activation: "relu", layers: 4 }), "w4n")).bytes;
  silu = (await pack(await tinyCheckpoint({ seed: 5, layers: 4 }), "w4n")).bytes;
});
afterEach(() => {
  for (const m of models.splice(0)) m.close();
});

async function load(bytes: Uint8Array, core: CoreOptions | undefined, options: ModelOptions & WasmOptions = {}): Promise<Model> {
  const model = await open(bytes, options);
  models.push(model);
  if (core) model.engine.ffn.set({ mode: "core", ...core });
  return model;
}

/** Two clusters for a model: a text that has the first half of neurons on top, and one that has the others. */
async function clustersOf(model: Model, change: Partial<Clusters> = {}): Promise<string> {
  const layers = inner(model);
  const half = (c: number) => Uint16Array.from({ length: NEURONS / 2 }, (_, i) => NEURONS - 1 - ((c * NEURONS) / 2 + i));
  return formatClusters({
    model: probeHash(model.engine.program.view(layers[0].replace("down", "down.weight")) as Uint8Array, sha256),
    probe: layers[0],
    neurons: NEURONS,
    alpha: 0.4,
    top: 19,
    centroids: [0, 1].map((c) => Uint8Array.from({ length: NEURONS }, (_, i) => (i >= NEURONS / 2 === (c === 0) ? 255 : 0))),
    layers: new Map(layers.map((l) => [l, [half(0), half(1)]])),
    ...change,
  });
}

test("similar: the nearest cluster's best neurons are the core, however short the prompt", async () => {
  const model = await load(relu, undefined);
  model.engine.ffn.setClusters(await clustersOf(model), sha256);
  for (const guide of ["similar", "auto"] as const) {
    model.engine.ffn.set({ mode: "core", guide, beta: 0.3 });
    const session = model.session();
    await session.feed(PROMPT.subarray(0, 5));
    const [probe, other] = inner(model);
    const top = ranked(tallyOf(model, probe)).slice(0, 19);
    const cluster = top.filter((i) => i >= NEURONS / 2).length * 2 > top.length ? 0 : 1;
    expect(model.engine.ffn.report()?.core).toMatchObject({ guide, made: "similar", cluster });
    const best = Uint32Array.from({ length: KEPT }, (_, i) => NEURONS - (cluster * NEURONS) / 2 - KEPT + i);
    expect(core(model, probe)).toEqual(best);
    expect(core(model, other)).toEqual(best);
    await session.next(3);
  }
});

test("similar: a layer without lists keeps all its neurons", async () => {
  const model = await load(relu, undefined);
  const [probe, other] = inner(model);
  const lists = [Uint16Array.of(1, 0), Uint16Array.of(2)];
  model.engine.ffn.setClusters(await clustersOf(model, { layers: new Map([[other, lists]]) }), sha256);
  model.engine.ffn.set({ mode: "core", guide: "similar" });
  await model.session().feed(PROMPT);
  expect(core(model, probe)).toBeUndefined();
  expect(core(model, other)?.length).toBeLessThan(3);
});

test("clusters are compared only with what was counted like them", async () => {
  const model = await load(relu, undefined);
  model.engine.ffn.setClusters(await clustersOf(model, { alpha: 0.2 }), sha256);
  expect(() => model.engine.ffn.set({ mode: "core", guide: "similar", alpha: 0.4 })).toThrow(/counted with 0.2/);
  model.engine.ffn.set({ mode: "core", alpha: 0.4 });
  await model.session().feed(PROMPT);
  expect(model.engine.ffn.report()?.core?.made).toBe("dense");
  model.engine.ffn.set({ mode: "core" });
  await model.session().feed(PROMPT);
  expect(model.engine.ffn.report()?.core).toMatchObject({ made: "similar", alpha: 0.2 });
});

test("clusters that were counted with other weights are refused", async () => {
  const [model, other] = [await load(relu, undefined), await load(silu, undefined)];
  const document = await clustersOf(other);
  expect(() => model.engine.ffn.setClusters(document, sha256)).toThrow(expect.objectContaining({ code: "format.hash" }));
});
