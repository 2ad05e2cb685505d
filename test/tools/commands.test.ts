// The verbs one after the other on a tiny checkpoint, as a user types them: what each answers and leaves behind.
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tinyCheckpoint } from "../support/tiny.ts";
import { type Bench, bench } from "./skint.ts";

let b: Bench;
let parameters: number;
const TEXT = `${"He said hello to the world, and the world said hello to him again; it was good. ".repeat(12)}\n`;

beforeAll(async () => {
  b = bench();
  const tiny = await tinyCheckpoint({ tied: false });
  parameters = [...tiny.weights.values()].reduce((sum, w) => sum + w.values.length, 0);
  b.checkpoint("tiny", tiny.files);
  writeFileSync(b.path("text.txt"), TEXT);
});
afterAll(() => b.remove());

test("compress writes one file and says what it did", () => {
  const report = b.json("compress", "tiny", "--recipe", "w4", "--out", "w4.skint");
  expect(report).toMatchObject({ out: "w4.skint", recipe: "w4", golden: true, parameters });
  expect(report.sourceBytes).toBe(4 * parameters);
  expect(report.matrices).toHaveLength(16);
  for (const m of report.matrices) expect(m.relativeSquaredError, m.name).toBeLessThan(m.scheme === "q8" ? 1e-4 : 0.02);
  expect(statSync(b.path("w4.skint")).size).toBeGreaterThan(report.weightBytes);
  const human = b.skint("compress", "tiny", "--recipe", "f32", "--out", "f32.skint", "--layers");
  expect(human).toMatchObject({ exit: 0, err: "" });
  expect(human.out).toMatch(new RegExp(`^f32\\.skint: ${parameters} parameters, \\d+ kB → \\d+ kB \\([01]\\.\\d\\d×, \\d\\d\\.\\d\\d bits a parameter\\), recipe f32\n`));
  expect(human.out).toMatch(/layers\.1\.ffn\.down\.weight\s+f32\s+64×96/);
  expect(readdirSync(b.dir).sort()).toEqual(["f32.skint", "text.txt", "tiny", "w4.skint"]);
});

test("the same checkpoint and recipe give the same file", () => {
  const hash = (out: string) => b.json("inspect", out).hash;
  b.json("compress", "tiny", "--recipe", "w4", "--out", "again.skint");
  expect(hash("again.skint")).toBe(hash("w4.skint"));
  expect(hash("f32.skint")).not.toBe(hash("w4.skint"));
});

test("inspect shows what is inside and, with --plan, every step", () => {
  const d = b.json("inspect", "w4.skint", "--plan", "--threads", "1", "--isa", "simd");
  expect(d).toMatchObject({ architecture: "llama", recipe: "w4", vocabulary: 300, context: 160, build: "simd", parameters });
  expect(Object.keys(d.schemes).sort()).toEqual(["q4g32", "q8", "vectors"]);
  expect(d.plans.map((p: { name: string }) => p.name)).toEqual(["decode", "prefill"]);
  const steps = d.plans[0].steps as { step: string; kernel: string; why: string; bytes: number; macs: number; bound: string }[];
  expect(steps.find((s) => s.step === "layers.0.attention.q+k+v")).toMatchObject({ kernel: "gemv_q4g32__simd", macs: 128 * 64, bound: "latency" });
  expect(steps.every((s) => s.why && s.bytes > 0)).toBe(true);
  const text = b.skint("inspect", "w4.skint", "--plan", "--tensors").out;
  for (const words of ["plan decode: 1 token a step", "plan prefill: 128 tokens a step", "layers.0.attention.q+k+v", "head.weight"]) expect(text).toContain(words);
});

test("run continues a prompt; a seed fixes the text on any number of threads", () => {
  const run = (...more: string[]) => b.json("run", "w4.skint", "hello", "--max-tokens", "12", "--ignore-eos", ...more);
  const first = run("--seed", "5");
  expect(first).toMatchObject({ model: "w4.skint", recipe: "w4", prompt: "hello", stats: { generatedTokens: 12, stop: "length", reusedTokens: 0 } });
  expect(first.tokens).toHaveLength(12);
  expect(first.stats.decodeMs).toHaveLength(11);
  expect(run("--seed", "5", "--threads", "3", "--isa", "simd").tokens).toEqual(first.tokens);
  expect(run("--seed", "6").tokens).not.toEqual(first.tokens);
  const human = b.skint("run", "w4.skint", "hello", "--max-tokens", "12", "--ignore-eos", "--seed", "5");
  expect(human.out).toBe(`hello${first.text}\n`);
  expect(human.err).toMatch(/^w4 on \S+, \d+ lanes?, loaded in \d+ ms: .* 12 tokens at .*, ended by length\n$/);
});

test("a folder runs as it is, and under a recipe as its compressed file does", () => {
  const run = (...what: string[]) => b.json("run", ...what, "hello", "--max-tokens", "12", "--ignore-eos", "--temperature", "0").tokens;
  expect(run("tiny", "--recipe", "w4")).toEqual(run("w4.skint"));
  expect(run("tiny")).toEqual(run("f32.skint"));
});

