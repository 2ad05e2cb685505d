// The twin against the reference over the whole ladder, and the parts it is made of.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Session } from "../../../targets/devices/fpga/link/session.ts";
import { decodeLayer, encodeLayer, type Layer, nearestScale, requantise } from "../../../targets/devices/fpga/twin/layer.ts";
import { twinLine } from "../../../targets/devices/fpga/twin/line.ts";
import { packRows, wordsOf } from "../../../targets/devices/fpga/twin/pack.ts";
import { expected, ladder, runJob } from "../../../tools/goals/fpga/ladder.ts";
import { plainTwin } from "./line.ts";

describe("the twin gives what the reference gives", async () => {
  const session = await Session.open(twinLine(plainTwin()));
  test.each(ladder())("$name", async (job) => {
    expect((await runJob(session, job)).values).toEqual(expected(job));
  });
});

describe("fx16", () => {
  test("is (sum + bias) · scale / 2^(17 + shift), rounded half up and held to int8", () => {
    const exact = (sum: number, bias: number, scale: number, shift: number) => {
      const n = BigInt(sum + bias) * BigInt(scale);
      const y = Number((n + (1n << BigInt(16 + shift))) >> BigInt(17 + shift));
      return Math.max(-127, Math.min(127, y));
    };
    const int = (bits: number) => fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 });
    fc.assert(
      fc.property(int(32), int(32), fc.integer({ min: 0, max: 65535 }), fc.integer({ min: 0, max: 31 }), (sum, bias, scale, shift) => {
        expect(requantise(sum, { bias, scale, shift }, false)).toBe(exact(sum, bias, scale, shift));
      }),
    );
  });

  test("the nearest scale is as near as 16 bits allow", () => {
    fc.assert(
      fc.property(fc.double({ min: 2 ** -17, max: 0.4999, noNaN: true }), (factor) => {
        const s = nearestScale(factor) as { scale: number; shift: number };
        expect(Math.abs(s.scale / 2 ** (17 + s.shift) - factor) / factor).toBeLessThanOrEqual(2 ** -15);
      }),
    );
    expect(nearestScale(0.5)).toBeUndefined();
    expect(nearestScale(Number.NaN)).toBeUndefined();
    expect(nearestScale(0)).toMatchObject({ scale: 0 });
  });
});

describe("layers", () => {
  const layer: Layer = { mode: "int4s24", rows: 6, steps: 9, weights: 100, activations: 32, results: 7, parameters: 200, requantise: true, relu: true };
  test("are read back as they were", () => expect(decodeLayer(encodeLayer(layer))).toEqual(layer));
  test.each([
    ["no rows", { rows: 0 }],
    ["no steps", { steps: 0 }],
    ["an odd row of a pair", { rows: 5 }],
  ])("with %s are refused", (_, change) => expect(decodeLayer(encodeLayer({ ...layer, ...change }))).toBeUndefined());
});

describe("packing", () => {
  test("takes the words that the format says: int4 half of int8, 2:4 five words for 128 weights", () => {
    const codes = new Int8Array(4 * 128);
    const kept = Uint8Array.from({ length: 4 * 64 }, (_, i) => i & 1);
    expect(packRows("int8", codes, 4, 128).words).toHaveLength(4 * 128);
    expect(packRows("int4", codes, 4, 128).words).toHaveLength(2 * 128);
    expect(packRows("int8s24", codes, 4, 128, kept).words).toHaveLength(4 * (64 + 16));
    expect(packRows("int4s24", codes, 4, 128, kept).words).toHaveLength(2 * (64 + 32));
    expect(wordsOf("int8s24", 5)).toBe(7);
  });

  test("refuses codes that do not fit, and 2:4 without its places", () => {
    expect(() => packRows("int4", Int8Array.of(8), 1, 1)).toThrow(expect.objectContaining({ code: "usage" }));
    expect(() => packRows("int8s24", new Int8Array(16), 1, 16)).toThrow(expect.objectContaining({ code: "usage" }));
    expect(() => packRows("int8", new Int8Array(16), 1, 16, new Uint8Array(8))).toThrow(expect.objectContaining({ code: "usage" }));
  });
});
