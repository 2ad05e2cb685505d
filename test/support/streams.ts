// Networks with made-up weights whose streams are tested: linears, and ordinary and depthwise convolutions.
import { expect } from "vitest";
import { ImageGraphBuilder } from "../../runtime/graph/images.ts";
import type { Graph } from "../../runtime/graph/types.ts";
import { packFx16, packWeights } from "../../runtime/image/weights.ts";
import { createRandom } from "../../runtime/num/random.ts";
import { ImageEngine } from "../../runtime/session/images/engine.ts";
import { ImageStream } from "../../runtime/session/images/stream.ts";
import { openWasm, type WasmOptions } from "../../targets/devices/wasm/device.ts";
import { host } from "../../targets/hosts/node/host.ts";

/** Sums of so many products of random codes of int8 and int4 weights become bytes that move. */
const SCALES = { 8: 1, 4: 16 } as const;

async function engineOf(graph: Graph, on: WasmOptions, scale: number): Promise<ImageEngine> {
  const random = createRandom(21);
  const engine = new ImageEngine(graph, await openWasm(host, on), { batch: 1, stream: true });
  for (const t of engine.weights) {
    const shape = t.shape as number[];
    const bits = engine.graph.tensors.find((w) => `${w.name.slice(0, -"weight".length)}fx16` === t.name)?.format.endsWith("4") ? 4 : 8;
    if (t.format === "fx16")
      engine.program.view(t.name).set(
        packFx16(
          Int16Array.from({ length: shape[0] }, () => Math.round(SCALES[bits] * scale * (1 + random.f64()))),
          new Int16Array(shape[0]).fill(100),
        ),
      );
    else {
      const most = t.format.endsWith("4") ? 7 : 127;
      const codes = Int8Array.from({ length: shape[0] * shape[1] * shape[2] }, () => random.below(2 * most + 1) - most);
      engine.program.view(t.name).set(packWeights(t.format as "conv8", shape, codes));
    }
  }
  return engine;
}

/** Three linears of 40 → 64 → 48 → 10, the second one's weights int4. */
export function mlp(on: WasmOptions = { threads: 1 }): Promise<ImageEngine> {
  const g = new ImageGraphBuilder();
  let x = g.input([1, 1, 40], "image");
  for (const [i, outputs] of [64, 48, 10].entries()) x = g.conv(`fc${i}`, x, outputs, { numbers: i === 1 ? "w4" : "w8", size: 1, relu: i < 2, shift: 20 });
  return engineOf(g.finish("mlp", x), on, (2 ** 20 * 20) / (127 * 90));
}

/** A convolution of 12 × 11 pixels, two depthwise ones, a pool, a linear. */
export function depthwiseNet(on: WasmOptions = { threads: 1 }, numbers: "w8" | "w4" = "w8"): Promise<ImageEngine> {
  const g = new ImageGraphBuilder();
  let x = g.input([12, 11, 3], "image");
  x = g.conv("first", x, 20, { numbers, size: 3, relu: true });
  x = g.depthwise("deep", x, { numbers, size: 3, stride: 2, relu: true });
  x = g.depthwise("deeper", x, { numbers, size: 5, relu: true });
  x = g.pool("pool", x, "max", "global");
  return engineOf(g.finish("made up", g.conv("head", x, 7, { numbers, size: 1 })), on, 200);
}

const STATES = ["sums", "before", "kept"];

/**
 * Runs random steps through a stream, and every so many compares all that it keeps, sums too, with what computing all anew leaves. The two engines have
 * the same weights.
 */
export async function expectNoDrift(make: () => Promise<ImageEngine>, steps: number, every: number): Promise<ImageStream> {
  const [engine, other] = [await make(), await make()];
  const [stream, whole] = [new ImageStream(engine), new ImageStream(other, { refresh: 1 })];
  const random = createRandom(8);
  const image = new Uint8Array(engine.pixels).fill(128);
  const states = engine.plans[1].steps.flatMap((s) => Object.values(s.tensors)).filter((t) => STATES.some((what) => t.endsWith(`:${what}`)));
  const seen = new Set<string>();
  for (let step = 1; step <= steps; step++) {
    image[random.below(image.length)] = random.u32() & 255;
    const scores = await stream.push(image);
    if (step % every) continue;
    expect(scores, `step ${step}`).toEqual(await whole.push(image));
    for (const t of new Set(states)) expect(Buffer.compare(engine.program.view(t), other.program.view(t)), `${t} in step ${step}`).toBe(0);
    seen.add(scores.join());
  }
  expect(new Set(states).size).toBeGreaterThanOrEqual(9);
  expect(seen.size, "scores move").toBeGreaterThan((steps / every) * 0.5);
  for (const l of stream.stats.slice(0, 1)) expect(l.denseMacs / l.macs, l.name).toBeGreaterThan(5);
  for (const e of [engine, other]) e.program.close();
  return stream;
}
