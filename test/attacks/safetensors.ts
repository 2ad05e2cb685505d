// Malformed safetensors files, each under a name. The list of research on reliability, and every rule that docs/format.md states.
import { LIMITS } from "../../runtime/limits.ts";
import { sparseSource } from "../support/memory.ts";
import type { Attacks } from "./attack.ts";

/** Name that messages give to the file under attack. */
export const FILE = "model.safetensors";

const utf8 = (text: string) => new TextEncoder().encode(text);

/** A file from its parts; `length` is the header length it claims. */
export function file(header: string | Uint8Array, data: number, length?: bigint): Uint8Array {
  const text = typeof header === "string" ? utf8(header) : header;
  const bytes = new Uint8Array(8 + text.length + data);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

/** Header text of one U8 tensor `x` with raw JSON in place of a field. */
const one = (fields: { dtype?: string; shape?: string; offsets?: string; name?: string }) =>
  `{${fields.name ?? '"x"'}:{"dtype":${fields.dtype ?? '"U8"'},"shape":${fields.shape ?? "[4]"},"data_offsets":${fields.offsets ?? "[0,4]"}}}`;

const two = (a: string, b: string, sizes: [number, number] = [4, 4]) =>
  `{"a":{"dtype":"U8","shape":[${sizes[0]}],"data_offsets":${a}},"b":{"dtype":"U8","shape":[${sizes[1]}],"data_offsets":${b}}}`;

const shape = (json: string) => () => file(one({ shape: json }), 4);
const offsets = (json: string) => () => file(one({ offsets: json }), 4);
const padded = (header: string, length: number) => utf8(header + " ".repeat(length - header.length));
const VALID = one({});

/** `count` empty tensors. */
const empties = (count: number) => {
  const entries = Array.from({ length: count }, (_, i) => `"${i}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`);
  return `{${entries.join(",")}}`;
};

export const HEADER: Attacks = {
  "empty file": { make: () => new Uint8Array(0), expect: "format.truncated", what: FILE },
  "7 bytes": { make: () => new Uint8Array(7), expect: "format.truncated", what: FILE },
  "header of 0 bytes": { make: () => file("", 0), expect: "format.header", what: FILE },
  "header longer than the file": { make: () => file(VALID, 4, 1000n), expect: "format.truncated", what: FILE },
  "header length 2^63": { make: () => file(VALID, 4, 2n ** 63n), expect: "format.limit", what: FILE },
  "header length 2^64 - 1": { make: () => file(VALID, 4, 2n ** 64n - 1n), expect: "format.limit", what: FILE },
  "header length 2^32 + the true one": { make: () => file(VALID, 4, 2n ** 32n + BigInt(VALID.length)), expect: "format.limit", what: FILE },
  "header at the cap": { make: () => file(padded(VALID, LIMITS.headerBytes), 4), expect: "accept" },
  "header one byte above the cap": { make: () => file(padded(VALID, LIMITS.headerBytes + 1), 4), expect: "format.limit", what: FILE },
  "header at the cap, all wide characters": { make: () => file(utf8(`{"${"\u4e2d".repeat((LIMITS.headerBytes - 2) / 3)}`), 1), expect: "format.limit", what: FILE },
  "header of brackets at the cap": { make: () => file("[".repeat(LIMITS.headerBytes), 0), expect: "format.header", what: FILE },
  "header is not UTF-8": { make: () => file(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d), 0), expect: "format.header", what: FILE },
  "header is UTF-8 with surrogates": { make: () => file(Uint8Array.of(0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x7d), 0), expect: "format.header", what: FILE },
  "byte order mark": { make: () => file(`\ufeff${VALID}`, 4), expect: "format.header", what: FILE },
  "leading space": { make: () => file(` ${VALID}`, 4), expect: "format.header", what: FILE },
  "trailing spaces": { make: () => file(`${VALID}   `, 4), expect: "accept" },
  "trailing line end": { make: () => file(`${VALID}\n`, 4), expect: "format.header", what: FILE },
  "trailing zero byte": { make: () => file(`${VALID}\0`, 4), expect: "format.header", what: FILE },
  "a second object behind the first": { make: () => file(`${VALID}{}`, 4), expect: "format.header", what: FILE },
  "white space inside": { make: () => file(VALID.replaceAll(":", " :\t").replaceAll(",", "\r\n,"), 4), expect: "accept" },
  "not JSON": { make: () => file("{hello}", 0), expect: "format.header", what: FILE },
  "cut in the middle": { make: () => file(VALID.slice(0, 30), 4), expect: "format.header", what: FILE },
  "single quotes": { make: () => file(VALID.replaceAll('"', "'"), 4), expect: "format.header", what: FILE },
  "array at the top": { make: () => file("[]", 0), expect: "format.header", what: FILE },
  "string at the top": { make: () => file('"x"', 0), expect: "format.header", what: FILE },
  "nothing but an empty object": { make: () => file("{}", 0), expect: "accept" },
  "a pickle": { make: () => Uint8Array.of(0x80, 4, 0x95, 0x1a, 0, 0, 0, 0, 0, 0, 0, 0x8c, 5, 0x70, 0x6f, 0x73, 0x69, 0x78), expect: "format.limit", what: FILE },
};

