// Malformed packs (`model.skint`): container rules only; what stands in graph or weights is attacked elsewhere.
import { LIMITS } from "../../runtime/limits.ts";
import { buildPack, SMALL } from "../formats/packs.ts";
import { sparseSource } from "../support/memory.ts";
import type { Attack, Attacks } from "./attack.ts";
import { file } from "./safetensors.ts";

/** Name that messages give to the pack under attack. */
export const PACK = "model.skint";

const headerBytes = (pack: Uint8Array) => Number(new DataView(pack.buffer).getBigUint64(0, true));
const headerText = (pack: Uint8Array) => new TextDecoder().decode(pack.subarray(8, 8 + headerBytes(pack))).trimEnd();

/** The pack with its header text edited, padded so that data stays aligned; the digest is not mended. */
async function edited(edit: (header: string) => string, padding?: number): Promise<Uint8Array> {
  const pack = await buildPack(SMALL);
  const before = headerText(pack);
  const text = edit(before);
  if (text === before && padding === undefined) throw new Error("the edit changed nothing");
  const length = new TextEncoder().encode(text).length;
  const spaces = padding ?? (64 - ((8 + length) % 64)) % 64;
  const data = pack.subarray(8 + headerBytes(pack));
  const out = file(text + " ".repeat(spaces), data.length);
  out.set(data, out.length - data.length);
  return out;
}

const edit = (from: string | RegExp, to: string, expect: Attack["expect"], what = PACK): Attack => ({ make: () => edited((header) => header.replace(from, to)), expect, what });

/** A pack of nothing but a header, with claimed bytes behind it. */
function claimed(tensors: readonly { name: string; dtype?: string; bytes: number }[], documents = ["graph", "card", "recipe"]) {
  const metadata = `"__metadata__":{"skint.sha256":"${"0".repeat(64)}","skint.format":"2","skint.architecture":"","skint.recipe":"","skint.licence":"","skint.provenance":""}`;
  let at = 0;
  const entries = [...documents.map((name) => ({ name: `skint.${name}`, dtype: "U8", bytes: 64 })), ...tensors].map(({ name, dtype = "U8", bytes }) => {
    at += bytes;
    return `${JSON.stringify(name)}:{"dtype":"${dtype}","shape":[${dtype === "F32" ? bytes / 4 : bytes}],"data_offsets":[${at - bytes},${at}]}`;
  });
  const text = `{${[metadata, ...entries].join(",")}}`;
  const front = file(text + " ".repeat((64 - ((8 + text.length) % 64)) % 64), 0);
  return sparseSource(front, front.length + at, PACK);
}

const claim = (tensors: Parameters<typeof claimed>[0], expect: Attack["expect"], what = PACK): Attack => ({ make: () => claimed(tensors), expect, what });

async function flipped(at: number, bit: number): Promise<Uint8Array> {
  const pack = await buildPack(SMALL);
  pack[at] ^= 1 << bit;
  return pack;
}

/** One bit wrong at every 1,000th byte of the data section, each time another bit. */
function flips(): Attacks {
  const out: Record<string, Attack> = {};
  for (let i = 0; i < 9; i++)
    out[`bit ${i % 8} of data byte ${i * 1000} flipped`] = {
      make: async () => flipped(8 + headerBytes(await buildPack(SMALL)) + i * 1000, i % 8),
      expect: "format.hash",
      what: PACK,
    };
  return out;
}

const U8 = (name: string, bytes: number) => ({ name, bytes });
const MAX = LIMITS.packTensorBytes;

export const CONTAINER: Attacks = {
  "sound": { make: () => buildPack(SMALL), expect: "accept" },
  "plain safetensors": { make: () => file('{"x":{"dtype":"U8","shape":[64],"data_offsets":[0,64]}}', 64), expect: "format.header", what: PACK },
  "version 0": edit('"skint.format":"2"', '"skint.format":"0"', "format.version"),
  "version 1": edit('"skint.format":"2"', '"skint.format":"1"', "format.version"),
  "version 3": edit('"skint.format":"2"', '"skint.format":"3"', "format.version"),
  "version of 100,000 digits": edit('"skint.format":"2"', `"skint.format":"${"9".repeat(100_000)}"`, "format.version"),
  "version as number": edit('"skint.format":"2"', '"skint.format":2', "format.header"),
  "no version": edit('"skint.format":"2",', "", "format.header"),
  "no architecture": edit('"skint.architecture":"llama",', "", "format.header", "skint.architecture"),
  "no licence": edit('"skint.licence":"Apache-2.0",', "", "format.header", "skint.licence"),
  "no digest": edit(/"skint.sha256":"[0-9a-f]*",/, "", "format.header"),
  "digest not first": edit(/("skint.sha256":"[0-9a-f]*"),("skint.format":"2")/, "$2,$1", "format.header"),
  "digest in capitals": edit(/"skint.sha256":"[0-9a-f]*"/, `"skint.sha256":"${"A".repeat(64)}"`, "format.header"),
  "digest too short": edit(/"skint.sha256":"[0-9a-f]*"/, '"skint.sha256":"00"', "format.header"),
  "digest of another file": edit(/"skint.sha256":"[0-9a-f]*"/, `"skint.sha256":"${"0".repeat(64)}"`, "format.hash"),
  "digest behind a space": edit('{"__metadata__":{', '{ "__metadata__":{', "format.header"),
  "licence exchanged": edit("Apache-2.0", "Apache-2.1", "format.hash"),
  "tensors renamed": edit('"embed"', '"embee"', "format.hash"),
  "header not padded to 64": { make: () => edited((header) => header, 0), expect: "format.header", what: PACK },
  "header padded by 64 more": {
    make: async () => edited((header) => header, 64 + ((64 - ((8 + headerText(await buildPack(SMALL)).length) % 64)) % 64)),
    expect: "format.header",
    what: PACK,
  },
  "cut by one byte": { make: async () => (await buildPack(SMALL)).slice(0, -1), expect: "format.truncated", what: "skint.golden" },
  "cut in the header": { make: async () => (await buildPack(SMALL)).slice(0, 500), expect: "format.truncated", what: PACK },
  "64 zeros behind the end": {
    make: async () => {
      const pack = await buildPack(SMALL);
      const longer = new Uint8Array(pack.length + 64);
      longer.set(pack);
      return longer;
    },
    expect: "format.overlap",
    what: PACK,
  },
  "another copy behind the end": { make: async () => Uint8Array.from([...(await buildPack(SMALL)), ...(await buildPack(SMALL))]), expect: "format.overlap", what: PACK },
  "a document that is not UTF-8": {
    make: async () => {
      const pack = await buildPack(SMALL);
      pack[8 + headerBytes(pack)] = 0xff;
      return pack;
    },
    expect: "format.header",
    what: "skint.graph",
  },
  "last digit of the digest another": {
    make: async () => {
      const pack = await buildPack(SMALL);
      const last = 8 + 33 + 63;
      pack[last] = pack[last] === 0x30 ? 0x31 : 0x30;
      return pack;
    },
    expect: "format.hash",
    what: PACK,
  },
  ...flips(),
};

