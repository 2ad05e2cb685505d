// Paths of low rank beside weights: what fitting one takes away, at which rank it ends, what rounding its factors costs.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Graph, TensorDef } from "../../runtime/graph/types.ts";
import { SCHEMES } from "../../runtime/quant/catalogue.gen.ts";
import type { InputStatistics } from "../../tools/compress/calibrate/statistics.ts";
import { Linalg } from "../../tools/compress/linalg/linalg.ts";
import type { Power } from "../../tools/compress/linalg/svd.ts";
import { type FittedPath, fitPath, hashOf, type PathJob } from "../../tools/compress/lowrank.ts";
import { pathsOf, type SidePath, withLowRank, withoutLowRank, withRanks } from "../../tools/compress/paths.ts";
import { outputError, statisticsOf } from "../support/calibrated.ts";
import { normal } from "../support/data.ts";
import { correlated, product } from "../support/linalg.ts";

let la: Linalg;
let inputs: InputStatistics;
beforeAll(async () => {
  la = await Linalg.open(2);
  inputs = statisticsOf(la, X, T, K);
});
afterAll(() => la.close());

const [K, T] = [64, 400];
const ROWS = [24, 40];
const X = correlated(T, K, normal, 1);
const W = ROWS.map((n, i) => normal(n * K, 10 + i));
const BACK = W.map((w) => w.map((v) => Math.round(v)));

const part = (name: string, format: string, shape: number[]): TensorDef => ({ name, role: "weight", format, shape });

interface Fit {
  readonly rank?: number;
  readonly power?: Power;
  readonly scheme?: string;
  readonly auto?: boolean;
  readonly back?: readonly Float32Array[];
}

function jobOf({ rank = 8, power = 0.5, scheme = "f32", auto = false, back = BACK }: Fit): PathJob {
  const linears = ROWS.map((n, i) => ({ weight: `w${i}`, n, w: W[i], back: back[i], up: part(`up${i}`, scheme, [n, rank]) }));
  return { down: part("down", scheme, [rank, K]), linears, power, auto, inputs };
}

/** ‖(W − Ŵ − up down) xᵀ‖² of all linears on the inputs the path was fitted to. */
function left({ packed, rank }: FittedPath, { scheme = "f32", back = BACK }: Fit): number {
  const down = SCHEMES[scheme].decode(packed.get("down") as Uint8Array, rank, K);
  return ROWS.reduce((sum, n, i) => {
    const up = SCHEMES[scheme].decode(packed.get(`up${i}`) as Uint8Array, n, rank);
    const whole = Float32Array.from(product(up, down, n, rank, K), (v, at) => v + back[i][at]);
    return sum + outputError(W[i], whole, n, X, T, K);
  }, 0);
}

const fitted = (o: Fit) => left(fitPath(la, jobOf(o)), o);
const before = () => ROWS.reduce((sum, n, i) => sum + outputError(W[i], BACK[i], n, X, T, K), 0);

