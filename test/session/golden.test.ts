// The golden self-test: a pack whose numbers are not those it was written with is not loaded.
import { expect, test } from "vitest";
import { DIGEST_OFFSET, DIGEST_PREFIX } from "../../runtime/formats/skint/layout.ts";
import { openPack } from "../../runtime/formats/skint/reader.ts";
import { memorySource } from "../../runtime/io/source.ts";
import { sha256 } from "../../targets/hosts/node/hash.ts";
import { open, pack, tinyCheckpoint } from "../support/tiny.ts";

/** The pack with changed bytes and a digest that fits them: damage that only the golden test can see. */
async function damaged(change: (bytes: Uint8Array, offsetOf: (tensor: string) => number) => void): Promise<Uint8Array> {
  const { bytes } = await pack(await tinyCheckpoint(), "f16", "auto");
  const { tensors, documents, dataOffset } = await openPack(memorySource(bytes));
  change(bytes, (name) => (tensors.get(name) ?? documents.get(name as "golden"))?.offset as number);
  const header = new TextDecoder().decode(bytes.subarray(8, dataOffset));
  const hash = sha256();
  hash.update(new TextEncoder().encode(DIGEST_PREFIX + "0".repeat(64) + header.slice(DIGEST_PREFIX.length + 64).trimEnd()));
  hash.update(bytes.subarray(dataOffset));
  bytes.set(new TextEncoder().encode(hash.digest()), DIGEST_OFFSET);
  return bytes;
}

const load = (bytes: Uint8Array, options = {}) =>
  open(bytes, options).then(
    (model) => {
      model.close();
      return "loaded";
    },
    (e) => e.code,
  );

test.each(["scalar", "simd", "relaxed"] as const)("what was written loads on %s", async (isa) => {
  const bytes = await damaged(() => {});
  for (const threads of [1, 3]) expect(await load(bytes, { isa, threads })).toBe("loaded");
});

test("a changed weight is caught, unless the test is turned off", async () => {
  const bytes = await damaged((b, offsetOf) => {
    b[offsetOf("layers.1.ffn.down.weight") + 1] ^= 0x40;
  });
  expect(await load(bytes)).toBe("model.golden");
  expect(await load(bytes, { golden: false })).toBe("loaded");
});

test("a changed weight without a fitting digest is a damaged file", async () => {
  const { bytes } = await pack(await tinyCheckpoint(), "f16", "auto");
  bytes[bytes.length - 1000] ^= 1;
  expect(await load(bytes)).toBe("format.hash");
});

const write = (text: string) => (b: Uint8Array, offsetOf: (document: string) => number) => {
  b.set(new TextEncoder().encode(text.padEnd(1024)), offsetOf("golden"));
};

test.each([
  ["another hash", `{"tokens":[1,2,3],"sha256":"${"0".repeat(64)}"}`, "model.golden"],
  ["no JSON", "{", "format.header"],
  ["null", "null", "format.header"],
  ["no tokens", `{"tokens":[],"sha256":"x"}`, "format.header"],
  ["a token outside the vocabulary", `{"tokens":[300],"sha256":"x"}`, "format.header"],
  ["a fraction for a token", `{"tokens":[1.5],"sha256":"x"}`, "format.header"],
  ["too many tokens", `{"tokens":[${new Array(65).fill(1)}],"sha256":"x"}`, "format.header"],
  ["no hash", `{"tokens":[1]}`, "format.header"],
])("a golden document with %s", async (_, text, code) => expect(await load(await damaged(write(text)))).toBe(code));

test("a context too short for the golden tokens skips them", async () => {
  const bytes = await damaged(write(`{"tokens":[1,2,3],"sha256":"${"0".repeat(64)}"}`));
  expect(await load(bytes, { context: 2 })).toBe("loaded");
});

test("golden tokens longer than a batch", async () => {
  expect(await load(await damaged(() => {}), { batch: 2 })).toBe("loaded");
});
