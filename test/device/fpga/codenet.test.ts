// CoDeNet's engine: its twin against the ops' references over a ladder of tiles, the Verilated core against the twin, the line buffer that must have
// sixteen rows, and a network that lies on it.
import { afterAll, describe, expect, test } from "vitest";
import { memorySource } from "../../../runtime/io/source.ts";
import { createRandom } from "../../../runtime/num/random.ts";
import { type ImageModel, loadImageModel } from "../../../runtime/session/images/model.ts";
import { CodenetNetwork } from "../../../targets/devices/fpga/codenet/network.ts";
import { decodePass, encodePass, type Pass } from "../../../targets/devices/fpga/codenet/pass.ts";
import { codenetTwin } from "../../../targets/devices/fpga/codenet/twin.ts";
import type { Line } from "../../../targets/devices/fpga/link/line.ts";
import { Session } from "../../../targets/devices/fpga/link/session.ts";
import { selfTest } from "../../../targets/devices/fpga/selftest.ts";
import { twinLine } from "../../../targets/devices/fpga/twin/line.ts";
import { buildSimulator, type Level, lacksSimulator, simulatorLine } from "../../../targets/hosts/node/simulator.ts";
import { openDevice, packFolder } from "../../../tools/cli/model.ts";
import { bound, plainCodenet } from "../../../tools/goals/flash/codenet.ts";
import { byReference, ladder, runTile, through, tileOf } from "../../../tools/goals/flash/tiles.ts";

const lines: Line[] = [];
afterAll(async () => {
  for (const l of lines) await l.close();
});

const BUILD_MS = 240_000;

async function core(skip: (why: string) => void, parameters: Record<string, number> = {}, level: Level = "rtl"): Promise<Session> {
  const why = await lacksSimulator(level);
  if (why) skip(why);
  const line = simulatorLine(await buildSimulator(level, parameters, undefined, "codenet"));
  lines.push(line);
  return Session.open(line);
}

const twin = (rows?: number) => Session.open(twinLine(plainCodenet(rows)));

describe("the twin gives what the references of the ops give", async () => {
  const session = await twin();
  test.each(ladder())("$name", async (tile) => {
    expect((await runTile(session, tile)).values).toEqual(await through(tile, byReference));
  });
});

describe.each(["rtl", "cells"] as const)("the core (%s)", (level) => {
  test(
    "gives what the references give, in as many clocks as the twin says, and leaves the same memory",
    async ({ skip }) => {
      const [gateware, software] = [await core(skip, {}, level), await twin()];
      expect(gateware.hello).toEqual(software.hello);
      for (const tile of ladder()) {
        const outcome = await runTile(gateware, tile);
        expect(outcome.values, tile.name).toEqual(await through(tile, byReference));
        expect(outcome, tile.name).toEqual(await runTile(software, tile));
      }
      const { weights } = gateware.hello.words;
      expect(await gateware.sum("weights", 0, weights)).toBe(await software.sum("weights", 0, weights));
    },
    BUILD_MS,
  );
});

describe("a line buffer of 15 rows", () => {
  const tile = (dilation: number) => tileOf(createRandom(5), { height: 20, width: 18, channels: 8, conv: { size: 1, nibbles: true }, deep: { stride: 1, dilation } });
  const right = async (session: Session, dilation: number) => {
    const t = tile(dilation);
    return (await runTile(session, t)).values.join() === (await through(t, byReference)).join();
  };

  test("is enough up to a dilation of 6, and overwrites what one of 7 still has to read", async () => {
    const short = await twin(15);
    for (let s = 0; s < 7; s++) expect(await right(short, s), `s = ${s}`).toBe(true);
    expect(await right(short, 7)).toBe(false);
    expect(await right(await twin(16), 7)).toBe(true);
  });

  test(
    "fails in gateware as it does in the twin",
    async ({ skip }) => {
      const short = await core(skip, { ROWS: 15 });
      expect(await right(short, 6)).toBe(true);
      expect(await right(short, 7)).toBe(false);
      expect(await runTile(short, tile(7))).toEqual(await runTile(await twin(15), tile(7)));
    },
    BUILD_MS,
  );
});