export const NAMES: Attacks = {
  "a name twice": { make: () => file(`{${VALID.slice(1, -1)},${VALID.slice(1, -1)}}`, 4), expect: "format.duplicate", what: "x" },
  "a name twice, once escaped": { make: () => file(`{${VALID.slice(1, -1)},"\\u0078"${VALID.slice(4, -1)}}`, 4), expect: "format.duplicate", what: "x" },
  "__metadata__ twice": { make: () => file('{"__metadata__":{},"__metadata__":{}}', 0), expect: "format.duplicate", what: "__metadata__" },
  "a metadata key twice": { make: () => file('{"__metadata__":{"a":"1","a":"2"}}', 0), expect: "format.duplicate", what: "a" },
  "a field twice": { make: () => file(`{"x":{"dtype":"U8","dtype":"I8","shape":[4],"data_offsets":[0,4]}}`, 4), expect: "format.duplicate", what: "dtype" },
  "name __proto__": { make: () => file(one({ name: '"__proto__"' }), 4), expect: "accept" },
  "name constructor": { make: () => file(one({ name: '"constructor"' }), 4), expect: "accept" },
  "empty name": { make: () => file(one({ name: '""' }), 4), expect: "accept" },
  "name with a zero byte": { make: () => file(one({ name: '"a\\u0000b"' }), 4), expect: "accept" },
  "name of 1024": { make: () => file(one({ name: `"${"n".repeat(1024)}"` }), 4), expect: "accept" },
  "name of 70,000": { make: () => file(one({ name: `"${"n".repeat(70_000)}"` }), 4), expect: "format.limit", what: FILE },
  "name of 8 MB of escapes": { make: () => file(one({ name: `"${"\\n".repeat(4_000_000)}"` }), 4), expect: "format.limit", what: FILE },
  "name with half a surrogate pair": { make: () => file(one({ name: '"\\ud83d"' }), 4), expect: "format.header", what: FILE },
  "__metadata__ as array": { make: () => file('{"__metadata__":[]}', 0), expect: "format.header", what: FILE },
  "__metadata__ null": { make: () => file('{"__metadata__":null}', 0), expect: "format.header", what: FILE },
  "__metadata__ with a number": { make: () => file('{"__metadata__":{"a":1}}', 0), expect: "format.header", what: FILE },
  "__metadata__ nested": { make: () => file('{"__metadata__":{"a":{"b":"c"}}}', 0), expect: "format.header", what: FILE },
  "__metadata__ with key __proto__": { make: () => file('{"__metadata__":{"__proto__":"polluted"}}', 0), expect: "accept" },
  "__metadata__ with a value of 1 MB and one": { make: () => file(`{"__metadata__":{"a":"${"v".repeat(1_000_001)}"}}`, 0), expect: "format.limit", what: FILE },
  "__metadata__ with 1 M entries": {
    make: () => file(`{"__metadata__":{${Array.from({ length: 1_000_000 }, (_, i) => `"${i}":""`).join(",")}}}`, 0),
    expect: "format.limit",
    what: FILE,
  },
  "500,000 tensors": { make: () => file(empties(500_000), 0), expect: "format.limit", what: FILE },
  "200,000 tensors": { make: () => file(empties(200_000), 0), expect: "format.limit", what: FILE },
  "as many tensors as allowed": { make: () => file(empties(LIMITS.tensors), 0), expect: "accept" },
};

