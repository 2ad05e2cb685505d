// A model whose linears are shared between the FPGA's twin and WebAssembly gives the very bits of WebAssembly alone; what fails on the way is said.
import { describe, expect, test } from "vitest";
import { ACTS } from "../../../runtime/act/catalogue.gen.ts";
import { memorySource } from "../../../runtime/io/source.ts";
import { reference } from "../../../runtime/ops/linear/reference.ts";
import { parseLinearVariant } from "../../../runtime/ops/linear/variant.ts";
import { loadModel, type Model } from "../../../runtime/session/model.ts";
import { type FpgaDevice, judge, openFpga } from "../../../targets/devices/fpga/device.ts";
import type { Line } from "../../../targets/devices/fpga/link/line.ts";
import { Session } from "../../../targets/devices/fpga/link/session.ts";
import type { FpgaMeter, FpgaProgram } from "../../../targets/devices/fpga/program.ts";
import { load, multiply, outputs, type Placed, Placer, scalesOf, sectionsOf } from "../../../targets/devices/fpga/resident.ts";
import { TwinDevice } from "../../../targets/devices/fpga/twin/device.ts";
import { twinLine } from "../../../targets/devices/fpga/twin/line.ts";
import type { WasmDevice } from "../../../targets/devices/wasm/device.ts";
import { normal } from "../../support/data.ts";
import { environment, pack, TINY, tinyCheckpoint, tokensOf } from "../../support/tiny.ts";
import { PLAIN, plainTwin } from "./line.ts";

async function shared(bytes: Uint8Array, line: Line): Promise<{ model: Model; program: FpgaProgram }> {
  const env = await environment();
  const device: FpgaDevice = await openFpga(line, env.device as WasmDevice, { now: env.now });
  const model = await loadModel(memorySource(bytes, "tiny.skint"), { ...env, device });
  return { model, program: model.engine.program as FpgaProgram };
}

/** Logits of a prefill and of two decode steps. */
async function logits(model: Model): Promise<number[]> {
  const tokens = tokensOf(7, TINY.vocab);
  const all = [...(await model.engine.run("prefill", tokens.subarray(0, 5), 0))];
  for (let i = 5; i < 7; i++) all.push(...(await model.engine.run("decode", tokens.subarray(i, i + 1), i)));
  model.close();
  return all;
}

const alone = async (bytes: Uint8Array) => logits(await loadModel(memorySource(bytes, "tiny.skint"), await environment()));

describe("a tiny model on both", () => {
  test.each(["w8", "w4", "w4g128"])("%s", async (recipe) => {
    const { bytes } = await pack(await tinyCheckpoint(), recipe);
    const { model, program } = await shared(bytes, twinLine(plainTwin()));
    expect(program.placed.size).toBeGreaterThan(0);
    const got = await logits(model);
    expect(got).toEqual(await alone(bytes));
    const meter = program.meter() as FpgaMeter;
    expect(meter.cycles).toBeGreaterThan(0);
    expect(meter.link.repeats).toBe(0);
  });

  test("only some linears where there is not room for all", async () => {
    const { bytes } = await pack(await tinyCheckpoint(), "w8");
    const { model, program } = await shared(bytes, twinLine(new TwinDevice({ ...PLAIN, weights: 10 })));
    expect(program.placed.size).toBe(1);
    expect(await logits(model)).toEqual(await alone(bytes));
  });

  test("a device that is reset in between goes on, and keeps the weights it has", async () => {
    const { bytes } = await pack(await tinyCheckpoint(), "w8");
    const { model } = await shared(bytes, twinLine(plainTwin(), { reset: 120_000 }));
    expect(await logits(model)).toEqual(await alone(bytes));
  });

  test("on a noisy line nothing but time is lost", async () => {
    const { bytes } = await pack(await tinyCheckpoint(), "w8");
    const { model, program } = await shared(bytes, twinLine(new TwinDevice({ ...PLAIN, weights: 10 }), { flip: 0.002, drop: 0.002 }));
    expect(await logits(model)).toEqual(await alone(bytes));
    expect((program.meter() as FpgaMeter).link.repeats).toBeGreaterThan(0);
  });
});

describe("one product", () => {
  test.each(["q8", "q8_u7tok", "q4g32", "q4g128", "q8s24", "q4s24"])("with %s is the reference's, bit for bit", async (variant) => {
    const [n, k] = [21, 300];
    const { scheme, act } = parseLinearVariant(variant);
    const w = new Uint8Array(scheme.bytes(n, k));
    scheme.encode(normal(n * k, 3), n, k, w);
    const x = new Uint8Array(ACTS[act].bytes(k));
    ACTS[act].encode(normal(k, 4), x, 0);
    const y = new Float32Array(n);
    reference({ tensors: { x, w, y }, values: { rows: 1, xs: x.length, ys: n, rs: 0, n, k } }, variant);
    const session = await Session.open(twinLine(plainTwin()));
    const placed = new Placer(session.hello).place({ variant, n, k }) as Placed;
    await load(session, sectionsOf(placed, w));
    const { codes, scale } = ACTS[act].decode(x, k);
    const { sums } = await multiply(session, placed, Int8Array.from(codes));
    expect(outputs(placed, sums, scalesOf(placed, w), scale)).toEqual(y);
  });
});

describe("placing", () => {
  const { hello } = plainTwin();
  test("goes on until a memory is full", () => {
    const placer = new Placer(hello);
    const matrix = { variant: "q8", n: 256, k: 256 };
    expect(placer.place(matrix)?.chunks).toHaveLength(1);
    expect(placer.used).toBe(256 * 32);
    expect(placer.place(matrix)).toBeDefined();
    expect(placer.place(matrix)).toBeUndefined();
    expect(placer.place({ ...matrix, n: 2 })).toBeUndefined();
  });

  test("cuts what has more results than there is room for, and leaves what the engine cannot do", () => {
    const placer = new Placer(hello);
    expect(placer.place({ variant: "q4g128", n: 1000, k: 128 })?.chunks.map((c) => c.rows)).toEqual([992, 8]);
    expect(placer.place({ variant: "f32", n: 4, k: 16 })).toBeUndefined();
    expect(placer.place({ variant: "q8_had8", n: 4, k: 16 })).toBeUndefined();
    expect(placer.place({ variant: "q8", n: 4, k: 8000 })).toBeUndefined();
  });
});

describe("what is on the line", () => {
  const known = new Map([["", "0123456789abcdef"]]);
  test("a board that is not known is refused", () => {
    expect(() => judge({ ...plainTwin().hello, board: "other" }, known, "COM3")).toThrow(
      expect.objectContaining({ code: "device.wrong", message: expect.stringContaining('"other"') }),
    );
  });
  test("an image of other sources is refused, with both hashes", async () => {
    const env = await environment();
    const opening = openFpga(twinLine(plainTwin()), env.device as WasmDevice, { now: env.now, known });
    await expect(opening).rejects.toMatchObject({ code: "device.wrong", message: expect.stringMatching(/0000000000000000.*0123456789abcdef/) });
  });
});
