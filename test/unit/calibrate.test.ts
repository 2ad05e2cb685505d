// The parts of a calibration: which tokens, which segments, what statistics say.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lower } from "../../runtime/plan/lower.ts";
import { BATCH, SegmentRunner } from "../../tools/compress/calibrate/runner.ts";
import { segmentsOf } from "../../tools/compress/calibrate/segments.ts";
import { countTokens, drawSequences, tokensFor } from "../../tools/compress/calibrate/sequences.ts";
import { MEASURED_ROWS } from "../../tools/compress/calibrate/statistics.ts";
import { Linalg } from "../../tools/compress/linalg/linalg.ts";
import { statisticsOf } from "../support/calibrated.ts";
import { normal } from "../support/data.ts";
import { gramOf, greatestDifference } from "../support/linalg.ts";
import { environment, open, pack, tinyCheckpoint, tokensOf } from "../support/tiny.ts";

describe("sequences", () => {
  const documents = [100, 37, 400, 1, 64].map((length, d) => Uint32Array.from({ length }, (_, i) => 1000 * d + i));
  const draw = (tokens: number, seed = 1) => drawSequences(documents, { name: "some.txt", length: 50, tokens, seed });

  test("as many tokens as asked for and an eighth to measure on, none twice, none across documents", () => {
    const { fit, held } = draw(320);
    expect(countTokens(fit)).toBe(320);
    expect(countTokens(held)).toBe(40);
    const all = [...fit, ...held].flatMap((s) => [...s]);
    expect(new Set(all).size).toBe(360);
    for (const s of [...fit, ...held]) {
      expect(s.length).toBeLessThanOrEqual(50);
      expect([...s].every((t, i) => t === s[0] + i)).toBe(true);
    }
  });

  test("a seed decides which", () => {
    expect(draw(200, 5)).toEqual(draw(200, 5));
    expect(draw(200, 5)).not.toEqual(draw(200, 6));
  });

  test("too little text says how much is there and how much is wanted", () => {
    expect(() => draw(8192)).toThrow(expect.objectContaining({ code: "calibration.text", message: expect.stringMatching(/^some\.txt has 601 tokens; .* takes 9266: 8192 for/) }));
  });

  test("wide inputs want four tokens a channel", () => {
    expect(tokensFor(64)).toBe(8192);
    expect(tokensFor(11008)).toBe(44032);
  });
});

describe("segments", () => {
  test("embedding, each layer, head; every node once; each reads the residual stream only", async () => {
    const model = await open((await pack(await tinyCheckpoint({ layers: 3 }), "f32")).bytes);
    const segments = segmentsOf(model.engine.graph);
    model.close();
    expect(segments.map((s) => s.name)).toEqual(["embed", "layers.0.attention.norm", "layers.1.attention.norm", "layers.2.attention.norm", "last"]);
    expect(segments.flatMap((s) => s.graph.nodes)).toEqual(model.engine.graph.nodes);
    expect(segments.map((s) => [s.reads.length, s.writes.length])).toEqual([[0, 1], [1, 1], [1, 1], [1, 1], [1, 0]]); // biome-ignore format: a table
  });

  test.each(["f32", "w4", "w4kv8"])("run one after the other they make the logits of the whole, bit for bit: %s", async (recipe) => {
    const model = await open((await pack(await tinyCheckpoint({ bias: true, tied: false, context: 512 }), recipe)).bytes, { score: true });
    const { device } = await environment();
    const { graph } = model.engine;
    // The first takes two steps.
    const sequences = [tokensOf(BATCH + 2, 300, 1), tokensOf(7, 300, 2)];
    const logits: Float32Array[] = [];
    let carried: ReadonlyMap<string, Float32Array> = new Map();
    for (const segment of segmentsOf(graph)) {
      const last = segment.writes.length === 0;
      const runner = new SegmentRunner(segment, segment.graph, device, BATCH + 2, last ? ["logits"] : []);
      for (const t of runner.weights) runner.place(t.name).set(model.engine.program.view(t.name));
      carried = await runner.run(sequences, carried, { onRows: (_tap, x) => void logits.push(x.slice()) });
      runner.close();
    }
    const want: Float32Array[] = [];
    for (const s of sequences) for (let at = 0; at < s.length; at += 64) want.push((await model.engine.run("score", s.subarray(at, at + 64), at)).slice());
    model.close();
    const bytes = (parts: readonly Float32Array[]) => Buffer.concat(parts.map((p) => Buffer.from(p.buffer)));
    expect(logits.length).toBe(3);
    expect(Buffer.compare(bytes(logits), bytes(want))).toBe(0);
  });

  test("a value that is not finite is named by place, token and channel", async () => {
    const model = await open((await pack(await tinyCheckpoint(), "f32")).bytes);
    const [first] = segmentsOf(model.engine.graph);
    const runner = new SegmentRunner(first, first.graph, (await environment()).device, 8, []);
    runner.place("embed.weight").set(model.engine.program.view("embed.weight"));
    model.close();
    // Row 5 of the first block of 16 rows: [k][16 rows] f32.
    new DataView(runner.place("embed.weight").buffer, runner.place("embed.weight").byteOffset).setFloat32(4 * (16 * 9 + 5), Number.NaN, true);
    await expect(runner.run([Uint32Array.of(1, 2), Uint32Array.of(3, 5)], new Map(), {})).rejects.toMatchObject({
      code: "session.nan",
      message: expect.stringMatching(/NaN in embed at token 3, channel 9/),
    });
    runner.close();
  });

  test("lowering a segment keeps what later segments read", async () => {
    const model = await open((await pack(await tinyCheckpoint(), "w4")).bytes);
    const [, layer] = segmentsOf(model.engine.graph);
    const plan = lower(layer.graph, { name: "x", symbols: { T: 4, L: 4, C: 8 }, kernels: (await environment()).device.kernels, fuse: true, logits: "all", taps: [] });
    model.close();
    expect(plan.tensors.get(layer.writes[0])?.role).toBe("output");
    expect(plan.tensors.get(layer.reads[0])?.role).toBe("input");
  });
});

