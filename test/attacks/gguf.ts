// Malformed GGUF files, each under a name: the list of research on reliability, and every rule that docs/format.md states.
import { LIMITS } from "../../runtime/limits.ts";
import { buildGguf, concat, f32Tensor, field, type GgufField, type GgufSpec, type GgufTensorSpec, list, nested, rawList, textBytes, u32Bytes, u64Bytes } from "../support/gguf.ts";
import { patchedSource, sparseSource } from "../support/memory.ts";
import type { Attack, Attacks } from "./attack.ts";

/** Name that messages give to the file under attack. */
export const GGUF_FILE = "model.gguf";

const TWO_63 = 2n ** 63n;
const TWO_64 = 2n ** 64n;
const LONG = 2n ** 48n;

const w = (changes: Partial<GgufTensorSpec> = {}): GgufTensorSpec => ({ ...f32Tensor("w", [2, 4], [1, 2, 3, 4, 5, 6, 7, 8]), ...changes });
const SOUND: GgufSpec = { metadata: { "general.architecture": field("string", "llama") }, tensors: [w()] };

const made = (spec: GgufSpec, expect: Attack["expect"], what?: string): Attack => ({ make: () => buildGguf(spec), expect, what });
const header = (changes: Partial<GgufSpec>, expect: Attack["expect"], what = GGUF_FILE): Attack => made({ ...SOUND, ...changes }, expect, expect === "accept" ? undefined : what);
const swapped = (bytes: Uint8Array): Uint8Array => concat(bytes.subarray(0, 4), Uint8Array.of(0, 0, 0, 3), bytes.subarray(8));

export const GGUF_HEADER: Attacks = {
  "sound, version 3": header({}, "accept"),
  "sound, version 2": header({ version: 2 }, "accept"),
  "empty file": { make: () => new Uint8Array(0), expect: "format.truncated", what: GGUF_FILE },
  "3 bytes": { make: () => new TextEncoder().encode("GGU"), expect: "format.truncated", what: GGUF_FILE },
  "magic only": { make: () => new TextEncoder().encode("GGUF"), expect: "format.truncated", what: GGUF_FILE },
  "bad magic": header({ magic: "GGML" }, "format.header"),
  "FUGG": header({ magic: "FUGG" }, "format.header"),
  "a zip": header({ magic: "PK\u0003\u0004" }, "format.header"),
  "version 0": header({ version: 0 }, "format.version"),
  "version 1": header({ version: 1 }, "format.version"),
  "version 4": header({ version: 4 }, "format.version"),
  "version 2^31": header({ version: 2 ** 31 }, "format.version"),
  "version 2^32 - 1": header({ version: 2 ** 32 - 1 }, "format.version"),
  "big-endian": { make: () => swapped(buildGguf(SOUND)), expect: "format.version", what: GGUF_FILE },
  "0 keys": header({ metadata: {} }, "accept"),
  "0 keys are claimed, there is one": header({ keyCount: 0n }, "format.limit", "general.architecture"),
  "2^32 keys": header({ keyCount: 2n ** 32n }, "format.limit"),
  "2^63 keys": header({ keyCount: TWO_63 }, "format.limit"),
  "2^64 - 1 keys": header({ keyCount: TWO_64 - 1n }, "format.limit"),
  "0 tensors": header({ tensors: [] }, "accept"),
  "nothing but the header": header({ tensors: [], metadata: {} }, "accept"),
  "0 tensors are claimed, there is one": header({ tensorCount: 0n }, "format.overlap"),
  "2^32 tensors": header({ tensorCount: 2n ** 32n }, "format.limit"),
  "2^63 tensors": header({ tensorCount: TWO_63 }, "format.limit"),
  "2^64 - 1 tensors": header({ tensorCount: TWO_64 - 1n }, "format.limit"),
  "counts right, the file ends behind them": { make: () => buildGguf(SOUND).slice(0, 24), expect: "format.truncated", what: GGUF_FILE },
  "the file ends inside the counts": { make: () => buildGguf(SOUND).slice(0, 20), expect: "format.truncated", what: GGUF_FILE },
  "the file ends inside the directory": { make: () => buildGguf(SOUND).slice(0, 90), expect: "format.truncated", what: GGUF_FILE },
  "one key more than there is": header({ tensors: [], keyCount: 2n }, "format.truncated"),
  "one tensor more than there is": header({ tensors: [], tensorCount: 1n }, "format.truncated"),
};

const ONE = field("u8", 1);
const keys = (expect: Attack["expect"], ...names: (string | Uint8Array)[]): Attack => made({ metadata: names.map((name) => [name, ONE] as const) }, expect);
const keyLength = (length: bigint, expect: Attack["expect"]): Attack => ({
  make: () => concat(buildGguf({ keyCount: 1n }), textBytes("abcd", length), u32Bytes(0), Uint8Array.of(1)),
  expect,
  what: GGUF_FILE,
});