export const SHAPES: Attacks = {
  "dimension -1": { make: shape("[-1]"), expect: "format.shape", what: "x" },
  "dimension -0": { make: shape("[-0]"), expect: "format.shape", what: "x" },
  "dimension 1.5": { make: shape("[1.5]"), expect: "format.shape", what: "x" },
  "dimension 4.0": { make: shape("[4.0]"), expect: "format.shape", what: "x" },
  "dimension 1e308": { make: shape("[1e308]"), expect: "format.shape", what: "x" },
  'dimension "2"': { make: shape('["2",2]'), expect: "format.shape", what: "x" },
  "dimension null": { make: shape("[null]"), expect: "format.shape", what: "x" },
  "dimension 2^53 - 1": { make: shape("[9007199254740991]"), expect: "format.limit", what: "x" },
  "dimension 2^53 + 1": { make: shape("[9007199254740993]"), expect: "format.limit", what: "x" },
  "dimension 2^64 + 4": { make: shape("[18446744073709551620]"), expect: "format.limit", what: "x" },
  "dimension of 1,000,000 digits": { make: shape(`[${"9".repeat(1_000_000)}]`), expect: "format.limit", what: FILE },
  "rank 0": { make: () => file(one({ shape: "[]", offsets: "[0,1]" }), 1), expect: "accept" },
  "rank 8": { make: shape("[1,1,1,1,1,1,1,4]"), expect: "accept" },
  "rank 1,000": { make: shape(`[${"1,".repeat(999)}4]`), expect: "format.limit", what: "x" },
  "dimension 0": { make: () => file(one({ shape: "[0,9007199254740991]", offsets: "[0,0]" }), 0), expect: "accept" },
  "product wraps to 4": { make: shape("[4294967296,4294967296,4]"), expect: "format.limit", what: "x" },
  "product wraps to 0 in 64 bits": { make: shape("[4294967296,4294967296]"), expect: "format.limit", what: "x" },
  "product overflows, then times 0": { make: () => file(one({ shape: "[4294967296,4294967296,0]", offsets: "[0,0]" }), 0), expect: "format.limit", what: "x" },
  "shape as object": { make: shape("{}"), expect: "format.header", what: FILE },
  "shape as number": { make: shape("4"), expect: "format.header", what: FILE },
  "nested shape": { make: shape("[[4]]"), expect: "format.shape", what: "x" },
  "shape and bytes differ": { make: shape("[5]"), expect: "format.shape", what: "x" },
  "unknown dtype": { make: () => file(one({ dtype: '"Q4_0"' }), 4), expect: "format.dtype", what: "x" },
  "dtype constructor": { make: () => file(one({ dtype: '"constructor"' }), 4), expect: "format.dtype", what: "x" },
  "dtype __proto__": { make: () => file(one({ dtype: '"__proto__"' }), 4), expect: "format.dtype", what: "x" },
  "dtype in lower case": { make: () => file(one({ dtype: '"u8"' }), 4), expect: "format.dtype", what: "x" },
  "dtype as number": { make: () => file(one({ dtype: "8" }), 4), expect: "format.header", what: FILE },
  "F4 in whole bytes": { make: () => file(one({ dtype: '"F4"', shape: "[2,4]" }), 4), expect: "accept" },
  "F4 with an odd count": { make: () => file(one({ dtype: '"F4"', shape: "[7]" }), 4), expect: "format.shape", what: "x" },
  "F6_E2M3 with a count that is no multiple of 4": { make: () => file(one({ dtype: '"F6_E2M3"', shape: "[5]" }), 4), expect: "format.shape", what: "x" },
  "F6_E3M2 in whole bytes": { make: () => file(one({ dtype: '"F6_E3M2"', shape: "[4]", offsets: "[0,3]" }), 3), expect: "accept" },
  "F8_E4M3": { make: () => file(one({ dtype: '"F8_E4M3"' }), 4), expect: "accept" },
  "F32 that starts at an odd byte": {
    make: () => file('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}', 5),
    expect: "accept",
  },
};

