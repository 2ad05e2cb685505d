// Whatever one field of a stored graph is changed to, reading, planning and running it gives a value or a SkintError, never another failure.
import fc from "fast-check";
import { expect, test } from "vitest";
import { architecture as llama } from "../../models/llama/model.ts";
import { architecture as mamba } from "../../models/mamba/model.ts";
import { SkintError } from "../../runtime/errors.ts";
import { parseGraph } from "../../runtime/graph/check.ts";
import type { Device } from "../../runtime/plan/device.ts";
import { Engine } from "../../runtime/session/engine.ts";
import { KERNELS } from "../../targets/devices/wasm/catalogue.gen.ts";
import { WasmProgram } from "../../targets/devices/wasm/program.ts";
import { host } from "../../targets/hosts/node/host.ts";
import { coreModule } from "../support/core.ts";
import { mambaConfig } from "../support/mamba.ts";
import { tinyConfig, tokensOf } from "../support/tiny.ts";

const GRAPHS = {
  llama: JSON.stringify(llama.build(tinyConfig({ layers: 1, vocab: 32, bias: true }), { cache: "i8" })),
  mamba: JSON.stringify(mamba.build(mambaConfig({ layers: 1, vocab: 32, width: 20 }), { cache: "i8" })),
};

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Every place of the document: the object that holds it and its key. */
function places(value: Json, found: [Json[] | { [key: string]: Json }, string][] = []): typeof found {
  if (typeof value !== "object" || value === null) return found;
  for (const [key, inner] of Object.entries(value)) {
    found.push([value, key]);
    places(inner, found);
  }
  return found;
}

/** Values that are likely to hit a check: names and numbers of the graph itself, symbols, edges, names of prototypes. */
const changed = fc.oneof(
  fc.constantFrom("conv_f32", "ssm_f32", "conv1d", "scan", "layers.0.mixer.scan.hidden", "layers.0.mixer.x.b", "layers.0.mixer.a.weight"),
  fc.constantFrom("T", "L", "C", "pos", "f32", "kv_i8", "i8tok", "q8", "tokens", "embed", "norm", "head", "rope", "embed.weight", "layers.0.attention.k", "last", "add", "linear"),
  fc.constantFrom("weight", "value", "output", "state", "constant", "input", "__proto__", "constructor", "toString", ""),
  fc.constantFrom(0, 1, 2, 3, 4, 15, 16, 17, 31, 32, 64, 96, 128, 2 ** 20, 2 ** 31 - 1, 2 ** 31, 2 ** 53, -1, 0.5, 1e308),
  fc.jsonValue() as fc.Arbitrary<Json>,
);

const device: Device = {
  name: "wasm",
  build: "simd",
  lanes: 1,
  kernels: KERNELS.simd,
  allocate: (map, plans) => new WasmProgram(host, { module: coreModule("simd"), kernels: KERNELS.simd, shared: false, lanes: 1 }, map, plans),
};

const PATTERN = 0x11;

/** Reads the graph, plans it and runs a few steps; no step may write a weight. */
async function use(document: string): Promise<"ran" | "refused"> {
  try {
    const graph = parseGraph(document);
    const context = Math.min(graph.context, 8);
    const engine = new Engine(graph, device, { context, batch: Math.min(3, context), fuse: true, score: true, taps: [] });
    for (const w of engine.weights) engine.program.view(w.name).fill(PATTERN);
    const tokens = tokensOf(Math.min(3, context), graph.vocab);
    await engine.run("prefill", tokens, 0);
    await engine.run("score", tokens, 0);
    await engine.run("decode", tokens.subarray(0, 1), engine.resume(context - 1));
    for (const w of engine.weights) if (engine.program.view(w.name).some((b) => b !== PATTERN)) throw new Error(`weight ${w.name} was written`);
    engine.program.close();
    return "ran";
  } catch (e) {
    if (!(e instanceof SkintError)) throw e;
    if (e.code === "device.trap") throw e;
    return "refused";
  }
}

test.each(Object.entries(GRAPHS))("%s: one field changed", async (_, text) => {
  const count = places(JSON.parse(text)).length;
  const ends = { ran: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(fc.nat(count - 1), changed, async (at, value) => {
      const document = JSON.parse(text) as Json;
      const [holder, key] = places(document)[at];
      (holder as { [key: string]: Json })[key] = value;
      ends[await use(JSON.stringify(document))]++;
    }),
    { numRuns: 4000, seed: 11 },
  );
  expect(ends.ran, "changes that do no harm are accepted").toBeGreaterThan(50);
  expect(ends.refused).toBeGreaterThan(1000);
});

test.each(Object.entries(GRAPHS))("%s: one field removed, or an element twice", async (_, text) => {
  const count = places(JSON.parse(text)).length;
  for (let at = 0; at < count; at++)
    for (const twice of [false, true]) {
      const document = JSON.parse(text) as Json;
      const [holder, key] = places(document)[at];
      if (Array.isArray(holder)) holder.splice(Number(key), twice ? 0 : 1, ...(twice ? [holder[Number(key)]] : []));
      else if (!twice) delete holder[key];
      expect(["ran", "refused"]).toContain(await use(JSON.stringify(document)));
    }
});
