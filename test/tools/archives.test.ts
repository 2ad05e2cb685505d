// The archive readers of `skint pull` against archives that are wrong in every way that was thought of.
import fc from "fast-check";
import { expect, test } from "vitest";
import { SkintError } from "../../runtime/errors.ts";
import { memorySource } from "../../runtime/io/source.ts";
import { readTar } from "../../tools/pull/tar.ts";
import { readZip, unzip } from "../../tools/pull/zip.ts";
import { pax, type TarFile, tar, zip } from "./archives.ts";

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function untar(bytes: Uint8Array, size = 777): Promise<Record<string, string>> {
  const out: Record<string, string> = Object.create(null);
  await readTar("x.tgz", inPieces(bytes, size), (name) => {
    out[name] = "";
    return async (piece) => {
      out[name] += Buffer.from(piece).toString("latin1");
    };
  });
  return out;
}

async function unzipAll(bytes: Uint8Array): Promise<Record<string, string>> {
  const source = memorySource(bytes, "x.whl");
  const out: Record<string, string> = Object.create(null);
  for (const [name, entry] of await readZip(source)) {
    out[name] = "";
    await unzip(source, entry, async (piece) => {
      out[name] += Buffer.from(piece).toString("latin1");
    });
  }
  return out;
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "accepted",
    (e: unknown) => (e instanceof SkintError ? e.code : `bug: ${e}`),
  );

const LONG = `package/${"long/".repeat(60)}file`;

test("tar: files, long names of both kinds, folders and links", async () => {
  const files: TarFile[] = [
    { name: "package", type: "5" },
    { name: "package/a", body: "alpha" },
    { name: "package/empty" },
    { name: "package/link", type: "2" },
    pax({ path: LONG }),
    { name: "cut", body: "beta" },
    { name: "././@LongLink", type: "L", body: `${LONG}2\0` },
    { name: "cut", body: "x".repeat(1024) },
    { name: "pax_global_header", type: "g", body: "19 comment=abcdefg\n" },
    { name: "package/../../etc/passwd", body: "only a name" },
  ];
  const expected = { "package/a": "alpha", "package/empty": "", [LONG]: "beta", [`${LONG}2`]: "x".repeat(1024), "package/../../etc/passwd": "only a name" };
  for (const size of [1, 511, 512, 513, 100_000]) expect(await untar(tar(files), size)).toEqual(expected);
});

test("tar: what is malformed is refused", async () => {
  const one = (f: Partial<TarFile>) => tar([{ name: "package/a", body: "alpha", ...f }]);
  const cases: [string, Buffer, string][] = [
    ["empty", Buffer.alloc(0), "format.truncated"],
    ["one byte short of a header", one({}).subarray(0, 511), "format.truncated"],
    ["ends in a file", one({}).subarray(0, 514), "format.truncated"],
    ["no end", tar([{ name: "a", body: "b" }], false), "format.truncated"],
    ["checksum", one({ damage: (h) => void h.writeUInt8(1, 0) }), "format.header"],
    ["checksum no number", one({ damage: (h) => void h.write("xx", 148) }), "format.header"],
    ["size no number", one({ size: "00000000009\0" }), "format.header"],
    ["size negative", one({ size: "-0000000001\0" }), "format.header"],
    ["size beyond the file", one({ size: "77777777777\0" }), "format.truncated"],
    ["size beyond 2^53", one({ size: "\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" }), "format.limit"],
    ["link with content", one({ type: "1" }), "format.header"],
    ["pax length 0", tar([{ name: "p", type: "x", body: "0 a=b\n" }]), "format.header"],
    ["pax without length", tar([{ name: "p", type: "x", body: "path=b\n" }]), "format.header"],
    ["pax length beyond", tar([{ name: "p", type: "x", body: "99 a=b\n" }]), "format.header"],
    ["pax size", tar([pax({ size: "-1" }), { name: "a" }]), "format.header"],
    ["pax huge", tar([{ name: "p", type: "x", size: "00010000000\0" }]), "format.limit"],
    ["noise", Buffer.alloc(2048, 7), "format.header"],
  ];
  for (const [name, bytes, code] of cases) expect([name, await codeOf(untar(bytes))]).toEqual([name, code]);
});