export const OFFSETS: Attacks = {
  "offsets reversed": { make: offsets("[4,0]"), expect: "format.header", what: "x" },
  "offsets negative": { make: offsets("[-4,0]"), expect: "format.header", what: "x" },
  "offsets as floats": { make: offsets("[0,4.0]"), expect: "format.header", what: "x" },
  "offsets as strings": { make: offsets('["0","4"]'), expect: "format.header", what: "x" },
  "offsets beyond 2^53": { make: offsets("[0,9007199254740992]"), expect: "format.limit", what: "x" },
  "one offset": { make: offsets("[0]"), expect: "format.header", what: "x" },
  "three offsets": { make: offsets("[0,4,8]"), expect: "format.limit", what: "x" },
  "no offsets": { make: () => file('{"x":{"dtype":"U8","shape":[4]}}', 4), expect: "format.header", what: "x" },
  "a field that is not the format's": { make: () => file('{"x":{"dtype":"U8","shape":[4],"data_offsets":[0,4],"file":"/etc/passwd"}}', 4), expect: "format.header", what: "x" },
  "tensor as null": { make: () => file('{"x":null}', 0), expect: "format.header", what: FILE },
  "end beyond the file": { make: () => file(one({ shape: "[5]", offsets: "[0,5]" }), 4), expect: "format.truncated", what: "x" },
  "end far beyond the file": { make: () => file(one({ shape: "[1099511627776]", offsets: "[0,1099511627776]" }), 4), expect: "format.truncated", what: "x" },
  "file one byte short": { make: () => file(VALID, 3), expect: "format.truncated", what: "x" },
  "one byte behind the last tensor": { make: () => file(VALID, 5), expect: "format.overlap", what: FILE },
  "data without tensors": { make: () => file("{}", 4), expect: "format.overlap", what: FILE },
  "not starting at 0": { make: () => file(one({ offsets: "[2,6]" }), 6), expect: "format.overlap", what: "x" },
  "a hole": { make: () => file(two("[0,4]", "[6,10]"), 10), expect: "format.overlap", what: "b" },
  "overlapping by one byte": { make: () => file(two("[0,4]", "[3,7]"), 7), expect: "format.overlap", what: "b" },
  "one inside the other": { make: () => file(two("[0,8]", "[2,4]", [8, 2]), 8), expect: "format.overlap", what: "b" },
  "the same range twice": { make: () => file(two("[0,4]", "[0,4]"), 4), expect: "format.overlap", what: "b" },
  "an empty tensor inside another": { make: () => file(two("[0,4]", "[2,2]", [4, 0]), 4), expect: "format.overlap", what: "b" },
  "an empty tensor between two": {
    make: () => file(`{"e":{"dtype":"U8","shape":[0],"data_offsets":[4,4]},${two("[4,8]", "[0,4]").slice(1)}`, 8),
    expect: "accept",
  },
  "tensors in another order than their bytes": { make: () => file(two("[4,8]", "[0,4]"), 8), expect: "accept" },
  "a tensor of 2^49 bytes that a sparse file really has": {
    make: () =>
      sparseSource(
        file(one({ shape: "[562949953421312]", offsets: "[0,562949953421312]" }), 0),
        8 + one({ shape: "[562949953421312]", offsets: "[0,562949953421312]" }).length + 2 ** 49,
        FILE,
      ),
    expect: "accept",
  },
};
