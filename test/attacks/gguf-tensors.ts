// GGUF files whose directory, data, weights or parts are not what they say.
import { TENSOR_TYPES } from "../../runtime/formats/gguf/types.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { createRandom } from "../../runtime/num/random.ts";
import { buildGguf, f32Tensor, field, type GgufSpec, type GgufTensorSpec, randomTensor } from "../support/gguf.ts";
import type { Attack, Attacks } from "./attack.ts";
import { GGUF_FILE, hollow } from "./gguf.ts";

const TWO_63 = 2n ** 63n;
const TWO_64 = 2n ** 64n;
const NOTHING = new Uint8Array(0);

/** An F32 tensor of 8 values, 32 bytes. */
const tensor = (changes: Partial<GgufTensorSpec> = {}): GgufTensorSpec => ({ ...f32Tensor("w", [2, 4], [1, 2, 3, 4, 5, 6, 7, 8]), ...changes });
const files = (expect: Attack["expect"], what: string | undefined, tensors: readonly GgufTensorSpec[], rest: Partial<GgufSpec> = {}): Attack => ({
  make: () => buildGguf({ ...rest, tensors }),
  expect,
  what,
});
const one = (changes: Partial<GgufTensorSpec>, expect: Attack["expect"], what: string | undefined = expect === "accept" ? undefined : "w"): Attack =>
  files(expect, what, [tensor(changes)]);
const shape = (dims: readonly (number | bigint)[], expect: Attack["expect"]): Attack => one({ shape: dims }, expect);
const removed = (id: number): Attack => one({ dtype: id }, "format.dtype");
const second = (offset: bigint, expect: Attack["expect"], what = "v"): Attack => files(expect, what, [tensor(), tensor({ name: "v", offset })]);
const many = (count: number): GgufTensorSpec[] => Array.from({ length: count }, (_, i) => ({ name: `${i}`, dtype: "F32", shape: [0], data: NOTHING }));

export const GGUF_DIRECTORY: Attacks = {
  "name of length 0": one({ name: "" }, "format.header", GGUF_FILE),
  "name of 64": one({ name: "n".repeat(64) }, "accept"),
  "name of 65": one({ name: "n".repeat(65) }, "accept"),
  "name of 1024": one({ name: "n".repeat(1024) }, "accept"),
  "name of 1025": one({ name: "n".repeat(1025) }, "format.limit", GGUF_FILE),
  "name of 70,000": one({ name: "n".repeat(70_000) }, "format.limit", GGUF_FILE),
  "name of 2^64 - 1": one({ nameLength: TWO_64 - 1n }, "format.limit", GGUF_FILE),
  "name longer than the file": one({ nameLength: 1000n }, "format.truncated", GGUF_FILE),
  "name that is not UTF-8": one({ name: Uint8Array.of(0x77, 0xfe) }, "format.header", GGUF_FILE),
  "name with a zero byte": one({ name: "w\0v" }, "format.header", GGUF_FILE),
  "name __proto__": one({ name: "__proto__" }, "accept"),
  "name constructor": one({ name: "constructor" }, "accept"),
  "a name twice": files("format.duplicate", "w", [tensor(), tensor()]),
  "rank 0": one({ shape: [], data: new Uint8Array(4) }, "accept"),
  "rank 4": one({ shape: [1, 2, 2, 2] }, "accept"),
  "rank 5": one({ shape: [1, 1, 2, 2, 2] }, "format.limit"),
  "rank 9": one({ shape: [1, 1, 1, 1, 1, 1, 1, 1, 8] }, "format.limit"),
  "rank 2^32 - 1": one({ rank: 2 ** 32 - 1 }, "format.limit"),
  "rank 3 of two dimensions": one({ rank: 3 }, "format.overlap", GGUF_FILE),
  "dimension 0": one({ shape: [0, 4], data: NOTHING }, "accept"),
  "dimension 0, innermost": one({ shape: [4, 0], data: NOTHING }, "accept"),
  "dimension 0 of blocks": one({ dtype: "Q4_K", shape: [4, 0], data: NOTHING }, "accept"),
  "dimension 2^53": shape([2n ** 53n], "format.limit"),
  "dimension 2^63": shape([TWO_63], "format.limit"),
  "dimension -1 as int64": shape([-1n], "format.limit"),
  "dimension -2^63 as int64": shape([-TWO_63, 4], "format.limit"),
  "product 2^64 + 8": shape([2n ** 61n + 1n, 8], "format.limit"),
  "product wraps to 0": shape([2n ** 32n, 2n ** 32n], "format.limit"),
  "product wraps to 8": shape([2n ** 32n, 2n ** 32n, 8], "format.limit"),
  "bytes wrap where elements do not": shape([2n ** 51n, 4], "format.limit"),
  "elements pass 2^53 where bytes do not": one({ dtype: "Q2_K", shape: [2n ** 46n, 256] }, "format.limit"),
  "product overflows, then times 0": one({ shape: [0, 2n ** 32n, 2n ** 32n], data: NOTHING }, "format.limit"),
  "type 4, removed": removed(4),
  "type 5, removed": removed(5),
  "type 31, removed": removed(31),
  "type 32, removed": removed(32),
  "type 33, removed": removed(33),
  "type 36, removed": removed(36),
  "type 37, removed": removed(37),
  "type 38, removed": removed(38),
  "type 43": removed(43),
  "type 255": removed(255),
  "type 2^32 - 1": removed(2 ** 32 - 1),
  "row of 33 in blocks of 32": one({ dtype: "Q4_0", shape: [1, 33], data: new Uint8Array(36) }, "format.shape"),
  "row of 16 in blocks of 32, two of them": one({ dtype: "Q4_0", shape: [2, 16], data: new Uint8Array(18) }, "format.shape"),
  "row of 255 in blocks of 256": one({ dtype: "Q6_K", shape: [255], data: new Uint8Array(210) }, "format.shape"),
  "a scalar in blocks": one({ dtype: "Q8_0", shape: [], data: new Uint8Array(34) }, "format.shape"),
  "as many tensors as allowed": files("accept", undefined, many(LIMITS.tensors)),
  "one tensor too many": files("format.limit", GGUF_FILE, many(LIMITS.tensors + 1)),
};

