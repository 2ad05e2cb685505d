// Static activation formats from end to end: calibration finds the range of every input, the plan hands it to who quantises, logits stay near.
import { expect, test } from "vitest";
import { openPack } from "../../runtime/formats/skint/reader.ts";
import { memorySource } from "../../runtime/io/source.ts";
import { openCheckpoint } from "../../tools/compress/checkpoint.ts";
import { compressModel } from "../../tools/compress/compress.ts";
import { recipeNamed } from "../../tools/compress/recipe.ts";
import { memorySink } from "../support/memory.ts";
import { forward, relativeError } from "../support/oracle-llama.ts";
import { environment, open, pack, type Tiny, tinyCheckpoint } from "../support/tiny.ts";

const TEXT = "In the beginning was a text that is as long as it must be to be drawn from, and no longer than that, year after year. ".repeat(8);
/** Byte-level: token 2 + byte. */
const TOKENS = Uint32Array.from(new TextEncoder().encode("as long as it must be"), (b) => 2 + b);

async function packed(tiny: Tiny, compressedInputs = true): Promise<Uint8Array> {
  const checkpoint = await openCheckpoint(tiny.folder);
  const sink = memorySink();
  const calibration = { text: { name: "text", text: TEXT }, tokens: 400, compressedInputs };
  await compressModel(checkpoint, sink, await environment(), { recipe: recipeNamed("w8s8"), calibration });
  await checkpoint.store.close();
  return sink.bytes() as Uint8Array;
}

async function rangesOf(bytes: Uint8Array): Promise<Map<string, number>> {
  const file = await openPack(memorySource(bytes, "x"));
  const names = [...file.tensors.keys()].filter((name) => name.endsWith(".range"));
  const found = new Map<string, number>();
  for (const name of names) {
    const value = new Float32Array(1);
    await file.readBytes(name, 0, new Uint8Array(value.buffer));
    found.set(name, value[0]);
  }
  await file.close();
  return found;
}

test("a range for each input is near the greatest magnitude of the text there", async () => {
  const tiny = await tinyCheckpoint({ tied: false });
  const ranges = await rangesOf(await packed(tiny, false));
  const inputs = [0, 1].flatMap((layer) => ["attention.q", "attention.o", "ffn.gate", "ffn.down"].map((name) => `layers.${layer}.${name}`));
  expect([...ranges.keys()].sort()).toEqual(inputs.map((name) => `${name}.range`).sort());
  const plain = await open((await pack(tiny, "f32")).bytes, { taps: inputs.map((name) => `${name}.in`) });
  const text = plain.tokenizer?.encode(TEXT) as Uint32Array;
  const met = new Map(inputs.map((name) => [name, 0]));
  for (let at = 0; at < text.length - 16; at += 16) {
    await plain.engine.run("prefill", text.subarray(at, at + 16), 0);
    for (const name of inputs)
      met.set(
        name,
        plain.engine.tap(`${name}.in`).reduce((most, v) => Math.max(most, Math.abs(v)), met.get(name) as number),
      );
  }
  plain.close();
  for (const name of inputs) {
    const ratio = (ranges.get(`${name}.range`) as number) / (met.get(name) as number);
    expect(ratio, name).toBeGreaterThan(0.6);
    expect(ratio, name).toBeLessThan(1.6);
  }
});

test("logits stay near those of the formulas, with the same bits fused and unfused, on every build", async () => {
  const tiny = await tinyCheckpoint({ tied: false });
  const bytes = await packed(tiny);
  const logits = async (options: Parameters<typeof open>[1]) => {
    const model = await open(bytes, options);
    try {
      return (await model.session().feed(TOKENS)).slice();
    } finally {
      model.close();
    }
  };
  const got = await logits({});
  expect(relativeError(got, forward(tiny, TOKENS)[TOKENS.length - 1])).toBeLessThan(0.2);
  expect(await logits({ fuse: false })).toEqual(got);
  for (const isa of ["scalar", "simd", "relaxed"] as const) expect(await logits({ isa }), isa).toEqual(got);
});