test("a tile 64 wide keeps the multipliers at work", async () => {
  const t = tileOf(createRandom(1), { height: 12, width: 64, channels: 16, conv: { size: 1, nibbles: true }, deep: { stride: 1, dilation: "mixed" } });
  expect(bound(t) / (await runTile(await twin(), t)).cycles).toBeGreaterThan(0.85);
});

test("the self-test passes on the device that computes as it must, and names what another does wrong", async () => {
  const right = await selfTest(await twin(), "codenet");
  expect(right).toMatchObject({ layers: 2 });
  expect(right.cycles).toBeGreaterThan(0);
  await expect(selfTest(await twin(15), "codenet")).rejects.toMatchObject({ code: "device.wrong", message: expect.stringContaining("deformable") });
});

describe("passes", () => {
  const pass: Pass = {
    ...{ x: 4, y: 900, weights: 600, dilation: 0, count: 16, width: 9, height: 7, cw: 9, ch: 7, size: 1, pad: 0, stride: 1, xw: 2, slices: 2 },
    ...{ conv: true, deep: true, deform: false, byTwo: false, nibbles: false, bytes: false, shiftConv: 16, shiftDeep: 20 },
  };
  const room = { buffer: 512, columns: 64 };
  test("are read back as they were", () => expect(decodePass(encodePass(pass), room)).toMatchObject(pass));

  test.each([
    ["neither half", { conv: false, deep: false }],
    ["no columns", { cw: 0 }],
    ["no slices", { slices: 0 }],
    ["no window", { size: 0 }],
    ["more weights than the buffer", { count: 504 }],
    ["more columns than the line buffer", { cw: 65 }],
    ["a shift that fx16 does not have", { shiftDeep: 7 }],
  ])("with %s are refused, by the core too", async (_, change) => {
    expect(decodePass(encodePass({ ...pass, ...change }), room)).toBeUndefined();
    const session = await twin();
    await session.write("weights", 0, encodePass({ ...pass, ...change }));
    await expect(session.run(0, 1)).rejects.toMatchObject({ code: "device.trap" });
  });
});

describe("models/mnist on the device", async () => {
  const models: ImageModel[] = [];
  afterAll(() => {
    for (const m of models) m.close();
  });
  const modelOf = async (recipe: string) => {
    const { env } = await openDevice({ threads: 1 });
    const model = await loadImageModel(memorySource(await packFolder("models/mnist", env, recipe), "mnist"), env);
    models.push(model);
    return model;
  };
  const placed = async (session: Session, model: ImageModel) => {
    const weights = model.engine.placements();
    return CodenetNetwork.load(session, model.engine.graph, (name) => weights.get(name) as Uint8Array);
  };
  const random = createRandom(3);
  /** Strokes on black, so that the scores differ. */
  const images = Array.from({ length: 3 }, () => Uint8Array.from({ length: 784 }, (_, i) => (i % 28 > 8 && i % 28 < 18 && random.below(2) ? random.below(256) : 0)));

  test.each(["w8", "w4"])("%s gives the scores of WebAssembly, bit for bit, and is sent over once", async (recipe) => {
    const model = await modelOf(recipe);
    const session = await twin();
    const network = await placed(session, model);
    for (const image of images) expect((await network.run(image)).scores).toEqual(await model.classify(image));
    const { sent } = session.traffic;
    await placed(session, model);
    expect(session.traffic.sent - sent).toBeLessThan(network.residentBytes / 10);
  });

  test(
    "the core gives the same in as many clocks",
    async ({ skip }) => {
      const model = await modelOf("w4");
      const [gateware, software] = [await placed(await core(skip), model), await placed(await twin(), model)];
      for (const image of images) expect(await gateware.run(image)).toEqual(await software.run(image));
    },
    BUILD_MS,
  );

  test("floats, images of another size and a device with too little memory are refused", async () => {
    const session = await twin();
    await expect(placed(session, await modelOf("source"))).rejects.toMatchObject({ code: "plan.kernel" });
    const model = await modelOf("w8");
    await expect((await placed(session, model)).run(new Uint8Array(783))).rejects.toMatchObject({ code: "usage" });
    const small = codenetTwin({ board: "", build: "0000000000000000", khz: 24000, memory: 10, buffer: 9, line: 4 });
    await expect(placed(await Session.open(twinLine(small)), model)).rejects.toMatchObject({ code: "plan.memory" });
  });
});
