// Sampling: greedy, filters, penalty, the distribution that is drawn from, and that a seed fixes everything.
import { expect, test } from "vitest";
import { createRandom } from "../../runtime/num/random.ts";
import { peaksOf, SPAN } from "../../runtime/ops/peaks/op.ts";
import { reference as peaksReference } from "../../runtime/ops/peaks/reference.ts";
import { createRanking } from "../../runtime/session/ranking.ts";
import { createSampler, REPEAT_WINDOW, type SampleOptions } from "../../runtime/session/sample.ts";
import { normal } from "../support/data.ts";

/** Logits whose softmax is the given distribution. */
const logitsOf = (...p: number[]) => Float32Array.from(p, Math.log);

/** Shares with which each token is drawn. */
function shares(options: SampleOptions, logits: Float32Array, draws = 20_000): number[] {
  const sampler = createSampler(options, logits.length);
  const counts = new Array(logits.length).fill(0);
  for (let i = 0; i < draws; i++) counts[sampler.next(logits)]++;
  return counts.map((c) => c / draws);
}

function expectShares(options: SampleOptions, logits: Float32Array, expected: number[]): void {
  shares(options, logits).forEach((share, i) => {
    if (expected[i] === 0) expect(share).toBe(0);
    else expect(Math.abs(share - expected[i])).toBeLessThan(0.015);
  });
}

const half = logitsOf(0.1, 0.5, 0.15, 0.25);

test("temperature 0 takes the highest logit, the lowest id of equal ones", () => {
  expect(createSampler({ temperature: 0 }, 5).next(new Float32Array([1, 3, 2, 3, 0]))).toBe(1);
  expect(createSampler({ temperature: 0 }, 3).next(new Float32Array([-0, 0, -0]))).toBe(0);
  expect(createSampler({ topK: 1 }, 5).next(new Float32Array([1, 3, 2, 3, 0]))).toBe(1);
});

/** Peaks of a head with as many rows, of which the vocabulary may be the first ones. */
function peaksIn(head: Float32Array): Float32Array {
  const blocks = peaksOf(head.length);
  const y = new Float32Array(blocks);
  peaksReference({ tensors: { x: head, y }, values: { rows: 1, k: head.length, blocks, xs: head.length, ys: blocks } });
  return y;
}

test("peaks lead to the same token as all logits, whatever part of the head is vocabulary", () => {
  for (const [head, vocab] of [
    [1, 1],
    [SPAN, SPAN],
    [SPAN + 1, SPAN + 1],
    [5 * SPAN, 3 * SPAN + 7],
    [1000, 999],
    [1000, 20],
  ])
    for (let seed = 1; seed <= 20; seed++) {
      const coarse = normal(head, seed).map((v) => Math.round(2 * v)); // many ties
      const sampler = createSampler({ temperature: 0 }, vocab);
      expect(sampler.next(coarse.subarray(0, vocab), peaksIn(coarse))).toBe(sampler.next(coarse.subarray(0, vocab)));
    }
});

test("peaks are trusted only where a token is chosen by them alone", () => {
  const logits = normal(200, 1);
  logits[150] = 9;
  const misleading = new Float32Array(peaksOf(200));
  expect(createSampler({ temperature: 0 }, 200).next(logits, peaksIn(logits))).toBe(150);
  const penalised = createSampler({ temperature: 0, repeatPenalty: 100 }, 200);
  penalised.accept(150);
  expect(penalised.next(logits, misleading)).not.toBe(150);
  expect(createSampler({ topK: 2, seed: 1, temperature: 0.01 }, 200).next(logits, misleading)).toBe(150);
});

test("a logit that is not finite is named, seen through its peak or behind the last whole run", () => {
  for (const at of [70, 195]) {
    const logits = normal(200, 1);
    logits[at] = Number.NEGATIVE_INFINITY;
    expect(() => createSampler({ temperature: 0 }, 200).next(logits, peaksIn(logits))).toThrowError(new RegExp(`token ${at} is -Infinity`));
  }
});

test("without filters the softmax is drawn from", () => expectShares({}, half, [0.1, 0.5, 0.15, 0.25]));