const cut = (bytes: number, spec: GgufSpec): Uint8Array => {
  const file = buildGguf(spec);
  return file.slice(0, file.length - bytes);
};
const longer = (bytes: number): Uint8Array => {
  const file = buildGguf({ tensors: [tensor({ shape: [7], data: new Uint8Array(28) })] });
  const more = new Uint8Array(file.length + bytes);
  more.set(file);
  return more;
};

export const GGUF_DATA: Attacks = {
  "offset 7": one({ offset: 7n }, "format.header"),
  "offset 16 at alignment 32": second(16n, "format.header"),
  "overlapping by half": files("format.overlap", "v", [tensor({ shape: [16], data: new Uint8Array(64) }), tensor({ name: "v", offset: 32n })]),
  "one inside the other": files("format.overlap", "v", [tensor({ shape: [32], data: new Uint8Array(128) }), tensor({ name: "v", offset: 64n })]),
  "an equal alias": second(0n, "format.overlap"),
  "an alias of another shape": files("format.overlap", "v", [tensor(), tensor({ name: "v", shape: [8], offset: 0n })]),
  "a hole": files("format.overlap", "v", [tensor(), tensor({ name: "v", offset: 64n }), tensor({ name: "u", offset: 32n * 4n })], { padEnd: true }),
  "a hole at the start": files("format.overlap", "w", [tensor({ shape: [4], data: new Uint8Array(64), offset: 32n })]),
  "tensors in another order than their bytes": files("accept", undefined, [tensor({ offset: 32n }), tensor({ name: "v", offset: 0n })]),
  "offset past the end": second(2n ** 40n, "format.truncated"),
  "offset at the end exactly": second(64n, "format.truncated"),
  "offset at the end and one": second(65n, "format.header"),
  "an empty tensor at the end exactly": files("accept", undefined, [tensor(), tensor({ name: "v", shape: [0], data: NOTHING })]),
  "an empty tensor past the end": files("format.truncated", "v", [tensor(), tensor({ name: "v", shape: [0], data: NOTHING, offset: 64n })]),
  "offset 2^53": second(2n ** 53n, "format.limit"),
  "offset 2^53 - 32": second(2n ** 53n - 32n, "format.limit"),
  "offset 2^64 - alignment": second(TWO_64 - 32n, "format.limit"),
  "sizes that sum past 2^64": files(
    "format.limit",
    undefined,
    Array.from({ length: 5000 }, (_, i) => tensor({ name: `${i}`, shape: [2n ** 50n], data: NOTHING, offset: BigInt(i) << 52n })),
  ),
  "data section missing": { make: () => cut(32, { tensors: [tensor()] }), expect: "format.truncated", what: "w" },
  "data section and padding before it missing": { make: () => cut(40, { tensors: [tensor()] }), expect: "format.truncated", what: "w" },
  "one byte short": { make: () => cut(1, { tensors: [tensor()] }), expect: "format.truncated", what: "w" },
  "last padding missing": files("accept", undefined, [tensor(), tensor({ name: "v", shape: [3], data: new Uint8Array(12) })], { padEnd: false }),
  "last padding cut": { make: () => cut(3, { tensors: [tensor({ shape: [7], data: new Uint8Array(28) })] }), expect: "accept" },
  "one byte behind the last padding": { make: () => longer(1), expect: "format.overlap", what: GGUF_FILE },
  "a megabyte behind the last padding": { make: () => longer(2 ** 20), expect: "format.overlap", what: GGUF_FILE },
  "data without tensors": { make: () => new Uint8Array(1000).fill(7).map((v, i) => buildGguf({})[i] ?? v), expect: "format.overlap", what: GGUF_FILE },
  "a tensor of 2^49 bytes that a sparse file really has": { make: () => hollow({ tensors: [tensor({ shape: [2 ** 23, 2 ** 24], data: NOTHING })] }, 2 ** 49), expect: "accept" },
  "a tensor of 2^49 bytes, one is not there": {
    make: () => hollow({ tensors: [tensor({ shape: [2 ** 23, 2 ** 24], data: NOTHING })] }, 2 ** 49 - 1),
    expect: "format.truncated",
    what: "w",
  },
};

