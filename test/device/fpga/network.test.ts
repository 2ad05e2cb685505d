// A network that the sequencer runs as a whole, on the twin and on the Verilated core.
import { describe, expect, test } from "vitest";
import { createRandom } from "../../../runtime/num/random.ts";
import type { Line } from "../../../targets/devices/fpga/link/line.ts";
import { Session } from "../../../targets/devices/fpga/link/session.ts";
import { FpgaNetwork, type NetworkLayer, reference } from "../../../targets/devices/fpga/network.ts";
import { type Mode, nearestScale } from "../../../targets/devices/fpga/twin/layer.ts";
import { twinLine } from "../../../targets/devices/fpga/twin/line.ts";
import { buildSimulator, lacksSimulator, simulatorLine } from "../../../targets/hosts/node/simulator.ts";
import { plainTwin } from "./line.ts";

const random = createRandom(9);

function layer(mode: Mode, n: number, k: number, last = false): NetworkLayer {
  const sparse = mode.endsWith("s24");
  const wide = mode.startsWith("int4") ? 8 : 127;
  const kept = sparse ? Uint8Array.from({ length: 2 * n * Math.ceil(k / 4) }, (_, i) => (i & 1 ? 3 : 1)) : undefined;
  const codes = Int8Array.from({ length: n * k }, (_, i) => (sparse && (i % k) % 2 === 0 ? 0 : random.below(2 * wide) - wide));
  const factor = 40 / (wide * Math.sqrt(k) * 20);
  const scale = nearestScale(factor) as { scale: number; shift: number };
  const scales = last ? undefined : Array.from({ length: n }, () => ({ bias: random.below(2000) - 1000, ...scale }));
  return { mode, n, k, codes, kept, scales, relu: !last };
}

const LAYERS = [layer("int8", 48, 100), layer("int4", 33, 48), layer("int8s24", 40, 33), layer("int4s24", 20, 40), layer("int8", 10, 20, true)];
const inputs = Array.from({ length: 4 }, () => Int8Array.from({ length: 100 }, () => random.below(255) - 127));

async function outcomes(line: Line) {
  const session = await Session.open(line);
  const network = await FpgaNetwork.load(session, LAYERS);
  const all = [];
  for (const x of inputs) all.push(await network.run(x));
  await line.close();
  return all;
}

test("five layers of every mode give what their definition says, in one run", async () => {
  const got = await outcomes(twinLine(plainTwin()));
  expect(got.map((g) => [...g.y])).toEqual(inputs.map((x) => reference(LAYERS, x)));
  expect(new Set(got.map((g) => g.y.join())).size).toBe(inputs.length);
});

test("the core gives the same in as many clocks", async ({ skip }) => {
  const why = await lacksSimulator();
  if (why) skip(why);
  expect(await outcomes(simulatorLine(await buildSimulator()))).toEqual(await outcomes(twinLine(plainTwin())));
}, 240_000);

test("a network that the device has is not sent again", async () => {
  const twin = plainTwin();
  const session = await Session.open(twinLine(twin));
  await FpgaNetwork.load(session, LAYERS);
  const { sent } = session.traffic;
  await FpgaNetwork.load(session, LAYERS);
  expect(session.traffic.sent - sent).toBeLessThan(sent / 4);
});

describe("a network is refused", () => {
  const bad = (layers: readonly NetworkLayer[]) => Session.open(twinLine(plainTwin())).then((s) => FpgaNetwork.load(s, layers));
  test.each([
    ["without layers", [], "usage"],
    ["whose layers do not follow one another", [LAYERS[0], LAYERS[2]], "usage"],
    ["whose sums are not the last layer's", [layer("int8", 4, 4, true), layer("int8", 2, 4)], "usage"],
    ["with codes missing", [{ ...LAYERS[0], n: 47 }], "usage"],
    ["that has too many rows for the parameters", [layer("int8", 300, 16)], "plan.memory"],
    ["that has too many weights", [layer("int8", 200, 1000)], "plan.memory"],
  ])("%s", async (_, layers, code) => {
    await expect(bad(layers)).rejects.toMatchObject({ code });
  });
});
