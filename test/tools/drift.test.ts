// `skint drift`: distances of states that are known beforehand, what it prints and draws, and how it fails.
import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { architecture } from "../../models/mamba/model.ts";
import { cachesOf } from "../../tools/drift/memory.ts";
import { mambaConfig, mambaFolder } from "../support/mamba.ts";
import { pack, packFolder, tinyCheckpoint } from "../support/tiny.ts";
import { type Bench, bench } from "./skint.ts";

const TEXT = "In the beginning was a text that is long enough. ".repeat(8);

let b: Bench;

beforeAll(async () => {
  b = bench();
  for (const recipe of ["f32", "w8"]) writeFileSync(b.path(`${recipe}.skint`), (await packFolder(await mambaFolder(), recipe, "auto")).bytes);
  writeFileSync(b.path("other.skint"), (await packFolder(await mambaFolder({ width: 24 }), "f32", "auto")).bytes);
  writeFileSync(b.path("llama.skint"), (await pack(await tinyCheckpoint(), "f16")).bytes);
  writeFileSync(b.path("text.txt"), TEXT);
  writeFileSync(b.path("empty.txt"), "");
});
afterAll(() => b.remove());

interface Answer {
  readonly drift: readonly { readonly tokens: number; readonly f64: number; readonly against?: number }[];
  readonly states: readonly { readonly state: number }[];
  readonly caches: readonly { readonly tokens: number; readonly bytes: number }[];
}

test("f32 stays near f64 all along, an equal model at its place, int8 weights further off", () => {
  const read = (against: string): Answer => b.json("drift", "f32.skint", "text.txt", "--against", against, "--tokens", "1000");
  const same = read("f32.skint");
  expect(same.drift.at(-1)?.tokens).toBe(1000);
  expect(same.drift.length).toBeGreaterThan(10);
  for (const d of same.drift) {
    expect(d.f64).toBeGreaterThan(0);
    expect(d.f64).toBeLessThan(2e-6);
    expect(d.against).toBe(0);
  }
  const rounded = read("w8.skint");
  expect(rounded.drift.map((d) => d.f64)).toEqual(same.drift.map((d) => d.f64));
  for (const d of rounded.drift) {
    expect(d.against).toBeGreaterThan(1e-4);
    expect(d.against).toBeLessThan(0.5);
  }
});

test("the picture is an SVG of both lines; the table ends with what a state and a transformer's caches take", () => {
  const { out } = b.skint("drift", "f32.skint", "text.txt", "--against", "w8.skint", "--tokens", "640", "--svg", "drift.svg");
  expect(out).toMatch(/tokens +f32 from f64 +w8\.skint from f32/);
  expect(out).toMatch(/f32\.skint: a state of \S+ kB[\s\S]*at 2048 tokens, \S+ MB at 32768 tokens/);
  const svg = readFileSync(b.path("drift.svg"), "utf8");
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  expect(svg.match(/<path d="M[^"]*L/g)).toHaveLength(2);
  expect(svg).not.toContain("NaN");
});

test("caches of equal size are those of half as many layers, two vectors of f16 a token", () => {
  const graph = architecture.build(mambaConfig({ width: 768, layers: 24 }), { cache: "f16" });
  expect(cachesOf(graph)).toEqual([
    { tokens: 2048, bytes: 12 * 2 * 768 * 2 * 2048 },
    { tokens: 32768, bytes: 12 * 2 * 768 * 2 * 32768 },
  ]);
});

test.each([
  [["llama.skint", "text.txt"], /no selective scans in f32/],
  [["f32.skint", "text.txt", "--against", "other.skint"], /do not have the same scans/],
  [["f32.skint", "nowhere.txt"], /cannot be read/],
  [["f32.skint", "empty.txt"], /has no tokens/],
  [["f32.skint", "text.txt", "--tokens", "0"], /whole number/],
])("%j is refused", (args, why) => {
  const { exit, err } = b.skint("drift", ...args);
  expect(exit).not.toBe(0);
  expect(err).toMatch(why);
});