export const GGUF_KEYS: Attacks = {
  "key of length 0": keys("format.header", ""),
  "key of 65,535": keys("accept", "k".repeat(65_535)),
  "key of 65,536": keys("format.limit", "k".repeat(65_536)),
  "key of 65,535 twice": keys("format.duplicate", "k".repeat(65_535), "k".repeat(65_535)),
  "key longer than the file": keyLength(1000n, "format.truncated"),
  "key length 2^64 - 1": keyLength(TWO_64 - 1n, "format.limit"),
  "key length 2^32 + the true one": keyLength(2n ** 32n + 4n, "format.limit"),
  "key that is not UTF-8": keys("format.header", Uint8Array.of(0x61, 0xff)),
  "key with half a surrogate pair": keys("format.header", Uint8Array.of(0xed, 0xa0, 0x80)),
  "key with a zero byte": keys("format.header", "a\0b"),
  "key __proto__": keys("accept", "__proto__"),
  "key __proto__ with an array": made({ metadata: [["__proto__", list("string", ["polluted"])]] }, "accept"),
  "key constructor": keys("accept", "constructor"),
  "key toString": keys("accept", "toString"),
  "a key twice": made(
    {
      metadata: [
        ["a", ONE],
        ["b", ONE],
        ["a", field("string", "x")],
      ],
    },
    "format.duplicate",
    "a",
  ),
  "keys named as fields of the header": keys("accept", "version", "tensor_count", "kv_count", "magic", "tensors"),
  "as many keys as allowed": keys("accept", ...Array.from({ length: LIMITS.metadataEntries }, (_, i) => `${i}`)),
  "100,001 keys": keys("format.limit", ...Array.from({ length: 100_001 }, (_, i) => `${i}`)),
};

const value = (v: GgufField, expect: Attack["expect"], what?: string): Attack => made({ metadata: { k: v, after: ONE } }, expect, what ?? (expect === "accept" ? undefined : "k"));
const deep = (levels: number): GgufField => (levels === 1 ? list("u8", [1, 2]) : nested([deep(levels - 1)]));
const raw = (type: number, bytes: Uint8Array): GgufField => ({ type, bytes });
const ARRAY = 9;

export const GGUF_VALUES: Attacks = {
  "type 13": value(raw(13, new Uint8Array(8)), "format.header"),
  "type 2^32 - 1": value(raw(2 ** 32 - 1, new Uint8Array(8)), "format.header"),
  "bool 2": value(raw(7, Uint8Array.of(2)), "format.header"),
  "bool 255 in an array": value(rawList(7, 3n, Uint8Array.of(0, 1, 255)), "format.header"),
  "text past the end": value(raw(8, textBytes("x", 100n)), "format.truncated", GGUF_FILE),
  "text of 2^48": value(raw(8, textBytes("x", LONG)), "format.limit", GGUF_FILE),
  "text of 2^64 - 1": value(raw(8, textBytes("x", TWO_64 - 1n)), "format.limit", GGUF_FILE),
  "text of 1 MB and one": value(field("string", "v".repeat(1_000_001)), "format.limit", GGUF_FILE),
  "text of 1 MB": value(field("string", "v".repeat(1_000_000)), "accept"),
  "text that is not UTF-8": value(field("string", Uint8Array.of(0xc0, 0x80)), "format.header", GGUF_FILE),
  "text with a zero byte": value(field("string", "a\0b"), "accept"),
  "text in an array past the end": value(rawList(8, 2n, concat(textBytes("a"), textBytes("b", 1000n))), "format.truncated", GGUF_FILE),
  "text in an array of 2^63": value(rawList(8, 2n, concat(textBytes("a"), textBytes("b", TWO_63))), "format.limit"),
  "text in an array of 1 MB and one": value(list("string", ["a", "v".repeat(1_000_001)]), "format.limit"),
  "text in an array that is not UTF-8": value(list("string", ["a", Uint8Array.of(0xff)]), "format.header", "array k, text 1,"),
  "array of type 99": value(rawList(99, 1n, Uint8Array.of(0)), "format.header"),
  "array in array, depth 1": value(deep(1), "accept"),
  "array in array, depth 2": value(deep(2), "accept"),
  "array in array, depth 3": value(deep(3), "accept"),
  "array in array, depth 4": value(deep(4), "accept"),
  "array in array, depth 5": value(deep(5), "format.limit"),
  "array in array, depth 6": value(deep(6), "format.limit"),
  "array in array, depth 100,000": value(raw(ARRAY, concat(...Array.from({ length: 100_000 }, () => concat(u32Bytes(ARRAY), u64Bytes(1))))), "format.limit"),
  "as many arrays in arrays as allowed": value(nested(Array(LIMITS.ggufArrays).fill(list("u8", []))), "accept"),
  "one array in an array too many": value(nested(Array(LIMITS.ggufArrays + 1).fill(list("u8", []))), "format.limit"),
  "too many arrays in arrays, in two keys": made(
    { metadata: { a: nested(Array(40_000).fill(list("u8", []))), b: nested(Array(40_000).fill(list("u8", []))) } },
    "format.limit",
    "b",
  ),
  "array whose length times 8 wraps to 8": value(rawList(10, 2n ** 61n + 1n, new Uint8Array(8)), "format.limit"),
  "array of 2^64 - 1 bytes": value(rawList(0, TWO_64 - 1n, new Uint8Array(8)), "format.limit"),
  "array of 2^32 + 1": value(rawList(0, 2n ** 32n + 1n, new Uint8Array(8)), "format.limit"),
  "array longer than the file": value(rawList(12, 1_000_000n, new Uint8Array(8)), "format.truncated"),
  "array of texts longer than the file": value(rawList(8, 1_000_000n, new Uint8Array(8)), "format.truncated"),
  "array of arrays longer than the file": value(rawList(ARRAY, 60_000n, new Uint8Array(12)), "format.truncated"),
  "array one byte longer than the file": made({ metadata: { k: rawList(0, 9n, new Uint8Array(8)) } }, "format.truncated", "k"),
  "array at its limit": value(rawList(0, BigInt(LIMITS.ggufArrayLength), new Uint8Array(LIMITS.ggufArrayLength)), "accept"),
  "array one above its limit": value(rawList(0, BigInt(LIMITS.ggufArrayLength + 1), new Uint8Array(LIMITS.ggufArrayLength + 1)), "format.limit"),
  "array of 1,000,000 empty texts": value(rawList(8, 1_000_000n, new Uint8Array(8_000_000)), "accept"),
  "array of nothing": value(list("string", []), "accept"),
  "NaN and infinite floats": value(list("f32", [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]), "accept"),
  "a NaN": value(field("f64", Number.NaN), "accept"),
  "u64 above 2^53": value(field("u64", TWO_64 - 1n), "accept"),
  "i64 below -2^53": value(field("i64", -TWO_63), "accept"),
  "a header of more than 100 MB that a file really has": { make: () => wide(), expect: "format.limit" },
};