export const TENSORS: Attacks = {
  "no graph": { make: () => claimed([], ["card", "recipe"]), expect: "format.header", what: "skint.graph" },
  "no card": { make: () => claimed([], ["graph", "recipe"]), expect: "format.header", what: "skint.card" },
  "no recipe": { make: () => claimed([], ["graph", "card"]), expect: "format.header", what: "skint.recipe" },
  "unknown document": claim([U8("skint.code", 64)], "format.header", "skint.code"),
  "document that is F32": claim([{ name: "skint.golden", dtype: "F32", bytes: 64 }], "format.dtype", "skint.golden"),
  "card above its limit": { make: () => claimed([U8("skint.card", LIMITS.documentBytes.card + 64)], ["graph", "recipe"]), expect: "format.limit", what: "skint.card" },
  "graph above its limit": { make: () => claimed([U8("skint.graph", LIMITS.documentBytes.graph + 64)], ["card", "recipe"]), expect: "format.limit", what: "skint.graph" },
  "tokenizer above its limit": claim([U8("skint.tokenizer", LIMITS.documentBytes.tokenizer + 64)], "format.limit", "skint.tokenizer"),
  "tensor of 128 MiB": claim([U8("w", MAX)], "format.hash"),
  "tensor above 128 MiB": claim([U8("w", MAX + 64)], "format.limit", "w"),
  "tensor of 2^50 bytes": claim([U8("w", 2 ** 50)], "format.limit", "w"),
  "tensor that is no multiple of 64": claim([U8("w", 100)], "format.shape", "w"),
  "empty tensor": claim([U8("w", 0)], "format.shape", "w"),
  "tensor that is F16": edit('"dtype":"F32","shape":[32]', '"dtype":"F16","shape":[64]', "format.dtype", "norm"),
  "tensor of two dimensions": edit('"shape":[4096]', '"shape":[64,64]', "format.shape", "head"),
  "scalar": claim(
    [U8("w", 64)].map((t) => ({ ...t, dtype: "I64" })),
    "format.shape",
    "w",
  ),
  "tensor without a name": claim([U8("", 64)], "format.header", ""),
  "parts": claim([U8("w#0", 64), U8("w#1", 64)], "format.hash"),
  "a single part": claim([U8("w#0", 64)], "format.header", "w"),
  "part 0 missing": claim([U8("w#1", 64)], "format.header", "w#1"),
  "part 1 missing": claim([U8("w#0", 64), U8("w#2", 64)], "format.header", "w#2"),
  "parts in another order": claim([U8("w#1", 64), U8("w#0", 64)], "format.header", "w#1"),
  "parts apart": claim([U8("w#0", 64), U8("v", 64), U8("w#1", 64)], "format.header", "w#1"),
  "parts of two types": claim([U8("w#0", 64), { name: "w#1", dtype: "F32", bytes: 64 }], "format.header", "w#1"),
  "whole and in parts": claim([U8("w", 64), U8("w#0", 64), U8("w#1", 64)], "format.duplicate", "w"),
  "part 1 behind a whole": claim([U8("w", 64), U8("w#1", 64)], "format.header", "w#1"),
  "part 01": claim([U8("w#0", 64), U8("w#01", 64)], "format.header", "w#01"),
  "part 2^64": claim([U8("w#0", 64), U8("w#18446744073709551617", 64)], "format.header", "w#18446744073709551617"),
  "60,000 parts of one tensor": claim(
    Array.from({ length: 60_000 }, (_, i) => U8(`w#${i}`, 64)),
    "format.hash",
  ),
  "name with two marks": claim([U8("w#0#0", 64)], "format.header", "w#0#0"),
  "tensor __proto__": claim([U8("__proto__", 64)], "format.hash"),
};