test("eval compares two models on the same tokens", () => {
  const one = b.json("eval", "w4.skint", "text.txt", "--window", "64", "--stride", "32");
  expect(one.results[0]).toMatchObject({ recipe: "w4", window: 64, stride: 32, split: "none" });
  expect(one.results[0].textBytes).toBeGreaterThan(TEXT.length - 8);
  const both = b.json("eval", "f32.skint", "text.txt", "--against", "w4.skint", "--window", "64");
  expect(both.results.map((r: { recipe: string }) => r.recipe)).toEqual(["f32", "w4"]);
  const [f32, w4] = both.results.map((r: { bitsPerByte: number }) => r.bitsPerByte);
  expect(w4).toBe(one.results[0].bitsPerByte);
  expect(both.difference.difference).toBeCloseTo(w4 - f32, 10);
  expect(both.difference.ratio).toBeCloseTo(w4 / f32, 10);
  const self = b.json("eval", "w4.skint", "text.txt", "--against", "w4.skint", "--tokens", "200");
  expect(self.difference).toMatchObject({ difference: 0, ratio: 1 });
  expect(self.results[0].tokens).toBe(200);
});

test("eval scores several models on the same tokens and writes a page", () => {
  const { results, differences } = b.json("eval", "f32.skint", "w4.skint", "tiny", "text.txt", "--tokens", "200", "--html", "page.html");
  expect(results.map((r: { recipe: string }) => r.recipe)).toEqual(["f32", "w4", "source"]);
  expect(differences.map((d: { ratio: number }) => d.ratio)).toEqual([expect.closeTo(results[1].bitsPerByte / results[0].bitsPerByte, 10), expect.closeTo(1, 3)]);
  for (const { rate } of results) expect(rate.low).toBeLessThanOrEqual(rate.high);
  expect(readFileSync(b.path("page.html"), "utf8")).toContain("w4.skint");
});

test("compare says which layers lost most", () => {
  const { layers } = b.json("compare", "f32.skint", "w4.skint", "text.txt", "--tokens", "100");
  expect(layers.map((l: { layer: string }) => l.layer).sort()).toEqual(["layers.0", "layers.1"]);
  const growth = layers.map((l: { before: number; after: number }) => l.after - l.before);
  expect(growth[0]).toBeGreaterThanOrEqual(growth[1]);
  expect(b.skint("compare", "tiny", "w4.skint", "text.txt").out).toMatch(/layers\.\d +\S+ % +\S+ %[\s\S]*compressed without calibration/);
});

test("bench writes a record that a later bench compares itself with", () => {
  const small = ["--prompt-tokens", "20", "--decode-tokens", "8", "--rounds", "3", "--loads", "2"];
  const record = b.json("bench", "w4.skint", ...small, "--threads", "1");
  expect(record).toMatchObject({ recipe: "w4", threads: 1, model: { bytes: statSync(b.path("w4.skint")).size } });
  expect(record.figures.map((f: { id: string }) => f.id)).toEqual(expect.arrayContaining(["decode.rate", "prefill.rate", "first_token", "load", "memory.peak"]));
  writeFileSync(b.path("record.json"), JSON.stringify(record));
  const compared = b.skint("bench", "w4.skint", ...small, "--threads", "1", "--against", "record.json");
  expect(compared).toMatchObject({ exit: 0 });
  expect(compared.out).toContain("decode.rate");
  expect(b.skint("bench", "w4.skint", "--against", "text.txt")).toMatchObject({ exit: 1, err: expect.stringContaining("the record text.txt cannot be read") });
});

test("run --state goes on from where the last run ended: the state in the file is that of all tokens, and another model's is refused", async () => {
  const { mambaFolder } = await import("../support/mamba.ts");
  const folder = await mambaFolder();
  const files = new Map<string, Uint8Array>();
  for (const name of await folder.list()) {
    const source = await folder.open(name);
    const bytes = new Uint8Array(source.size);
    await source.read(0, bytes);
    files.set(name, bytes);
  }
  b.checkpoint("mamba", files);
  b.json("compress", "mamba", "--recipe", "w8", "--out", "mamba.skint");
  const run = (prompt: string, tokens: number, ...more: string[]) =>
    b.json("run", "mamba.skint", prompt, "--max-tokens", String(tokens), "--temperature", "1.5", "--ignore-eos", ...more) as { tokens: number[]; stats: { promptTokens: number } };
  const first = run("In the ", 5, "--state", "text.state");
  const second = run("beginning", 6, "--state", "text.state");
  const whole = run("In the ", 5);
  expect(first.tokens).toEqual(whole.tokens);
  expect(second.tokens).not.toEqual(run("beginning", 6).tokens);
  const { readFileSync } = await import("node:fs");
  const header = readFileSync(b.path("text.state")).subarray(8, 400).toString();
  expect(header).toContain(`"tokens":"${first.stats.promptTokens + 5 + second.stats.promptTokens + 6}"`);
  for (const [model, code] of [
    ["w4.skint", "session.state"],
    ["mamba", "session.state"],
  ]) {
    const { exit, out } = b.skint("run", model, "x", "--state", "text.state", "--json");
    expect({ exit, code: JSON.parse(out).error.code }, model).toEqual({ exit: 1, code });
  }
});

test("a model whose file is damaged is refused by every verb that loads it", async () => {
  const { readFileSync } = await import("node:fs");
  const bytes = readFileSync(b.path("w4.skint"));
  bytes[bytes.length - 5000] ^= 1;
  writeFileSync(b.path("damaged.skint"), bytes);
  for (const verb of [
    ["run", "damaged.skint", "hello"],
    ["inspect", "damaged.skint"],
    ["eval", "damaged.skint", "text.txt"],
    ["bench", "damaged.skint"],
  ]) {
    const { exit, out } = b.skint(...verb, "--json");
    expect({ exit, code: JSON.parse(out).error.code }, verb[0]).toEqual({ exit: 1, code: "format.hash" });
  }
  expect(existsSync(b.path("damaged.skint"))).toBe(true);
});