/** Two blocks of a type with every scale set to f16 `bits` and all other bytes to `fill`. */
function filled(dtype: string, at: readonly number[], bits: number, fill: number): Attack {
  const [, { elements, bytes }] = [...TENSOR_TYPES].find(([, { name }]) => name === dtype) as [number, { elements: number; bytes: number }];
  const data = new Uint8Array(2 * bytes).fill(fill);
  const view = new DataView(data.buffer);
  for (const offset of at) for (const block of [0, bytes]) view.setUint16(block + offset, bits, true);
  return files("accept", undefined, [{ name: "w", dtype, shape: [2, elements], data }]);
}

const SCALES: Readonly<Record<string, readonly number[]>> = {
  F16: [0],
  Q4_0: [0],
  Q4_1: [0, 2],
  Q5_0: [0],
  Q5_1: [0, 2],
  Q8_0: [0],
  Q2_K: [80, 82],
  Q3_K: [108],
  Q4_K: [0, 2],
  Q5_K: [0, 2],
  Q6_K: [208],
};
const BITS: readonly (readonly [string, number, number])[] = [
  ["NaN", 0x7e01, 0x5a],
  ["infinite", 0x7c00, 0x5a],
  ["-0", 0x8000, 0x5a],
  ["subnormal", 0x0001, 0x5a],
  ["0, all bytes 0", 0, 0],
  ["of 65504, all bytes 255", 0x7bff, 255],
];

/** All are read as f32. What comes out is compared with PyPI gguf in test/formats/gguf.test.ts; here it must come out. */
export const GGUF_WEIGHTS: Attacks = {
  ...Object.fromEntries(Object.entries(SCALES).flatMap(([dtype, at]) => BITS.map(([name, bits, fill]) => [`${dtype}, scale ${name}`, filled(dtype, at, bits, fill)]))),
  "F32 with NaN and infinities": files("accept", undefined, [f32Tensor("w", [4], [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0])]),
  "ternary value 3": files("format.dtype", "w", [{ name: "w", dtype: "TQ2_0", shape: [256], data: new Uint8Array(66).fill(255) }]),
  "ternary byte 255": files("format.dtype", "w", [{ name: "w", dtype: "TQ1_0", shape: [256], data: new Uint8Array(54).fill(255) }]),
  "integers": files("format.dtype", "w", [{ name: "w", dtype: "I32", shape: [2], data: new Uint8Array(8) }]),
};

const name = (i: number, count = 3) => `m-${String(i).padStart(5, "0")}-of-${String(count).padStart(5, "0")}.gguf`;