describe("statistics", () => {
  let la: Linalg;
  beforeAll(async () => {
    la = await Linalg.open(1);
  });
  afterAll(() => la.close());

  test("mean of x xᵀ, greatest and mean |x|, percentiles within an eighth of an octave", () => {
    const [t, k] = [501, 9];
    const x = normal(t * k, 1).map((v, i) => v * 10 ** ((i % k) - 4));
    const s = statisticsOf(la, x, t, k);
    const gram = gramOf(x, t, k).map((v) => v / t);
    for (let i = 0; i < k; i++)
      for (let j = 0; j < k; j++) expect(Math.abs((s.gram as Float64Array)[i * k + j] - gram[i * k + j]) / Math.sqrt(gram[i * k + i] * gram[j * k + j])).toBeLessThan(4e-6);
    for (let i = 0; i < k; i++) {
      const column = Array.from({ length: t }, (_, r) => Math.abs(x[r * k + i])).sort((a, b) => a - b);
      expect(s.channels?.absmax[i]).toBe(column[t - 1]);
      expect((s.channels?.mean[i] as number) / (column.reduce((a, b) => a + b, 0) / t)).toBeCloseTo(1, 6);
      for (const q of [0.5, 0.99, 1]) {
        const want = column[Math.ceil(q * t) - 1];
        const got = s.percentile?.(q)[i] as number;
        expect(got).toBeGreaterThan(want);
        expect(got).toBeLessThanOrEqual(want * 1.125);
      }
    }
  });

  test("percentiles of zeros, and of values beyond the bins", () => {
    const s = statisticsOf(la, Float32Array.of(0, 1e-30, 1e30, 0), 2, 2);
    expect(s.percentile?.(0.5)[0]).toBeLessThan(1e-9);
    expect(s.percentile?.(1)[0]).toBeGreaterThan(2 ** 31);
  });

  test("held-out rows are in no statistic, and no more are kept than measuring takes", () => {
    const [t, held] = [2000, 1500];
    const x = Float32Array.from({ length: t }, (_, i) => (i < t - held ? 1 : i));
    const s = statisticsOf(la, x, t, 1, held);
    expect(s.tokens).toBe(t - held);
    expect(s.gram).toEqual(Float64Array.of(1));
    expect(s.held.length).toBe(MEASURED_ROWS);
    expect(s.held[0]).toBe(500);
    expect(s.held[MEASURED_ROWS - 1]).toBeGreaterThan(1990);
    expect(greatestDifference(s.held, [...new Set(s.held)])).toBe(0);
  });

  test("what is shared is made once", () => {
    const s = statisticsOf(la, normal(4, 1), 2, 2);
    let made = 0;
    for (let i = 0; i < 3; i++) s.share("x", () => ++made);
    expect(made).toBe(1);
  });
});
