// The page that `skint eval --html` writes, and where two models part.
import { describe, expect, test } from "vitest";
import { matrixLosses } from "../../tools/compare/command.ts";
import { lossesOf, pointsBetween } from "../../tools/compare/layers.ts";
import type { MatrixReport } from "../../tools/compress/method.ts";
import { lines, scatter } from "../../tools/eval/chart.ts";
import { errorsByLayer, namesOf, type Page, pageOf } from "../../tools/eval/page.ts";
import { front } from "../../tools/eval/pareto.ts";
import type { Row } from "../../tools/eval/score.ts";
import { open, pack, tinyCheckpoint, tokensOf } from "../support/tiny.ts";

test("on the front stand those that no other beats in both ways, by rising x", () => {
  const points = [{ x: 3, y: 1 }, { x: 1, y: 4 }, { x: 2, y: 2 }, { x: 2.5, y: 3 }, { x: 2, y: 2 }]; // biome-ignore format: a table
  expect(front(points, true)).toEqual([1, 2, 4, 0]);
  expect(front(points, false)).toEqual([0]);
});

const row = (recipe: string, bytes: number, bitsPerByte: number, more: Partial<Row> = {}): Row => ({
  model: `dir/${recipe}.skint`, recipe, bytes, bitsPerByte, build: "simd", threads: 1, tuned: false, fallbacks: [], window: 64, stride: 32, split: "none",
  tokens: 100, textBytes: 300, low: bitsPerByte - 0.1, high: bitsPerByte + 0.1, perplexity: 2 ** bitsPerByte, ...more,
}); // biome-ignore format: a table

const matrix = (name: string, measured: number, withPath?: number): MatrixReport => ({
  name, scheme: "q8", n: 4, k: 4, bytes: 16, relativeSquaredError: 0, output: { predicted: measured, measured },
  ...(withPath === undefined ? {} : { path: { down: "d", rank: 1, power: 0.5, bytes: 1, fittedTo: "", output: { predicted: withPath, measured: withPath } } }),
}); // biome-ignore format: a table

const ORIGIN = {
  date: "2026-01-02T03:04:05Z",
  machine: { cpu: "Some <CPU>", cores: 2, memoryBytes: 1, os: "x", arch: "y" },
  engine: { name: "Node", version: "20" },
  features: [],
};

describe("the page", () => {
  const page: Page = {
    text: `<script>alert("x")</script>.txt`,
    rows: [row("w4", 100, 2, { rate: { median: 50, low: 49, high: 51 } }), row("24w4", 60, 3, { rate: { median: 70, low: 60, high: 80 } }), row("big", 200, 2.5)],
    reports: [[], [matrix("layers.0.q.weight", 0.04), matrix("layers.1.q.weight", 0.09, 0.01)], []],
    origin: ORIGIN,
  };
  const html = pageOf(page);

  test("holds every model's figures, the machine, and nothing to fetch", () => {
    for (const text of ["w4", "24w4", "big", "2.0000", "3.0000", "1.9000…2.1000", "50.0", "60.0…80.0", "Node 20", "100 tokens"]) expect(html).toContain(text);
    expect(html).not.toMatch(/(src|href)=|url\(|@import/);
  });

  test("takes names of files and machines for text", () => {
    expect(html).not.toContain("<script");
    expect(html).toContain("Some &#60;CPU&#62;");
  });

  test("draws quality against size, against speed where it was measured, and errors of layers where they are known", () => {
    expect(html.match(/<svg /g)?.length).toBe(3);
    expect(html.match(/<circle /g)?.length).toBe(3 + 2);
    const plain = pageOf({ ...page, rows: page.rows.map(({ rate: _, ...r }) => r), reports: [[], [], []] });
    expect(plain.match(/<svg /g)?.length).toBe(1);
  });

  test("models of one recipe are known by their files", () => {
    expect(namesOf([row("w4", 1, 1), row("w4", 1, 1, { model: "a/other.skint" }), row("w8", 1, 1)])).toEqual(["w4 (w4.skint)", "w4 (other.skint)", "w8"]);
  });

  test("a layer's error is the mean over its matrices, with their paths", () => {
    const errors = errorsByLayer([matrix("layers.0.q.weight", 0.04), matrix("layers.0.k.weight", 0.16), matrix("layers.2.q.weight", 0.25, 0.01), matrix("head.weight", 1)]);
    expect(errors.map((e) => e && Number(e.toFixed(6)))).toEqual([0.3, undefined, 0.1]);
  });
});

test("a chart of one point, and one with places that are not known, hold no figure that is none", () => {
  const axis = { label: "x", format: String };
  const one = scatter({ title: "t", x: axis, y: axis, less: true, points: [{ x: 1, y: 1, name: "a" }] });
  const broken = lines({ title: "t", x: "x", y: axis, lines: [{ name: "a", colour: "red", values: [1, undefined, 2, 3] }] });
  for (const svg of [one, broken]) expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  expect(broken.match(/M/g)?.length).toBe(3);
});

describe("where two models part", () => {
  test("a layer whose weights alone differ is the one that loses; the others hand on what came", async () => {
    const tiny = await tinyCheckpoint({ layers: 3 });
    const { bytes } = await pack(tiny, "f32");
    const taps = ["layers.0.in", "layers.0.out", "layers.1.out", "layers.2.out"];
    const [a, b] = [await open(bytes, { taps }), await open(bytes, { taps })];
    expect(pointsBetween(a.engine.graph.points)).toEqual(taps);
    const place = b.engine.program.view("layers.1.ffn.down.weight");
    new Float32Array(place.buffer, place.byteOffset, 64).fill(0.5);
    const losses = await lossesOf([a, b], taps, tokensOf(100, 300, 1));
    expect(losses.map((l) => l.layer)).toEqual(["layers.0", "layers.1", "layers.2"]);
    expect([losses[0].before, losses[0].after, losses[1].before]).toEqual([0, 0, 0]);
    expect(losses[1].after).toBeGreaterThan(1e-4);
    expect(losses[2].before).toBe(losses[1].after);
    const same = await lossesOf([a, a], taps, tokensOf(100, 300, 1));
    expect(same.every((l) => l.after === 0)).toBe(true);
    a.close();
    b.close();
  });

  test("matrices stand by what they lost, paths counted, those that were not measured left out", () => {
    const unknown = { ...matrix("layers.9.q.weight", 0), output: undefined };
    const losses = matrixLosses([matrix("a", 0.2), matrix("b", 0.01)], [matrix("a", 0.25), matrix("b", 0.5, 0.2), matrix("c", 0.1), unknown]);
    expect(losses.map((l) => [l.matrix, ...l.errors])).toEqual([["b", 0.01, 0.2], ["c", null, 0.1], ["a", 0.2, 0.25]]); // biome-ignore format: a table
  });
});
