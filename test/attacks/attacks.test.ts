// Every attack, by name; and random damage, which must end in a value or a SkintError.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SkintError } from "../../runtime/errors.ts";
import { createRandom } from "../../runtime/num/random.ts";
import { buildPack, buildSafetensors, SMALL } from "../formats/packs.ts";
import { buildGguf, f32Tensor, field, list, nested, randomTensor } from "../support/gguf.ts";
import type { Made } from "./attack.ts";
import { FOLDERS } from "./folder.ts";
import { GGUF_MODELS } from "./gguf-model.ts";
import { metered } from "./meter.ts";
import { runAttack, SUITES } from "./run.ts";

for (const suite of SUITES)
  describe(suite.name, () => {
    test.each(Object.keys(suite.attacks))("%s", async (name) => {
      const { ok, reason } = await runAttack(suite, name);
      expect(ok ? "" : reason).toBe("");
    });
  });

test("the meter counts buffers that are made, not views of them", async () => {
  const meter = { allocated: 0, read: 0 };
  await metered(meter, async () => {
    const buffer = new ArrayBuffer(100);
    new Uint8Array(buffer, 10, 20).subarray(1);
    new Float32Array(25);
    Uint8Array.from(new Uint8Array([1, 2, 3]));
  });
  expect(meter.allocated).toBe(100 + 100 + 3 + 3);
  expect(new Uint8Array(1)).toBeInstanceOf(Uint8Array);
});

/** Reads as the suite does; anything thrown that is not a SkintError fails the test. Tells whether it was accepted. */
async function survives(suite: string, made: Made): Promise<boolean> {
  const { read } = SUITES.find(({ name }) => name === suite) as (typeof SUITES)[number];
  try {
    await read(made, { allocated: 0, read: 0 });
    return true;
  } catch (error) {
    if (!(error instanceof SkintError)) throw error;
    return false;
  }
}

const damage = (bytes: Uint8Array, at: number, value: number) => {
  const damaged = bytes.slice();
  damaged[at] = value;
  return damaged;
};

const TENSOR_FILE = () =>
  buildSafetensors(
    [
      { name: "a", dtype: "F32", shape: [2, 2], data: new Uint8Array(16) },
      { name: "b", dtype: "BF16", shape: [3], data: new Uint8Array(6) },
    ],
    new Map([["format", "pt"]]),
  );

test("any byte of a safetensors file set to any value", async () => {
  const bytes = TENSOR_FILE();
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(255), async (at, value) => {
      await survives("safetensors header", damage(bytes, at, value));
    }),
    { numRuns: 3000 },
  );
});

test("any byte of a pack set to another value is noticed", async () => {
  const bytes = await buildPack(SMALL);
  const header = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.nat(header + 7), fc.nat(bytes.length - 1)), fc.nat(255), async (at, value) => {
      expect(await survives("skint container", damage(bytes, at, value))).toBe(bytes[at] === value);
    }),
    { numRuns: 3000 },
  );
});

test("any byte of an index set to any value", async () => {
  const files = (await FOLDERS.sound.make()) as Map<string, Uint8Array>;
  const [name, bytes] = [...files].find(([file]) => file.endsWith(".json") && file.startsWith("model")) as [string, Uint8Array];
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(255), async (at, value) => {
      await survives("safetensors folder", new Map(files).set(name, damage(bytes, at, value)));
    }),
    { numRuns: 1500 },
  );
});

const GGUF = () =>
  buildGguf({
    metadata: {
      "general.alignment": field("u32", 8),
      "general.name": field("string", "m"),
      "l.whole": field("i64", -5n),
      "l.flag": field("bool", true),
      "t.tokens": list("string", ["a", "bc"]),
      "t.scores": list("f32", [1, 2]),
      "t.deep": nested([list("u8", [1]), list("bool", [true])]),
    },
    tensors: [randomTensor("q", "Q4_0", [2, 32], createRandom(1)), f32Tensor("f", [3], [1, 2, 3]), randomTensor("k", "Q2_K", [256], createRandom(2))],
    alignment: 8,
    padEnd: false,
  });

test("any byte of a GGUF file set to any value", async () => {
  const bytes = GGUF();
  const front = bytes.length - 36 - 4 - 12 - 4 - 84;
  await fc.assert(
    fc.asyncProperty(fc.nat(front), fc.nat(255), async (at, value) => {
      await survives("gguf header", damage(bytes, at, value));
    }),
    { numRuns: 4000 },
  );
});

test("a GGUF file cut anywhere, or with a field of 64 bits set to an extreme", async () => {
  const bytes = GGUF();
  for (let length = 0; length < bytes.length; length++) expect(await survives("gguf header", bytes.slice(0, length))).toBe(false);
  for (let at = 4; at + 8 <= bytes.length; at++)
    for (const value of [0n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]) {
      const damaged = bytes.slice();
      new DataView(damaged.buffer).setBigUint64(at, value, true);
      await survives("gguf header", damaged);
    }
});

test("any byte in front of the weights of a GGUF model set to any value", async () => {
  const bytes = (await GGUF_MODELS.sound.make()) as Uint8Array;
  const front = new TextDecoder("latin1").decode(bytes).indexOf("output.weight") + 40;
  await fc.assert(
    fc.asyncProperty(fc.nat(front), fc.nat(255), async (at, value) => {
      await survives("gguf models", damage(bytes, at, value));
    }),
    { numRuns: 300 },
  );
});

test("random bytes and cut files", async () => {
  const pack = await buildPack(SMALL);
  const bytes = TENSOR_FILE();
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.nat(pack.length - 1), async (noise, length) => {
      await survives("safetensors header", noise);
      await survives("gguf header", noise);
      expect(await survives("safetensors header", bytes.slice(0, length % bytes.length))).toBe(false);
      expect(await survives("skint container", pack.slice(0, length))).toBe(false);
    }),
    { numRuns: 300 },
  );
});