/** Four arrays of 32 MB. */
function wide() {
  const items = LIMITS.ggufArrayLength;
  const front = buildGguf({ keyCount: 4n });
  const entry = (i: number) => concat(textBytes(`${i}`), u32Bytes(ARRAY), u32Bytes(12), u64Bytes(items));
  const patches = new Map([[0, concat(front, entry(0))]]);
  let at = front.length + entry(0).length + 8 * items;
  for (let i = 1; i < 4; i++, at += entry(i - 1).length + 8 * items) patches.set(at, entry(i));
  return patchedSource(patches, at, GGUF_FILE);
}

const ALIGNMENT = "general.alignment";
const aligned = (v: GgufField, alignment: number, expect: Attack["expect"]): Attack =>
  made({ metadata: { [ALIGNMENT]: v }, alignment, tensors: [w(), w({ name: "v" })] }, expect, expect === "accept" ? undefined : ALIGNMENT);

export const GGUF_ALIGNMENT: Attacks = {
  "alignment 0": aligned(field("u32", 0), 32, "format.header"),
  "alignment 1": aligned(field("u32", 1), 1, "accept"),
  "alignment 3": aligned(field("u32", 3), 3, "format.header"),
  "alignment 13": aligned(field("u32", 13), 13, "format.header"),
  "alignment 4096": aligned(field("u32", 4096), 4096, "accept"),
  "alignment 65,536": aligned(field("u32", 65_536), 65_536, "accept"),
  "alignment 2^31": aligned(field("u32", 2 ** 31), 32, "format.limit"),
  "alignment 2^63": aligned(field("u64", TWO_63), 32, "format.header"),
  "alignment 32 as u64": aligned(field("u64", 32n), 32, "format.header"),
  "alignment as text": aligned(field("string", "32"), 32, "format.header"),
  "alignment as i32": aligned(field("i32", 32), 32, "format.header"),
  "alignment as f32": aligned(field("f32", 32), 32, "format.header"),
  "alignment as array": aligned(list("u32", [32]), 32, "format.header"),
  "alignment twice": made(
    {
      metadata: [
        [ALIGNMENT, field("u32", 32)],
        [ALIGNMENT, field("u32", 64)],
      ],
    },
    "format.duplicate",
    ALIGNMENT,
  ),
  "alignment as the last key": made(
    {
      metadata: [
        ["a", ONE],
        [ALIGNMENT, field("u32", 64)],
      ],
      alignment: 64,
      tensors: [w(), w({ name: "v" })],
    },
    "accept",
  ),
  "alignment 64 that the offsets do not keep": made(
    { metadata: { [ALIGNMENT]: field("u32", 64) }, alignment: 32, tensors: [w(), w({ name: "v" }), w({ name: "u" })] },
    "format.header",
    "v",
  ),
};

/** `front` claims nothing of data, which zeros follow, `bytes` of them. */
export const hollow = (spec: GgufSpec, bytes: number) => {
  const front = buildGguf(spec);
  return sparseSource(front, front.length + bytes, GGUF_FILE);
};