/** Part `no` of three, one tensor each. */
function part(no: number, keys: Readonly<Record<string, ReturnType<typeof field>>> = {}, tensorName = `t${no}`): Uint8Array {
  const metadata = {
    "general.architecture": field("string", "llama"),
    "split.no": field("u16", no),
    "split.count": field("u16", 3),
    "split.tensors.count": field("i32", 3),
    ...keys,
  };
  return buildGguf({ metadata, tensors: [randomTensor(tensorName, "Q8_0", [2, 32], createRandom(no))] });
}

/** A sound model of three parts with some files exchanged; null takes one away. The first file is the one that is opened. */
function parts(changes: Readonly<Record<string, Uint8Array | null>>): Map<string, Uint8Array> {
  const all = new Map<string, Uint8Array>();
  for (const [file, bytes] of Object.entries({ [name(1)]: part(0), [name(2)]: part(1), [name(3)]: part(2), ...changes })) if (bytes !== null) all.set(file, bytes);
  return all;
}
const broken = (changes: () => Readonly<Record<string, Uint8Array | null>>, expect: Attack["expect"], what?: string): Attack => ({ make: () => parts(changes()), expect, what });
const keyed = (keys: Readonly<Record<string, ReturnType<typeof field>>>, expect: Attack["expect"], what: string): Attack =>
  broken(() => ({ [name(2)]: part(1, keys) }), expect, what);

export const GGUF_PARTS: Attacks = {
  "sound": broken(() => ({}), "accept"),
  "sound, opened by its last part": { make: () => new Map([...parts({})].reverse()), expect: "accept" },
  "first part missing": { make: () => new Map([...parts({ [name(1)]: null })]), expect: "file.missing", what: name(1) },
  "second part missing": broken(() => ({ [name(2)]: null }), "file.missing", name(2)),
  "last part missing": broken(() => ({ [name(3)]: null }), "file.missing", name(3)),
  "order swapped": broken(() => ({ [name(2)]: part(2), [name(3)]: part(1) }), "format.header", name(2)),
  "first and second swapped": broken(() => ({ [name(1)]: part(1), [name(2)]: part(0) }), "format.header", name(1)),
  "two with the same index": broken(() => ({ [name(3)]: part(1, {}, "t2") }), "format.duplicate", name(3)),
  "a part is half a download": broken(() => ({ [name(2)]: part(1).slice(0, -40) }), "format.truncated", "t1"),
  "a part is empty": broken(() => ({ [name(2)]: new Uint8Array(0) }), "format.truncated", name(2)),
  "a tensor in two parts": broken(() => ({ [name(2)]: part(1, {}, "t0") }), "format.duplicate", "t0"),
  "a part without split keys": broken(() => ({ [name(2)]: buildGguf({ tensors: [f32Tensor("t1", [1], [1])] }) }), "format.header", name(2)),
  "a part of a split of four": keyed({ "split.count": field("u16", 4) }, "format.header", name(2)),
  "a part that states other tensors": keyed({ "split.tensors.count": field("i32", 4) }, "format.header", name(2)),
  "index beyond the count": keyed({ "split.no": field("u16", 3) }, "format.header", name(2)),
  "index as text": keyed({ "split.no": field("string", "1") }, "model.config", "split.no"),
  "index negative": keyed({ "split.no": field("i16", -1) }, "model.config", "split.no"),
  "all state one tensor too many": {
    make: () => parts(Object.fromEntries([0, 1, 2].map((no) => [name(no + 1), part(no, { "split.tensors.count": field("i32", 4) })]))),
    expect: "format.header",
    what: name(1),
  },
  "513 parts": broken(() => ({ [name(1)]: part(0, { "split.count": field("u16", LIMITS.shards + 1) }) }), "format.limit", name(1)),
  "count in the name differs": {
    make: () =>
      new Map([
        [name(1, 2), part(0)],
        [name(2, 2), part(1)],
      ]),
    expect: "format.header",
    what: name(1, 2),
  },
  "a part under another name": { make: () => new Map([["model.gguf", part(0)]]), expect: "file.missing", what: "model.gguf" },
  "a part opened by itself": { make: () => part(1), expect: "file.missing", what: GGUF_FILE },
  "a part opened by itself, index beyond the count": { make: () => part(3), expect: "format.header", what: GGUF_FILE },
  "a whole model under the name of a part": { make: () => new Map([[name(1), buildGguf({ tensors: [f32Tensor("w", [1], [1])] })]]), expect: "accept" },
  "split.count 0": { make: () => buildGguf({ metadata: { "split.count": field("u16", 0) } }), expect: "accept" },
};
