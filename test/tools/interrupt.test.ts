// Ctrl-C while a large checkpoint is compressed: at whatever moment, no file and no part of one is left.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeLarge } from "./large.ts";
import { type Bench, bench } from "./skint.ts";

let b: Bench;

beforeAll(() => {
  b = bench();
  const { bytes } = writeLarge(b.path("large"), { width: 1024, layers: 3, heads: 16, kvheads: 4, dh: 64, hidden: 4096, context: 2048 }, 1);
  expect(bytes).toBeGreaterThan(150e6);
});
afterAll(() => b.remove());

const COMPRESS = ["compress", "large", "--recipe", "w4", "--out", "out.skint", "--progress", "json"];

test("it reports progress in bytes, and works on a file of another name", async () => {
  const child = b.start(...COMPRESS);
  while (!readdirSync(b.dir).some((f) => f.startsWith("out.skint.partial-"))) await new Promise((r) => setTimeout(r, 5));
  child.kill("SIGINT");
  const { err } = await child.ended;
  expect(readdirSync(b.dir)).toEqual(["large"]);
  const first = JSON.parse(err.split("\n").find((l) => l.includes('"progress"')) as string);
  expect(first).toMatchObject({ progress: "compressing large", unit: "bytes" });
});

test.each([
  ["SIGINT", 0],
  ["SIGINT", 200],
  ["SIGINT", 700],
  ["SIGTERM", 300],
] as const)("%s, %i ms after the first sign of work", async (signal, ms) => {
  const child = b.start(...COMPRESS, "--json");
  await child.until('"progress"');
  await new Promise((r) => setTimeout(r, ms));
  child.kill(signal);
  const { exit, out, err } = await child.ended;
  expect(err).toContain("stopping; once more to leave at once");
  expect(JSON.parse(out).error.code).toBe("aborted");
  expect(exit).toBe(130);
  expect(readdirSync(b.dir)).toEqual(["large"]);
});

test("a second Ctrl-C does not wait, and still leaves nothing", async () => {
  const child = b.start(...COMPRESS);
  await child.until('"progress"');
  child.kill("SIGINT");
  child.kill("SIGTERM");
  expect((await child.ended).exit).toBe(130);
  expect(readdirSync(b.dir)).toEqual(["large"]);
});

test("a file that was there before is still there, whole", async () => {
  writeFileSync(b.path("out.skint"), "the old one");
  const child = b.start(...COMPRESS);
  await child.until('"progress"');
  child.kill("SIGINT");
  expect((await child.ended).exit).toBe(130);
  expect(readdirSync(b.dir).sort()).toEqual(["large", "out.skint"]);
  expect(readFileSync(b.path("out.skint"), "utf8")).toBe("the old one");
});