describe("a path", () => {
  test("leaves what its report predicts, less with more rank", () => {
    let last = before();
    for (const rank of [1, 4, 16, 48]) {
      const path = fitPath(la, jobOf({ rank }));
      const now = left(path, {});
      expect(now).toBeLessThan(last);
      const predicted = ROWS.reduce((sum, n, i) => sum + (path.reports.get(`w${i}`)?.output?.predicted ?? Number.NaN) * outputError(W[i], new Float32Array(n * K), n, X, T, K), 0);
      expect(now / predicted).toBeCloseTo(1, 4);
      last = now;
    }
  });

  test("fitted by the outputs leaves less of them than one fitted by the weights or by strong inputs", () => {
    const [svd, eora, corda] = ([0, 0.5, 1] as const).map((power) => fitted({ power }));
    expect(eora).toBeLessThan(0.98 * svd);
    expect(eora).toBeLessThan(0.98 * corda);
  });

  test("in int8 costs less than half a percent of f32, in int4 little", () => {
    const [f32, q8, q4] = ["f32", "q8", "q4g32"].map((scheme) => fitted({ scheme }));
    expect(q8).toBeLessThan(1.005 * f32);
    expect(q4).toBeLessThan(1.15 * f32);
  });

  test("has `up` fitted to the rounded `down`: that leaves less than rounding both", () => {
    const exact = fitPath(la, jobOf({}));
    const rounded = new Map(
      [...exact.packed].map(([name, bytes]) => {
        const [rows, width] = name === "down" ? [8, K] : [ROWS[Number(name[2])], 8];
        const out = new Uint8Array(SCHEMES.t2.bytes(rows, width));
        SCHEMES.t2.encode(SCHEMES.f32.decode(bytes, rows, width), rows, width, out);
        return [name, out];
      }),
    );
    expect(fitted({ scheme: "t2" })).toBeLessThan(left({ ...exact, packed: rounded }, { scheme: "t2" }));
  });

  test("gives a linear of small outputs its share of `down` where outputs count, and not where weights do", () => {
    const small = (v: Float32Array) => v.map((x) => x / 100);
    const [w, back] = [
      [W[0], small(W[1])],
      [BACK[0], small(BACK[1])],
    ];
    const share = (power: Power) => {
      const { down, linears, ...rest } = jobOf({ power });
      const job = { ...rest, down, linears: linears.map((l, i) => ({ ...l, w: w[i], back: back[i] })) };
      const { packed, rank } = fitPath(la, job);
      const n = ROWS[1];
      const [up, a] = ["up1", "down"].map((name, i) => SCHEMES.f32.decode(packed.get(name) as Uint8Array, i ? rank : n, i ? K : rank));
      const whole = Float32Array.from(product(up, a, n, rank, K), (v, at) => v + back[1][at]);
      return outputError(w[1], whole, n, X, T, K) / outputError(w[1], back[1], n, X, T, K);
    };
    expect(share(0.5)).toBeLessThan(0.5 * share(0));
  });

  test("of automatic rank ends where 99 % is taken away", () => {
    const few = BACK.map((_, i) => Float32Array.from(product(normal(ROWS[i] * 3, 20 + i), normal(3 * K, 30), ROWS[i], 3, K), (v, at) => W[i][at] - v));
    expect(fitPath(la, jobOf({ rank: 16, auto: true, back: few })).rank).toBeLessThanOrEqual(3);
    expect(fitted({ rank: 16, auto: true, back: few })).toBeLessThan(0.0101 * ROWS.reduce((sum, n, i) => sum + outputError(W[i], few[i], n, X, T, K), 0));
    expect(fitPath(la, jobOf({ rank: 16, auto: true })).rank).toBe(16);
  });

  test("is none where nothing was lost", () => {
    expect(fitPath(la, jobOf({ back: W }))).toMatchObject({ rank: 0, packed: new Map(), reports: new Map() });
  });

  test("says which weights it was fitted to", () => {
    const { reports } = fitPath(la, jobOf({}));
    ROWS.forEach((_, i) => {
      expect(reports.get(`w${i}`)?.fittedTo).toBe(hashOf(BACK[i]));
    });
  });

  test("of outputs takes a Gram matrix of finite numbers", () => {
    expect(() => fitPath(la, { ...jobOf({}), inputs: undefined })).toThrow(expect.objectContaining({ code: "calibration.text", place: { what: "down" } }));
    const gram = Float64Array.from(inputs.gram as Float64Array);
    gram[5 * K + 7] = Number.NaN;
    expect(() => fitPath(la, { ...jobOf({}), inputs: { ...inputs, gram } })).toThrow(
      expect.objectContaining({ code: "session.nan", message: expect.stringContaining("test.in are not finite in channel 7") }),
    );
  });

  test.each([1, 3])("survives inputs of %i tokens, whose Gram matrix has no inverse", (tokens) => {
    const thin = statisticsOf(la, X.slice(0, tokens * K), tokens, K);
    const path = fitPath(la, { ...jobOf({ scheme: "q8" }), inputs: thin });
    expect(path.rank).toBe(tokens);
    for (const r of path.reports.values()) expect(r.output?.predicted).toBeLessThan(1e-3);
  });
});

describe("in a graph", () => {
  const linear = (name: string, x: string, n: number) => ({ op: "linear", name, variant: "", rows: "T" as const, tensors: { x, w: `${name}.weight`, y: `${name}.y` }, attrs: { n, k: 64 } }); // biome-ignore format: one line
  const graph = { nodes: [linear("q", "a", 32), linear("k", "a", 16), linear("o", "b", 32)], tensors: [] } as unknown as Graph;
  const shapes = (path: Partial<SidePath>) =>
    withLowRank(graph, () => ({ power: 0, shared: true, turns: 1, down: "q8", up: "q8", ...path })).tensors.map((t) => [t.name, ...t.shape]);

  test("linears of one input share `down` if they are to", () => {
    expect(shapes({ rank: 4 })).toEqual([["q.down", 4, 64], ["q.up", 32, 4], ["k.up", 16, 4], ["o.down", 4, 64], ["o.up", 32, 4]]); // biome-ignore format: a table
  });

  test("unless each has its own", () => {
    const alone = { rank: 4, shared: false };
    expect(shapes(alone)).toEqual([["q.down", 4, 64], ["q.up", 32, 4], ["k.down", 4, 64], ["k.up", 16, 4], ["o.down", 4, 64], ["o.up", 32, 4]]); // biome-ignore format: a table
    expect([...pathsOf(withLowRank(graph, () => ({ power: 0, turns: 1, down: "q8", up: "q8", ...alone })))].map(([down, nodes]) => [down, nodes.length])).toEqual([["q.down", 1], ["k.down", 1], ["o.down", 1]]); // biome-ignore format: a table
  });

  test.each([
    ["a number", 40, [40, 32]],
    ["a share of the columns", 1 / 16, [4, 4]],
    ["the default: an eighth of the lesser side", undefined, [6, 4]],
    ["automatic: at most a quarter", "auto", [12, 8]],
  ] as const)("rank: %s, never more than the matrices have", (_, rank, want) => {
    expect(shapes({ rank }).filter(([name]) => `${name}`.endsWith("down")).map(([, r]) => r)).toEqual(want); // biome-ignore format: one line
  });

  test("ranks that fitting found replace them; a path of rank 0 is gone", () => {
    const wide = withLowRank(graph, () => ({ rank: 8, power: 0, shared: true, turns: 1, down: "q8", up: "q8" }));
    const found = withRanks(wide, (down) => (down === "q.down" ? 3 : 0));
    expect(found.tensors.map((t) => [t.name, ...t.shape])).toEqual([["q.down", 3, 64], ["q.up", 32, 3], ["k.up", 16, 3]]); // biome-ignore format: a table
    expect([...pathsOf(found)].map(([down, nodes]) => [down, nodes.length])).toEqual([["q.down", 2]]);
    expect(withoutLowRank(wide)).toEqual(graph);
  });
});
