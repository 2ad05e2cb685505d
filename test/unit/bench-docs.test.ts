// Tables of BENCHMARKS.md: made of records, in their place, with command, machine, engine and date; everything else stays.
import { expect, test } from "vitest";
import { drawnFrom, picturesOf, renderPage } from "../../tools/bench/docs/render.ts";
import { sampleRecord } from "../support/record.ts";

const origin = {
  date: "2026-01-31T12:00:00.000Z",
  machine: { cpu: "A processor", cores: 2, memoryBytes: 1e9, os: "An OS", arch: "x64" },
  engine: { name: "Node", version: "24.1.0" },
  features: ["simd"],
};
const interval = (value: number) => ({ value, low: 0.9 * value, high: 1.1 * value });
const kernels = {
  ...origin,
  version: 1,
  kind: "kernels",
  runs: [
    {
      shape: { name: "square", n: 16, k: 32 },
      build: "relaxed",
      threads: 1,
      rounds: 40,
      limits: [{ name: "read", title: "read-only stream", unit: "GB/s", rate: interval(25) }],
      kernels: [
        { kernel: "gemv_q8__simd", scheme: "q8", act: "i8tok", tokens: 1, state: "cold", macs: 512, bytes: 1024, rate: interval(10), of: { read: interval(0.8) } },
        { kernel: "gemm_q8__simd", scheme: "q8", act: "i8tok", tokens: 128, state: "hot", macs: 65536, bytes: 1024, rate: interval(1234), of: { read: interval(0.1) } },
      ],
      verdict: { verdict: "wandered", reason: "it slowed down" },
    },
  ],
};
const row = (entrant: string, rate: number) => ({
  contest: "native-1t",
  entrant,
  engine: "an engine",
  threads: 1,
  figure: "decode",
  work: { prompt: 1, decode: 1 },
  unit: "tokens/s",
  rates: [rate, rate, rate],
  median: rate,
  low: rate,
  high: rate,
  min: rate,
  max: rate,
});
const { features: _, ...bare } = origin;
const peers = { ...bare, rows: [row("skint int4", 150), row("llama.cpp", 100)], absent: [] };

const page = `# Page\n\n<!-- table k: npx skint bench kernels -->\nold\n<!-- end -->\n\nprose\n\n<!-- table p: npm run bench:peers -->\nkept\n<!-- end -->\n`;

test("models that were compressed: quality with its interval beside bytes and speed", () => {
  const result = (recipe: string, more: object) => ({ model: `${recipe}.skint`, recipe, bytes: 1_234_567, bitsPerByte: 1.25, low: 1.2, high: 1.3, ...more });
  const record = {
    kind: "eval",
    ...origin,
    results: [result("w4", { rate: { median: 1500, low: 1400, high: 1600 } }), result("q161", {})],
    differences: [{ ratioInterval: { value: 1.02, low: 1.01, high: 1.03 } }],
  };
  const out = renderPage(page, new Map([["k", [drawnFrom(record)]]]));
  expect(out).toContain("| w4.skint | `w4` |  | 1.235 | 1.2500 [1.2000 … 1.3000] | 1500 [1400 … 1600] |");
  expect(out).toContain("| q161.skint | `q161` | 1.0200 [1.0100 … 1.0300] | 1.235 | 1.2500 [1.2000 … 1.3000] |  |");
  expect(() => drawnFrom({ ...record, results: [{ ...result("w4", {}), bytes: "many" }] })).toThrow(expect.objectContaining({ code: "format.header" }));
  expect(() => drawnFrom({ ...record, differences: [{ ratioInterval: { value: 1 } }] })).toThrow(expect.objectContaining({ code: "format.header" }));
});

