// Node's files and digest: typed errors, nothing half-written, whatever ends the process.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createFile, openFile, openFolder } from "../../targets/hosts/node/files.ts";
import { sha256 } from "../../targets/hosts/node/hash.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "skint-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("reads at any offset, into shared memory too, across pieces", async () => {
  const bytes = Uint8Array.from({ length: 9 * 2 ** 20 }, (_, i) => (i * 7) ^ (i >> 9));
  writeFileSync(join(folder, "x"), bytes);
  const source = await openFile(join(folder, "x"));
  expect([source.name, source.size]).toEqual(["x", bytes.length]);
  const into = new Uint8Array(new SharedArrayBuffer(bytes.length), 5, bytes.length - 5);
  await source.read(3, into.subarray(0, into.length));
  expect(Buffer.compare(Buffer.from(into.slice(0, -2)), bytes.subarray(3, -4))).toBe(0);
  await source.close();
  await source.close();
});

test("a file that is cut after opening ends in format.truncated", async () => {
  writeFileSync(join(folder, "x"), new Uint8Array(100));
  const source = await openFile(join(folder, "x"));
  truncateSync(join(folder, "x"), 50);
  await expect(source.read(40, new Uint8Array(20))).rejects.toMatchObject({ code: "format.truncated", place: { what: "x" } });
  await source.close();
});

test("missing and unreadable files are told apart", async () => {
  await expect(openFile(join(folder, "none"))).rejects.toMatchObject({ code: "file.missing" });
  await expect(openFile(folder)).rejects.toMatchObject({ code: "file.unreadable" });
  await expect(openFile("/dev/zero")).rejects.toMatchObject({ code: "file.unreadable" });
  await expect(createFile(join(folder, "none", "x"))).rejects.toMatchObject({ code: "file.missing" });
  await expect(openFolder(join(folder, "none"))).rejects.toMatchObject({ code: "file.missing" });
  writeFileSync(join(folder, "x"), "");
  await expect(openFolder(join(folder, "x"))).rejects.toMatchObject({ code: "file.missing" });
});

test("a folder opens plain names only", async () => {
  writeFileSync(join(folder, "x"), "x");
  const opened = await openFolder(folder);
  expect(await opened.list()).toEqual(["x"]);
  await (await opened.open("x")).close();
  for (const name of ["../x", "/etc/hostname", "", ".", "..", "a/x"]) await expect(opened.open(name)).rejects.toMatchObject({ code: "format.path", place: { what: name } });
});

test("a file appears when it is committed, and replaces what was there in one step", async () => {
  const path = join(folder, "x");
  writeFileSync(path, "old");
  const sink = await createFile(path);
  await expect(createFile(path)).rejects.toMatchObject({ code: "usage" });
  await sink.write(2, new TextEncoder().encode("cd"));
  await sink.write(0, new TextEncoder().encode("ab"));
  expect(readdirSync(folder).sort()).toEqual(["x", `x.partial-${process.pid}`]);
  expect(readFileSync(path, "utf8")).toBe("old");
  await sink.commit();
  await sink.abort();
  expect(readdirSync(folder)).toEqual(["x"]);
  expect(readFileSync(path, "utf8")).toBe("abcd");
});

test("an aborted file leaves nothing, and no listener", async () => {
  const before = process.listenerCount("SIGINT");
  const sink = await createFile(join(folder, "x"));
  expect(process.listenerCount("SIGINT")).toBe(before + 1);
  await sink.write(0, new Uint8Array(10));
  await sink.abort();
  await sink.abort();
  expect(readdirSync(folder)).toEqual([]);
  expect(process.listenerCount("SIGINT")).toBe(before);
});

test("a link in place of the partial file is not followed", async () => {
  writeFileSync(join(folder, "victim"), "whole");
  symlinkSync(join(folder, "victim"), join(folder, `x.partial-${process.pid}`));
  const sink = await createFile(join(folder, "x"));
  await sink.write(0, new Uint8Array(10));
  await sink.commit();
  expect(readFileSync(join(folder, "victim"), "utf8")).toBe("whole");
});

test.each([
  ["SIGINT", "alone", { code: null, signal: "SIGINT" }],
  ["SIGTERM", "alone", { code: null, signal: "SIGTERM" }],
  ["SIGINT", "own", { code: 3, signal: null }],
] as const)("%s in the middle of writing leaves nothing half-written (%s)", async (signal, own, end) => {
  const child = spawn(process.execPath, ["tools/dev/ts.mjs", "test/hosts/interrupted.ts", join(folder, "x"), own], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  expect(readdirSync(folder)).toEqual([`x.partial-${child.pid}`]);
  child.kill(signal);
  const [code, by] = await once(child, "exit");
  expect({ code, signal: by }).toEqual(end);
  expect(readdirSync(folder)).toEqual([]);
});

test("sha256 of shared and plain memory", () => {
  const text = new TextEncoder().encode("abc");
  const shared = new Uint8Array(new SharedArrayBuffer(3));
  shared.set(text);
  for (const bytes of [text, shared]) {
    const hasher = sha256();
    hasher.update(bytes.subarray(0, 1));
    hasher.update(bytes.subarray(1));
    expect(hasher.digest()).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  }
});