test("temperature sharpens and flattens", () => {
  const squares = [0.01, 0.25, 0.0225, 0.0625].map((v) => v / 0.345);
  expectShares({ temperature: 0.5 }, half, squares);
  expectShares({ temperature: 1000 }, half, [0.25, 0.25, 0.25, 0.25]);
  expectShares({ temperature: 5e-324 }, half, [0, 1, 0, 0]);
});

test("top-k keeps the k best; of equal ones the lowest ids", () => {
  expectShares({ topK: 2 }, half, [0, 2 / 3, 0, 1 / 3]);
  expectShares({ topK: 2 }, new Float32Array([1, 2, 2, 2]), [0, 0.5, 0.5, 0]);
  expectShares({ topK: 99 }, half, [0.1, 0.5, 0.15, 0.25]);
});

test("top-p keeps the fewest tokens that hold the share", () => {
  expectShares({ topP: 0.7 }, half, [0, 2 / 3, 0, 1 / 3]);
  expectShares({ topP: 0.8 }, half, [0, 5 / 9, 1.5 / 9, 2.5 / 9]);
  expectShares({ topP: 1e-9 }, half, [0, 1, 0, 0]);
});

test("top-p counts shares of what top-k left", () => expectShares({ topK: 2, topP: 0.6 }, half, [0, 1, 0, 0]));

test("min-p keeps what is at least that share of the best", () => {
  expectShares({ minP: 0.4 }, half, [0, 2 / 3, 0, 1 / 3]);
  expectShares({ minP: 0.29, topK: 3 }, half, [0, 5 / 9, 1.5 / 9, 2.5 / 9]);
  expectShares({ minP: 1 }, half, [0, 1, 0, 0]);
});

test("the repeat penalty divides positive logits and multiplies negative ones, once however often the token stands there", () => {
  const sampler = createSampler({ temperature: 0, repeatPenalty: 2 }, 3);
  sampler.accept(0);
  sampler.accept(0);
  expect(sampler.next(new Float32Array([3, 1.4, 0]))).toBe(0);
  expect(sampler.next(new Float32Array([3, 1.6, 0]))).toBe(1);
  expect(sampler.next(new Float32Array([-1, -1.9, -9]))).toBe(1);
  expect(sampler.next(new Float32Array([-1, -2.1, -9]))).toBe(0);
});

test("the repeat penalty forgets what is further back than its window", () => {
  const sampler = createSampler({ temperature: 0, repeatPenalty: 2 }, 3);
  const logits = new Float32Array([3, 2, 0]);
  sampler.accept(0);
  for (let i = 1; i < REPEAT_WINDOW; i++) sampler.accept(2);
  expect(sampler.next(logits)).toBe(1);
  sampler.accept(2);
  expect(sampler.next(logits)).toBe(0);
});

test("a seed fixes the tokens, with any filters", () => {
  const random = createRandom(4);
  const logits = Array.from({ length: 50 }, () => Float32Array.from({ length: 3000 }, () => 8 * random.f64()));
  for (const options of [{}, { topK: 40 }, { topP: 0.9 }, { topK: 100, topP: 0.5, minP: 0.01, repeatPenalty: 1.3, temperature: 0.7 }]) {
    const run = (seed: number) => {
      const sampler = createSampler({ ...options, seed }, 3000);
      return logits.map((l) => {
        const token = sampler.next(l);
        sampler.accept(token);
        return token;
      });
    };
    expect(run(1)).toEqual(run(1));
    expect(run(1)).not.toEqual(run(2));
  }
});

test("the choice of candidates agrees with sorting everything", () => {
  const random = createRandom(8);
  for (let round = 0; round < 200; round++) {
    const n = 1 + random.below(60);
    const logits = Float32Array.from({ length: n }, () => random.below(12) / 2);
    const topK = 2 + random.below(n);
    const topP = 0.05 + 0.95 * random.f64();
    const sorted = [...logits.keys()].sort((a, b) => logits[b] - logits[a] || a - b).slice(0, topK);
    const weights = sorted.map((id) => Math.exp(logits[id] - logits[sorted[0]]));
    const sumOf = (w: number[]) => w.reduce((a, b) => a + b, 0);
    const kept = new Set(sorted.filter((_, i) => sumOf(weights.slice(0, i)) < topP * sumOf(weights) - 1e-9));
    const sampler = createSampler({ topK, topP, seed: round }, n);
    for (let i = 0; i < 30; i++) expect(kept.has(sampler.next(logits))).toBe(true);
  }
});

