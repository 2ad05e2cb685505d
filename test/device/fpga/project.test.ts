// Projections of what a network takes on CoDeNet's engine: all work is counted once, passes are ones that the engine accepts, clocks those that it takes.
import { expect, test } from "vitest";
import { CONFIGS, codenet, count } from "../../../models/codenet/graph.ts";
import { ImageGraphBuilder } from "../../../runtime/graph/images.ts";
import { createRandom } from "../../../runtime/num/random.ts";
import { project } from "../../../targets/devices/fpga/codenet/project.ts";
import { Session } from "../../../targets/devices/fpga/link/session.ts";
import { twinLine } from "../../../targets/devices/fpga/twin/line.ts";
import { plainCodenet } from "../../../tools/goals/flash/codenet.ts";
import { runTile, tileOf } from "../../../tools/goals/flash/tiles.ts";

const ROOM = { memory: 2 ** 14, buffer: 2 ** 9, columns: 2 ** 6 };

/** A 1 × 1 convolution to `channels` and the depthwise one behind it. */
function pairOf(height: number, width: number, channels: number, stride = 1) {
  const g = new ImageGraphBuilder();
  const x = g.conv("pw", g.input([height, width, channels], "image"), channels, { numbers: "w4", size: 1, relu: true });
  return g.finishImages("pair", { y: g.depthwise("dw", x, { numbers: "w4", size: 3, stride }) });
}

test.each([
  ["ordinary", 24, 64, 16, 1],
  ["by two", 20, 30, 24, 2],
] as const)("a pair of convolutions, %s, that fits is one pass, in the clocks that the engine takes", async (_, height, width, channels, stride) => {
  const p = project(pairOf(height, width, channels, stride), ROOM);
  const session = await Session.open(twinLine(plainCodenet()));
  const tile = tileOf(createRandom(1), { height, width, channels, conv: { size: 1, nibbles: true }, deep: { stride } });
  // A run takes a clock to end.
  expect(p).toMatchObject({ passes: 1, host: [], clocks: (await runTile(session, tile)).cycles - 1 });
});

test("an image that is too large is cut: work counts once, clocks and bytes are those of the tiles with what they share", () => {
  const whole = project(pairOf(48, 200, 16), { ...ROOM, memory: 2 ** 16, columns: 256 });
  const tiled = project(pairOf(48, 200, 16), ROOM);
  expect(whole.passes).toBe(1);
  expect(tiled.passes).toBeGreaterThanOrEqual(4);
  expect(tiled.macs).toBe(whole.macs);
  expect(tiled.clocks).toBeGreaterThan(whole.clocks);
  expect(tiled.bytes).toBeGreaterThan(whole.bytes);
});

test("a dilation of 7 on either side belongs to each tile of a deformable convolution", () => {
  const deformed = (width: number) => {
    const g = new ImageGraphBuilder();
    const x = g.input([10, width, 8], "image");
    const dilation = g.conv("dilation", x, 1, { numbers: "w4", size: 1, relu: true });
    return project(g.finishImages("deformed", { y: g.deformable("dw", x, dilation, { numbers: "w4" }) }), ROOM);
  };
  expect(deformed(64).passes).toBe(2);
  expect(deformed(100).passes, "50 columns of a tile of 64 are its own").toBe(3);
  expect(deformed(101).passes).toBe(4);
});

test("what the engine cannot is the host's, and told", () => {
  const p = project(pairOf(8, 8, 2056), ROOM);
  expect(p).toMatchObject({ passes: 0, clocks: 0, bytes: 0, macs: 0, host: ["pw + dw"] });
  expect(p.hostMacs).toBe(8 * 8 * 2056 * (2056 + 9));
});

test.each(["a", "d"] as const)("configuration %s: all its multiply-adds are the engine's or the host's", (name) => {
  const graph = codenet(CONFIGS[name]);
  const p = project(graph, ROOM);
  expect(p.macs + p.hostMacs).toBe(count(graph).macs);
  expect(p.host).toEqual(name === "a" ? [] : ["up0.dilation", "up0.pw"]);
  expect(p.clocks, "sixteen multiply-adds a clock at most").toBeGreaterThan(p.macs / 16);
  expect(p.clocks, "a third of that at least").toBeLessThan((3 * p.macs) / 16);
});
