// `skint profile`: what it counts, prints and draws, and how it fails.
import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mambaFolder } from "../support/mamba.ts";
import { pack, packFolder, tinyCheckpoint } from "../support/tiny.ts";
import { type Bench, bench } from "./skint.ts";

const TEXT = "In the beginning was a text that is long enough. ".repeat(12);

let b: Bench;

beforeAll(async () => {
  b = bench();
  const relu = await tinyCheckpoint({ activation: "relu" });
  b.checkpoint("relu", relu.files);
  writeFileSync(b.path("relu.skint"), (await pack(relu, "w4n")).bytes);
  writeFileSync(b.path("silu.skint"), (await pack(await tinyCheckpoint(), "w4")).bytes);
  writeFileSync(b.path("mamba.skint"), (await packFolder(await mambaFolder(), "f32")).bytes);
  writeFileSync(b.path("text.txt"), TEXT);
  writeFileSync(b.path("short.txt"), "Too short.");
});
afterAll(() => b.remove());

test("every layer's zeros, CETT, greatest, cores, and the break-even; a checkpoint is packed by neurons first", () => {
  const from = ["--text", "text.txt", "--tokens", "400", "--window", "100"];
  const told = b.json("profile", "relu.skint", ...from);
  expect(told).toMatchObject({ kind: "profile", recipe: "w4n", tokens: 400, windows: 4 });
  expect(told.layers.map((l: { layer: string }) => l.layer)).toEqual(["layers.0.ffn.down", "layers.1.ffn.down"]);
  for (const l of told.layers) {
    expect(l.active.mean).toBeGreaterThan(0.2);
    expect(l.active.mean).toBeLessThan(0.8);
    expect(l.cett.map((c: { sparsity: number }) => c.sparsity)).toEqual([...l.cett.map((c: { sparsity: number }) => c.sparsity)].sort());
    expect(l.cett[0].sparsity).toBeGreaterThanOrEqual(1 - l.active.mean - 1e-9);
    expect(l.rates).toHaveLength(96);
    expect(l.firing.dead).toBe(l.dead.length);
    expect(l.cores.growth.map((g: { tokens: number }) => g.tokens)).toEqual([16, 32]);
  }
  expect(told.breakEven.points.map((p: { listed: number }) => p.listed).at(-1)).toBe(1);
  const folder = b.json("profile", "relu", ...from);
  expect(folder.layers).toEqual(told.layers);
});

test("the table, without a break-even where the model does not lie by neurons", () => {
  const { out, exit } = b.skint("profile", "silu.skint", "--text", "text.txt", "--tokens", "100");
  expect(exit).toBe(0);
  expect(out).toMatch(/silu\.skint: 100 tokens in 1 windows, perplexity \d/);
  expect(out).toMatch(/layers\.1\.ffn\.down +silu, gated +96 +100\.0 %/);
  expect(out).toMatch(/break-even: the model does not lie by neurons/);
});

test("curves and page: all rules at all shares, with nothing to fetch", () => {
  const { curves } = b.json("profile", "relu.skint", "--text", "text.txt", "--tokens", "400", "--window", "100", "--curves", "--html", "page.html");
  expect(curves).toMatchObject({ window: 100, tokens: 2 * 49 });
  expect(new Set(curves.points.map((p: { rule: string }) => p.rule))).toEqual(new Set(["cett", "topk", "threshold", "core", "frequency", "random"]));
  const html = readFileSync(b.path("page.html"), "utf8");
  expect(html.match(/<svg /g)).toHaveLength(6);
  for (const text of ["Perplexity against sparsity", "CoreInfer", "break-even here", "layers.0.ffn.down"]) expect(html).toContain(text);
  expect(html).not.toMatch(/(src|href)=|url\(|@import|NaN|undefined/);
});

test("a record of a benchmark says what share a mode left out", () => {
  const figures = (...how: string[]) => {
    const { figures } = b.json("bench", "relu.skint", "--rounds", "2", "--loads", "1", "--ffn", ...how);
    return new Map((figures as { id: string; median: number }[]).map((f) => [f.id, f.median]));
  };
  const core = figures("core:stable,0.4,0.2");
  expect(core.get("ffn.core.skipped")).toBeGreaterThan(0.1);
  expect(figures("dense").get("ffn.dense.skipped")).toBe(0);
});

test.each([
  [["relu.skint"], /no text to profile/, 2],
  [["relu.skint", "--text", "nowhere.txt"], /cannot be read/, 3],
  [["relu.skint", "--text", "short.txt"], /has 9 tokens to read; give a text of at least 64/, 2],
  [["mamba.skint", "--text", "text.txt"], /no feed-forward layers/, 2],
  [["silu.skint", "--text", "text.txt", "--curves", "--window", "100"], /does not lie by neurons/, 2],
  [["relu.skint", "--text", "text.txt", "--tokens", "100", "--curves"], /two at least/, 2],
  [["relu.skint", "--text", "text.txt", "--tokens", "1"], /whole number/, 2],
  [["nowhere.skint", "--text", "text.txt"], /there is no nowhere/, 3],
])("%j is refused", (args, why, code) => {
  const { exit, err } = b.skint("profile", ...args);
  expect(err).toMatch(why);
  expect(exit).toBe(code);
});

test("Ctrl-C ends it", async () => {
  writeFileSync(b.path("long.txt"), TEXT.repeat(400));
  const { kill, until, ended } = b.start("profile", "relu.skint", "--text", "long.txt", "--tokens", "200000", "--window", "100", "--progress", "json");
  await until('"reading"');
  kill("SIGINT");
  expect((await ended).exit).toBe(130);
});
