// The pack format: written, opened, loaded; what it holds and where.
import { expect, test } from "vitest";
import { openSafetensors } from "../../runtime/formats/safetensors/reader.ts";
import { readInto } from "../../runtime/formats/skint/load.ts";
import { openPack, type Pack } from "../../runtime/formats/skint/reader.ts";
import { createPack } from "../../runtime/formats/skint/writer.ts";
import { memorySource } from "../../runtime/io/source.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { sha256 } from "../../targets/hosts/node/hash.ts";
import { memorySink } from "../support/memory.ts";
import { buildPack, contentOf, METADATA, SMALL, specOf } from "./packs.ts";

const open = async (): Promise<Pack> => openPack(memorySource(await buildPack(SMALL), "model.skint"));

test("a pack is a safetensors file whose tensors are aligned to 64 bytes", async () => {
  const file = await openSafetensors(memorySource(await buildPack(SMALL)));
  expect(file.header.dataOffset % 64).toBe(0);
  for (const entry of file.header.tensors.values()) expect([entry.begin % 64, entry.end % 64]).toEqual([0, 0]);
  expect(file.tensors.get("norm")).toMatchObject({ dtype: "F32", shape: [32] });
});

test("metadata, documents and tensors come back", async () => {
  const pack = await open();
  expect(pack.meta("architecture")).toBe(METADATA.architecture);
  expect(pack.meta("licence")).toBe(METADATA.licence);
  expect(await pack.document("card")).toBe('{"name":"tést"}');
  expect(await pack.document("golden")).toBe('{"tokens":[1,2,3]}');
  expect([...pack.tensors.keys()]).toEqual(["embed", "norm", "head"]);
  const bytes = new Uint8Array(5056);
  await pack.readBytes("embed", 0, bytes);
  expect(bytes.subarray(0, 5000)).toEqual(contentOf(5000, 0));
  expect(bytes.subarray(5000).every((b) => b === 0)).toBe(true);
});

test("an optional document that is absent is undefined", async () => {
  const sink = memorySink();
  const { graph, card, recipe } = specOf([]).documents;
  const writer = await createPack(sink, sha256(), { metadata: METADATA, documents: { graph, card, recipe }, tensors: [] });
  await writer.finish();
  const pack = await openPack(memorySource(sink.bytes() as Uint8Array));
  expect(await pack.document("tokenizer")).toBeUndefined();
  expect(await pack.document("graph")).toBe(graph);
});

test.each([false, true])("loading fills shared or plain memory, neighbours and strangers alike (shared: %s)", async (shared) => {
  const pack = await open();
  const memory = shared ? new SharedArrayBuffer(16384) : new ArrayBuffer(16384);
  const at = { embed: 64, norm: 64 + 5056, head: 8192 };
  const placements = new Map(Object.entries(at).map(([name, offset]) => [name, new Uint8Array(memory, offset, pack.tensors.get(name)?.bytes)]));
  const progress: number[][] = [];
  await readInto(pack, placements, { hasher: sha256(), onProgress: (done, total) => progress.push([done, total]) });
  for (const [seed, { name, bytes }] of SMALL.entries()) expect(Uint8Array.from(placements.get(name) as Uint8Array).subarray(0, bytes)).toEqual(contentOf(bytes, seed));
  const total = pack.size - pack.dataOffset;
  expect(progress).toEqual([[total, total]]);
});

test("loading stops when asked", async () => {
  const controller = new AbortController();
  controller.abort();
  await expect(readInto(await open(), new Map(), { hasher: sha256(), signal: controller.signal })).rejects.toMatchObject({ code: "aborted" });
});

test("loading refuses a place of the wrong length and a tensor that is not there", async () => {
  const pack = await open();
  await expect(readInto(pack, new Map([["embed", new Uint8Array(5000)]]), { hasher: sha256() })).rejects.toMatchObject({ code: "usage", place: { what: "embed" } });
  await expect(readInto(pack, new Map([["other", new Uint8Array(64)]]), { hasher: sha256() })).rejects.toMatchObject({ code: "model.tensor", place: { what: "other" } });
});

test("the digest is what docs/format.md says", async () => {
  const file = await buildPack(SMALL);
  const length = Number(new DataView(file.buffer).getBigUint64(0, true));
  const digest = new TextDecoder().decode(file.subarray(41, 105));
  const blanked = file.slice(8, 8 + length);
  blanked.fill("0".charCodeAt(0), 33, 97);
  let end = blanked.length;
  while (blanked[end - 1] === 32) end--;
  const hasher = sha256();
  hasher.update(blanked.subarray(0, end));
  hasher.update(file.subarray(8 + length));
  expect(hasher.digest()).toBe(digest);
});

test("the same pack is the same bytes, whatever the chunks", async () => {
  expect(await buildPack(SMALL, 7)).toEqual(await buildPack(SMALL, 100_000));
});

test("a tensor above 128 MiB is split between blocks of rows and joined again", async () => {
  const granularity = 16 * 9 * 1001;
  const bytes = granularity * 1000;
  const parts: [number, number][] = [];
  const head = memorySink();
  const sink = { ...head, write: async (offset: number, chunk: Uint8Array) => (offset < 4096 ? head.write(offset, chunk) : void parts.push([offset, chunk.length])) };
  const writer = await createPack(sink, { update() {}, digest: () => "0".repeat(64) }, specOf([{ name: "big", dtype: "U8", bytes, granularity }]));
  const chunk = new Uint8Array(granularity);
  for (let i = 0; i < 1000; i++) await writer.write("big", chunk);
  await writer.document("golden", "{}");
  await writer.finish();
  const [offset, length] = parts.at(-1) as [number, number];
  const size = offset + length;
  const pack = await openPack({ ...memorySource(head.bytes() as Uint8Array), size });
  const big = pack.tensors.get("big");
  expect(big?.parts.length).toBe(2);
  expect(big?.bytes).toBe(Math.ceil(bytes / 64) * 64);
  expect(Math.max(...(big?.parts ?? []))).toBeLessThanOrEqual(LIMITS.packTensorBytes);
  expect((big?.parts[0] ?? 1) % granularity).toBe(0);
});

test("the writer refuses wrong order, too much, too little, unknown names and a document without room", async () => {
  const start = () => createPack(memorySink(), sha256(), specOf(SMALL));
  await expect((await start()).write("norm", new Uint8Array(80))).rejects.toMatchObject({ code: "usage", place: { what: "norm" } });
  await expect((await start()).write("embed", new Uint8Array(5001))).rejects.toMatchObject({ code: "usage", place: { what: "embed" } });
  await expect((await start()).write("other", new Uint8Array(1))).rejects.toMatchObject({ code: "usage", place: { what: "other" } });
  await expect((await start()).finish()).rejects.toMatchObject({ code: "usage", place: { what: "embed" } });
  await expect((await start()).document("golden", "x".repeat(300))).rejects.toMatchObject({ code: "format.limit", place: { what: "golden" } });
  await expect(createPack(memorySink(), sha256(), specOf([SMALL[0], SMALL[0]]))).rejects.toMatchObject({ code: "format.duplicate" });
  await expect(createPack(memorySink(), sha256(), specOf([{ name: "skint.x", dtype: "U8", bytes: 64 }]))).rejects.toMatchObject({ code: "usage" });
});

test("verifying on opening finds a damaged byte", async () => {
  const file = await buildPack(SMALL);
  await expect(openPack(memorySource(file), { hasher: sha256() })).resolves.toBeDefined();
  file[file.length - 300] ^= 1;
  await expect(openPack(memorySource(file), { hasher: sha256() })).rejects.toMatchObject({ code: "format.hash" });
});
