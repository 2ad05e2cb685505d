// Malformed model folders: an index and its shards, config.json, tokenizer.json.
import { LIMITS } from "../../runtime/limits.ts";
import type { Attack, Attacks } from "./attack.ts";
import { file } from "./safetensors.ts";

const INDEX = "model.safetensors.index.json";
const utf8 = (text: string) => new TextEncoder().encode(text);
const shard = (...names: string[]) =>
  file(`{${names.map((name, i) => `"${name}":{"dtype":"U8","shape":[4],"data_offsets":[${4 * i},${4 * i + 4}]}`).join(",")}}`, 4 * names.length);

/** A sound folder of two shards, with some of its files exchanged; null takes one away. */
function folder(changes: Readonly<Record<string, Uint8Array | string | null>>): Map<string, Uint8Array> {
  const files = new Map([
    ["config.json", utf8("{}")],
    ["tokenizer.json", utf8("{}")],
    ["m-1.safetensors", shard("a", "b")],
    ["m-2.safetensors", shard("c")],
    [INDEX, utf8(index({ a: "m-1.safetensors", b: "m-1.safetensors", c: "m-2.safetensors" }))],
  ]);
  for (const [name, bytes] of Object.entries(changes)) bytes === null ? files.delete(name) : files.set(name, typeof bytes === "string" ? utf8(bytes) : bytes);
  return files;
}

const index = (map: Record<string, string>, metadata: unknown = { total_size: 12 }) => JSON.stringify({ metadata, weight_map: map });
const pointing = (name: string): Attack => ({ make: () => folder({ [INDEX]: index({ a: name }) }), expect: "format.path", what: name });
const broken = (text: string, expect: Attack["expect"], what = INDEX): Attack => ({ make: () => folder({ [INDEX]: text }), expect, what });

export const FOLDERS: Attacks = {
  "sound": { make: () => folder({}), expect: "accept" },
  "index points to the parent": pointing("../x.safetensors"),
  "index points to the parent, from below": pointing("y/../../x.safetensors"),
  "index points to an absolute path": pointing("/etc/x.safetensors"),
  "index points to a folder below": pointing("y/x.safetensors"),
  "index points to the parent, with backslashes": pointing("..\\x.safetensors"),
  "index points to a drive": pointing("C:x.safetensors"),
  "index points to a URL": pointing("https://example.org/x.safetensors"),
  "index points to a name with a zero byte": pointing("x\0.safetensors"),
  "index points to dots": pointing(".."),
  "index points to nothing": pointing(""),
  "index points to another kind of file": pointing("config.json"),
  "index is its own shard": pointing(INDEX),
  "a shard is missing": { make: () => folder({ "m-2.safetensors": null }), expect: "file.missing", what: "m-2.safetensors" },
  "a shard is empty": { make: () => folder({ "m-2.safetensors": "" }), expect: "format.truncated", what: "m-2.safetensors" },
  "a shard is cut": { make: () => folder({ "m-1.safetensors": shard("a", "b").slice(0, -1) }), expect: "format.truncated", what: "b" },
  "shards changed places": { make: () => folder({ "m-1.safetensors": shard("c"), "m-2.safetensors": shard("a", "b") }), expect: "format.header", what: "c" },
  "a tensor stands in two shards": { make: () => folder({ "m-2.safetensors": shard("c", "a") }), expect: "format.duplicate", what: "a" },
  "a shard lacks a tensor of the index": { make: () => folder({ "m-1.safetensors": shard("a") }), expect: "format.header", what: "b" },
  "a shard holds a tensor that the index lacks": { make: () => folder({ "m-2.safetensors": shard("c", "d") }), expect: "format.header", what: "d" },
  "total_size too small": broken(index({ a: "m-1.safetensors", b: "m-1.safetensors", c: "m-2.safetensors" }, { total_size: 11 }), "format.header"),
  "total_size beyond 2^64": broken(index({ a: "m-1.safetensors", b: "m-1.safetensors", c: "m-2.safetensors" }).replace("12", "18446744073709551628"), "format.header"),
  "total_size as text": broken(index({ a: "m-1.safetensors", b: "m-1.safetensors", c: "m-2.safetensors" }, { total_size: "12" }), "format.header"),
  "total_size absent": { make: () => folder({ [INDEX]: index({ a: "m-1.safetensors", b: "m-1.safetensors", c: "m-2.safetensors" }, {}) }), expect: "accept" },
  "index is empty": broken("", "format.header"),
  "index is an array": broken("[]", "format.header"),
  "index without weight_map": broken('{"metadata":{}}', "format.header"),
  "weight_map empty": broken('{"weight_map":{}}', "format.header"),
  "weight_map as array": broken('{"weight_map":["a"]}', "format.header"),
  "weight_map names a number": broken('{"weight_map":{"a":1}}', "format.header"),
  "weight_map names a tensor twice": broken('{"weight_map":{"a":"m-1.safetensors","a":"m-2.safetensors"}}', "format.duplicate", "a"),
  "weight_map twice": broken('{"weight_map":{"a":"m-1.safetensors"},"weight_map":{"a":"m-2.safetensors"}}', "format.duplicate", "weight_map"),
  "index nested 100,000 deep": broken(`{"x":${"[".repeat(100_000)}`, "format.limit"),
  "index with bytes behind it": broken(`${index({ a: "m-1.safetensors" })}x`, "format.header"),
  "513 shards": broken(index(Object.fromEntries(Array.from({ length: LIMITS.shards + 1 }, (_, i) => [`${i}`, `${i}.safetensors`]))), "format.limit"),
  "500,000 tensors in the index": broken(`{"weight_map":{${Array.from({ length: 500_000 }, (_, i) => `"${i}":"m-1.safetensors"`).join(",")}}}`, "format.limit"),
  "tensor __proto__ in the index": {
    make: () =>
      folder({ "m-2.safetensors": shard("__proto__"), [INDEX]: index({ a: "m-1.safetensors", b: "m-1.safetensors" }).replace('"a":', '"__proto__":"m-2.safetensors","a":') }),
    expect: "accept",
  },
  "no weights at all": { make: () => folder({ [INDEX]: null }), expect: "file.missing", what: "model.safetensors" },
  "no config.json": { make: () => folder({ "config.json": null }), expect: "file.missing", what: "config.json" },
  "no tokenizer.json": { make: () => folder({ "tokenizer.json": null }), expect: "file.missing", what: "tokenizer.json" },
  "config.json is not UTF-8": { make: () => folder({ "config.json": Uint8Array.of(0x7b, 0xff) }), expect: "format.header", what: "config.json" },
  "config.json above its limit": { make: () => folder({ "config.json": new Uint8Array(LIMITS.configBytes + 1).fill(32) }), expect: "format.limit", what: "config.json" },
  "config.json with a key twice": { make: () => folder({ "config.json": '{"hidden_size":1,"hidden_size":2}' }), expect: "format.duplicate", what: "hidden_size" },
  "tokenizer.json nested 1 M deep": { make: () => folder({ "tokenizer.json": '{"a":'.repeat(1_000_000) }), expect: "format.limit", what: "tokenizer.json" },
  "tokenizer.json with 500,001 keys": {
    make: () => folder({ "tokenizer.json": `{${Array.from({ length: LIMITS.jsonKeys + 1 }, (_, i) => `"${i}":0`).join(",")}}` }),
    expect: "format.limit",
    what: "tokenizer.json",
  },
};
