// `bench tune` keeps what is fastest, and models run on it unless told otherwise; limits of lists are kept, too; --engine-flags is named wherever a build is.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tinyCheckpoint } from "../support/tiny.ts";
import { type Bench, bench } from "./skint.ts";

let b: Bench;
let kept: string;
const before = process.env.SKINT_CACHE;
const cache = mkdtempSync(join(tmpdir(), "skint-tune-"));

beforeAll(async () => {
  process.env.SKINT_CACHE = cache;
  b = bench();
  b.checkpoint("tiny", (await tinyCheckpoint()).files);
  b.json("compress", "tiny", "--recipe", "w4", "--out", "w4.skint");
});
afterAll(() => {
  if (before === undefined) delete process.env.SKINT_CACHE;
  else process.env.SKINT_CACHE = before;
  b.remove();
  rmSync(cache, { recursive: true, force: true });
});

const run = (...more: string[]) => b.json("run", "w4.skint", "hello", "--max-tokens", "4", ...more);

test("tuning measures every build that runs here, and keeps one", () => {
  expect(run()).toMatchObject({ tuned: false });
  const told = b.json("bench", "tune", "w4.skint");
  kept = told.kept;
  expect(told.candidates.filter((c: { taken: boolean }) => c.taken)).toHaveLength(1);
  expect(told.candidates.map((c: { build: string }) => c.build)).toContain("simd");
  for (const c of told.candidates) expect(c.decodeMs).toBeGreaterThan(0);
  const { build, threads } = told.candidates.find((c: { taken: boolean }) => c.taken);
  expect(run()).toMatchObject({ tuned: true, build, threads });
});

test("what is kept is taken, unless a build, threads or --no-tune is asked for", () => {
  writeFileSync(kept, JSON.stringify({ isa: "scalar", threads: 1 }));
  expect(run()).toMatchObject({ tuned: true, build: "scalar", threads: 1 });
  expect(b.skint("run", "w4.skint", "hello", "--max-tokens", "4").err).toContain("on scalar, 1 lane, tuned");
  expect(b.json("bench", "w4.skint", "--rounds", "2", "--loads", "1")).toMatchObject({ tuned: true, builds: ["scalar"] });
  for (const how of [["--no-tune"], ["--isa", "simd"], ["--threads", "1"]]) {
    const answer = run(...how);
    expect(answer.tuned, how[0]).toBe(false);
    expect(answer.build, how[0]).not.toBe("scalar");
  }
});

test("another model was not tuned by it", () => {
  b.json("compress", "tiny", "--recipe", "w8", "--out", "w8.skint");
  expect(b.json("run", "w8.skint", "hello", "--max-tokens", "4").tuned).toBe(false);
});

test.each(["", "{", "null", '{"isa":"mmx","threads":1}', '{"isa":"simd","threads":65}', '{"isa":"simd","threads":"1"}'])("a file that says %j counts as none", (text) => {
  const sound = readFileSync(kept);
  writeFileSync(kept, text);
  expect(run().tuned).toBe(false);
  writeFileSync(kept, sound);
});

test("up to which length lists of neurons pay is measured once for a build, lanes and model; what is not sound counts as none", () => {
  b.json("compress", "tiny", "--recipe", "w4n", "--out", "w4n.skint");
  const limit = (...more: string[]) => b.json("run", "w4n.skint", "hello", "--max-tokens", "4", ...more).ffn.limit;
  const first = limit();
  expect(first.from).toBe("measured");
  expect(limit()).toEqual({ ...first, from: "kept" });
  expect(limit("--isa", "scalar").from).toBe("measured");
  const folder = join(cache, "limits");
  for (const text of ["", "null", '{"limit":1.5}', '{"limit":"1"}']) {
    for (const file of readdirSync(folder)) writeFileSync(join(folder, file), text);
    expect(limit().from, text).toBe("measured");
  }
  for (const file of readdirSync(folder)) writeFileSync(join(folder, file), '{"limit":0.25}');
  expect(limit()).toEqual({ share: 0.25, from: "kept" });
});

test("switches of the engine are named beside the build, and give the same tokens", () => {
  const plain = run("--seed", "3");
  const flagged = run("--seed", "3", "--engine-flags", "--no-tune");
  const [major] = process.versions.node.split(".").map(Number);
  const name = major < 22 ? "relaxed-simd" : process.arch === "x64" ? "revectorize" : undefined;
  expect(flagged.tokens).toEqual(plain.tokens);
  expect(flagged.build).toMatch(name ? new RegExp(`\\+${name}$`) : /^[^+]+$/);
  expect(b.skint("run", "w4.skint", "hello", "--max-tokens", "4", "--engine-flags", "--no-tune").err).toContain(flagged.build);
});