test("profiles: a line a layer, a line a share left out, and a picture of the costs beside the page", () => {
  const layer = {
    layer: "layers.0.ffn.down",
    activation: "relu",
    gated: true,
    neurons: 640,
    active: { mean: 0.125, p99: 0.25 },
    firing: { dead: 3, below10: 320 },
    cett: [{ cett: 0.1, sparsity: 0.9 }],
    top: [{ share: 0.1, of: 0.75 }],
    cores: { tokens: 0.5, runs: null },
  };
  const point = (rule: string, share: number, value: number) => ({ rule, share, leftOut: share, cost: { value, low: null, high: null } });
  const curves = { window: 256, tokens: 512, perplexity: 10, points: [point("cett", 0.5, 0.01), point("random", 0.5, 0.2), point("cett", 0.9, 0.05)] };
  const record = { kind: "profile", ...bare, model: "/some/where/tiny", recipe: "w4n", text: "a/text.txt", tokens: 1024, perplexity: 9.5, layers: [layer], curves };
  const drawn = new Map([["k", [drawnFrom(record)]]]);
  const out = renderPage(page, drawn);
  expect(out).toContain("tiny, `w4n`, on text.txt: 1024 tokens, perplexity 9.500 with all neurons.");
  expect(out).toContain("| layers.0.ffn.down | relu, gated | 640 | 12.5 % | 25.0 % | 3 | 50.0 % | 90.0 % | 75.0 % | 50.0 % |  |");
  expect(out).toContain("| 50 % | +1.00 % | +20.0 % |\n| 90 % | +5.00 % |  |");
  expect(out).toContain("(docs/charts/k.svg)");
  expect(out).not.toContain("/some/where");
  const [[path, picture]] = picturesOf(drawn);
  expect(path).toBe("docs/charts/k.svg");
  expect(picture.startsWith('<svg xmlns="http://www.w3.org/2000/svg" ')).toBe(true);
  for (const name of ["CETT", "random"]) expect(picture).toContain(`>${name}</text>`);
  expect(picturesOf(new Map([["k", [drawnFrom((({ curves: _, ...rest }) => rest)(record)), drawnFrom(kernels)]]])).size).toBe(0);
  for (const bad of [{ layers: [{ ...layer, active: {} }] }, { curves: { ...curves, points: [{ ...point("cett", 0.5, 1), rule: "toString" }] } }, { perplexity: "9" }])
    expect(() => drawnFrom({ ...record, ...bad })).toThrow(expect.objectContaining({ code: "format.header" }));
});

test("kernels: limits and shares first, bytes only where a weight is read once; a run that wandered says so", () => {
  const out = renderPage(page, new Map([["k", [drawnFrom(kernels)]]]));
  expect(out).toBe(`# Page

<!-- table k: npx skint bench kernels -->

\`npx skint bench kernels\`

Node 24.1.0 on A processor, 2 cores, An OS; 2026-01-31.

square: W 16 × 32, build relaxed, 1 thread. Limits: read 25.0 GB/s. The clock wandered: it slowed down.

| kernel | tokens | W | of read | GMAC/s | GB/s of W |
|---|---|---|---|---|---|
| \`gemv_q8__simd\` | 1 | cold | 0.80 [0.72 … 0.88] | 10.0 [9.00 … 11.0] | 20.0 |
| \`gemm_q8__simd\` | 128 | hot |  | 1234 [1111 … 1357] | 19.3 |

<!-- end -->

prose

<!-- table p: npm run bench:peers -->
kept
<!-- end -->
`);
});

test("peers: ours over the fastest of them", () => {
  const out = renderPage(page, new Map([["p", [drawnFrom(peers)]]]));
  expect(out).toContain("| native-1t | decode | skint int4 | 1.50 [1.50 … 1.50] | 150 [150 … 150] |\n| native-1t | decode | llama.cpp |  | 100 [100 … 100] |");
  expect(out).toContain("\nold\n");
});

test("goals: value, bound and verdict; what was not measured says why", () => {
  const goal = { id: "a.b", figure: "a ratio", unit: "ratio", must: ">= 1", seconds: 1 };
  const rows = [
    { ...goal, value: 1.25, low: 1, high: 1.5, ok: true, note: "on Tuesday" },
    { ...goal, id: "a.c", value: 0.5, low: null, high: null, ok: false },
    { ...goal, id: "a.d", value: null, low: null, high: null, ok: null, reason: "no peer" },
  ];
  const out = renderPage(page, new Map([["k", [drawnFrom({ ...bare, kind: "goals", rows })]]]));
  expect(out).toContain("Node 24.1.0 on A processor, 2 cores, An OS; 2026-01-31.");
  expect(out).toContain("| `a.b` | 1.25 [1.00 … 1.50] | >= 1 | met | a ratio; on Tuesday |");
  expect(out).toContain("| `a.c` | 0.500 | >= 1 | **missed** | a ratio |");
  expect(out).toContain("| `a.d` |  | >= 1 |  | a ratio; no peer |");
  expect(() => drawnFrom({ ...bare, kind: "goals", rows: [{ ...rows[0], value: "much" }] })).toThrowError(/rows\[0\]\.value/);
});

test("models: a line a record", () => {
  const one = sampleRecord();
  const out = renderPage(page, new Map([["p", [drawnFrom(one), drawnFrom({ ...one, threads: 7 })]]]));
  expect(out.match(new RegExp(`\\| ${one.engine.name} ${one.engine.version} \\|`, "g"))).toHaveLength(2);
  expect(out).toContain(", 7 threads | ");
});

test("a name without a place, and what is no record, are refused", () => {
  expect(() => renderPage(page, new Map([["x", []]]))).toThrowError(expect.objectContaining({ code: "usage", place: { what: "x" } }));
  for (const bad of [null, [], { rows: 1 }, { ...peers, rows: [{ ...row("a", 1), rates: ["1"] }] }, { ...kernels, version: 2 }])
    expect(() => drawnFrom(bad)).toThrowError(expect.objectContaining({ name: "SkintError" }));
});