test("zip: packed and stored files", async () => {
  const bytes = zip([
    { name: "p/a.gguf", body: "alpha".repeat(1000) },
    { name: "p/b", body: "beta", stored: true },
    { name: "p/empty", body: "" },
    { name: "../../etc/passwd", body: "only a name" },
  ]);
  expect(await unzipAll(bytes)).toEqual({ "p/a.gguf": "alpha".repeat(1000), "p/b": "beta", "p/empty": "", "../../etc/passwd": "only a name" });
});

test("zip: what is malformed is refused", async () => {
  const good = { name: "p/a", body: "alpha".repeat(100) };
  const central = (change: (line: Buffer) => void) => zip([{ ...good, central: change }]);
  const local = (change: (header: Buffer) => void) => zip([{ ...good, local: change }]);
  const end = (change: (end: Buffer) => void) => zip([good], change);
  const cases: [string, Buffer, string][] = [
    ["empty", Buffer.alloc(0), "format.header"],
    ["cut", zip([good]).subarray(0, -1), "format.header"],
    ["count", end((e) => e.writeUInt16LE(2, 10)), "format.header"],
    ["zip64", end((e) => e.writeUInt16LE(0xffff, 10)), "format.limit"],
    ["directory too large", end((e) => e.writeUInt32LE(0x7fffffff, 12)), "format.limit"],
    ["directory beyond", end((e) => e.writeUInt32LE(0x7fffffff, 16)), "format.header"],
    ["line signature", central((c) => c.writeUInt32LE(1, 0)), "format.header"],
    ["line name too long", central((c) => c.writeUInt16LE(9999, 28)), "format.header"],
    ["offset beyond", central((c) => c.writeUInt32LE(0x7fffffff, 42)), "format.header"],
    ["offset wrong", central((c) => c.writeUInt32LE(1, 42)), "format.header"],
    ["packed too long", central((c) => c.writeUInt32LE(0x7fffffff, 20)), "format.header"],
    ["bomb: says less than it unpacks to", central((c) => c.writeUInt32LE(10, 24)), "format.header"],
    ["says more", central((c) => c.writeUInt32LE(501, 24)), "format.truncated"],
    ["checksum", central((c) => c.writeUInt32LE(1, 16)), "format.hash"],
    ["method", central((c) => c.writeUInt16LE(99, 10)), "format.header"],
    ["encrypted", central((c) => c.writeUInt16LE(1, 8)), "format.header"],
    ["own signature", local((h) => h.writeUInt32LE(1, 0)), "format.header"],
    ["own name length", local((h) => h.writeUInt16LE(2, 26)), "format.header"],
    ["own extra beyond", local((h) => h.writeUInt16LE(0xffff, 28)), "format.header"],
    ["twice", zip([good, good]), "format.duplicate"],
    ["stored, two lengths", zip([{ ...good, stored: true, central: (c) => c.writeUInt32LE(9, 24) }]), "format.header"],
    ["does not unpack", zip([{ ...good, stored: true, central: (c) => c.writeUInt16LE(8, 10) }]), "format.header"],
  ];
  for (const [name, bytes, code] of cases) expect([name, await codeOf(unzipAll(bytes))]).toEqual([name, code]);
});

test("random damage ends in a value or a typed error", async () => {
  const archives = [
    { bytes: tar([{ name: "package/a", body: "alpha" }, pax({ path: LONG }), { name: "b", body: "b".repeat(600) }]), read: untar },
    {
      bytes: zip([
        { name: "p/a", body: "alpha".repeat(50) },
        { name: "b", body: "beta", stored: true },
      ]),
      read: unzipAll,
    },
  ];
  for (const { bytes, read } of archives) {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }), fc.nat(bytes.length), async (changes, cut) => {
        const bad = Buffer.from(bytes);
        for (const [at, value] of changes) bad[at] = value;
        expect(await codeOf(read(changes.length === 1 ? bad.subarray(0, cut) : bad))).not.toMatch(/^bug/);
      }),
      { numRuns: 400 },
    );
  }
});
