// CoDeNet: parameters and work of its five configurations as published (specs/codenet.md §8), and a run of it on every build.
import { expect, test } from "vitest";
import { CONFIGS, codenet, count } from "../../models/codenet/graph.ts";
import { checkGraph } from "../../runtime/graph/check.ts";
import { CODES, isWeightFormat } from "../../runtime/image/weights.ts";
import { createRandom } from "../../runtime/num/random.ts";
import { ImageEngine } from "../../runtime/session/images/engine.ts";
import { openWasm } from "../../targets/devices/wasm/device.ts";
import { host } from "../../targets/hosts/node/host.ts";

/** MiB of 4-bit weights with their biases, 10⁹ multiply-adds; a bias is one of them. `a` is `c` on a quarter of the pixels, and printed with two digits. */
const PUBLISHED = { a: [0.76, 1.14 / 4], b: [0.76, 0.29], c: [0.76, 1.14], d: [2.9, 3.54], e: [2.9, 3.58] } as const;

test.each(Object.entries(PUBLISHED))("configuration %s: size and work within 1 %% of what is published", (name, [mib, giga]) => {
  const graph = codenet(CONFIGS[name as keyof typeof CONFIGS]);
  checkGraph(graph);
  const { weights, biases, macs, outputs } = count(graph);
  expect(Math.abs((weights + biases) / 2 / 2 ** 20 / mib - 1)).toBeLessThan(0.01);
  expect(Math.abs((macs + outputs) / 1e9 / giga - 1)).toBeLessThan(0.01);
});

test("weights of convolutions are as counted in the released network", () => {
  expect(count(codenet(CONFIGS.a)).weights).toBe(1_570_160);
  expect(count(codenet(CONFIGS.d)).weights).toBe(6_046_810);
});

test("a network with random weights gives the same bits on every build and number of threads", async () => {
  const graph = codenet({ ...CONFIGS.a, side: 64 });
  const results = [];
  for (const [isa, threads] of [
    ["scalar", 1],
    ["simd", 1],
    ["simd", 2],
  ] as const) {
    const engine = new ImageEngine(graph, await openWasm(host, { isa, threads }), { batch: 1 });
    const random = createRandom(7);
    for (const t of engine.weights) {
      const view = engine.program.view(t.name);
      if (t.format === "fx16") {
        const channels = t.shape[0] as number;
        const half = new Int16Array(view.buffer, view.byteOffset, view.length / 2);
        // Sums grow with the square root of what is added: scales that keep some of each layer within its bytes.
        for (let c = 0; c < channels; c++) {
          half[32 * (c >> 4) + (c & 15)] = 60 + (random.u32() % 400);
          half[32 * (c >> 4) + 16 + (c & 15)] = random.u32() % 160;
        }
      } else if (isWeightFormat(t.format)) {
        const [least, most] = CODES[t.format];
        for (let i = 0; i < view.length; i++) view[i] = t.format === "conv4" ? random.u32() & 255 : least + (random.u32() % (most - least + 1));
      }
    }
    await engine.run(Uint8Array.from({ length: engine.pixels }, () => random.u32() & 255));
    results.push(["hm", "wh", "reg"].map((point) => engine.output(point).slice()));
    engine.program.close();
  }
  expect(results[1]).toEqual(results[0]);
  expect(results[2]).toEqual(results[0]);
  expect(new Set(results[0][0]).size, "the heat map is not flat").toBeGreaterThan(4);
});