test("a seed fixes the tokens: these were drawn by sorting the whole vocabulary", () => {
  const logits = normal(2000, 11, 3);
  const drawn: [SampleOptions, number[]][] = [
    [{ topP: 0.9 }, [1056, 1964, 466, 770, 1363, 487, 755, 1049]],
    [{ topK: 40 }, [858, 361, 1964, 648, 770, 1904, 1035, 755]],
    [{ topK: 300, topP: 0.8, repeatPenalty: 1.3 }, [1904, 1323, 1187, 1181, 1597, 1925, 173, 1363]],
    [{ minP: 0.05 }, [944, 944, 1056, 1187, 1888, 944, 1266, 1925]],
    [{ topP: 0.7, temperature: 1.5, minP: 0.01, repeatPenalty: 0.8 }, [593, 767, 850, 1519, 1137, 52, 548, 108]],
    [{ topP: 0.5, temperature: 0.1 }, Array(8).fill(1888)],
  ];
  for (const [options, tokens] of drawn) {
    const sampler = createSampler({ ...options, seed: 7 }, logits.length);
    for (const [i, token] of tokens.entries()) {
      expect(sampler.next(logits), `${JSON.stringify(options)}, token ${i}`).toBe(token);
      sampler.accept(token);
    }
  }
});

test.each<[string, number[]]>([
  ["ties", [1, 2, 2, 1, 2, 3, 1]],
  ["both zeros", [-0, 0, -0, 0]],
  ["closer than floats can tell", [1e8, 1e8 - 1e-8, 1e8 + 1e-8, 0, 1e8 - 2e-8]],
  ["beyond f32", [3e38, -3e38, 0, 1e-30, 3e38]],
  ["many", [...normal(3000, 5, 4)].map((v, i) => (i % 5 ? v : Math.round(v)))],
])("ranking goes by score, then by id: %s", (_name, scores) => {
  const sorted = [...scores.keys()].sort((a, b) => scores[b] - scores[a] || a - b);
  const ranking = createRanking(Float64Array.from(scores));
  ranking.load(Math.max(...scores));
  for (const n of [1, Math.ceil(scores.length / 3), scores.length]) {
    const ranked = ranking.rank(ranking.holding(n));
    expect(ranked).toBeGreaterThanOrEqual(n);
    expect([...ranking.ids.subarray(0, ranked)]).toEqual(sorted.slice(0, ranked));
  }
});

test("logits that are very far apart do not overflow", () => {
  expectShares({}, new Float32Array([3e38, -3e38, 3e38]), [0.5, 0, 0.5]);
  expectShares({ topP: 0.9 }, new Float32Array([3e38, -3e38, 3e38]), [0.5, 0, 0.5]);
});

test.each([Number.NaN, Infinity, -Infinity])("a logit that is %s stops the session and is named", (bad) => {
  for (const temperature of [0, 1])
    expect(() => createSampler({ temperature }, 3).next(new Float32Array([0, bad, 1]))).toThrowError(
      expect.objectContaining({ code: "session.nan", place: { what: "logits[1]" } }),
    );
});

test("tokens outside the vocabulary and logits of another model are refused", () => {
  const sampler = createSampler({}, 3);
  for (const token of [3, -1, 0.5]) expect(() => sampler.accept(token)).toThrowError(expect.objectContaining({ code: "session.token" }));
  expect(() => sampler.next(new Float32Array(4))).toThrowError(expect.objectContaining({ code: "usage" }));
});

test.each<[keyof SampleOptions, number]>([
  ["temperature", -1],
  ["temperature", Number.NaN],
  ["topK", -1],
  ["topK", 1.5],
  ["topP", 0],
  ["topP", 1.1],
  ["minP", -0.1],
  ["minP", 2],
  ["repeatPenalty", 0],
  ["repeatPenalty", Infinity],
  ["seed", -1],
  ["seed", 0.5],
])("%s %s is refused", (name, value) => {
  expect(() => createSampler({ [name]: value }, 3)).toThrowError(expect.objectContaining({ code: "usage" }));
});

test("a vocabulary of nothing is refused", () => {
  expect(() => createSampler({}, 0)).toThrowError(expect.objectContaining({ code: "usage" }));
});
