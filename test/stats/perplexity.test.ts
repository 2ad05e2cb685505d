// Bits per byte and perplexity: right by hand calculation, with intervals that know about blocks and pairs.
import { expect, test } from "vitest";
import { createRandom } from "../../runtime/num/random.ts";
import { compareScores, logSoftmaxAt, MIN_CHUNKS, scoreText } from "../../runtime/stats/perplexity.ts";

const random = createRandom(77);

test("log-softmax in double precision", () => {
  expect(logSoftmaxAt(new Float32Array([0, 0, 0, 0]), 2)).toBeCloseTo(-Math.log(4), 15);
  expect(logSoftmaxAt(new Float32Array([1, 2, 3]), 0)).toBeCloseTo(-2.4076059644443806, 14);
  expect(logSoftmaxAt(new Float32Array([3e38, -3e38]), 0)).toBe(0);
  const logits = Float32Array.from({ length: 5000 }, () => 20 * random.f64());
  const sum = Array.from(logits, (_, i) => Math.exp(logSoftmaxAt(logits, i))).reduce((a, b) => a + b, 0);
  expect(sum).toBeCloseTo(1, 12);
}, 20_000);

test("log-softmax refuses what is not finite and tokens that do not exist", () => {
  expect(() => logSoftmaxAt(new Float32Array([0, Number.NaN]), 0)).toThrowError(expect.objectContaining({ code: "session.nan", place: { what: "logits[1]" } }));
  expect(() => logSoftmaxAt(new Float32Array(2), 2)).toThrowError(expect.objectContaining({ code: "session.token" }));
});

test("a model that gives every token probability 1/8, tokens of 3 bytes: 1 bit per byte, perplexity 8", () => {
  const scored = scoreText({ logProbabilities: new Array(1000).fill(-Math.log(8)), bytes: new Array(1000).fill(3) });
  expect(scored).toMatchObject({ tokens: 1000, bytes: 3000 });
  expect(scored.bitsPerByte).toBeCloseTo(1, 12);
  expect(scored.perplexity).toBeCloseTo(8, 10);
});

test("chunks cover every token once; the last takes the rest", () => {
  const scored = scoreText({ logProbabilities: new Array(25).fill(-1), bytes: new Array(25).fill(2) }, { chunk: 10 });
  expect(scored.chunks).toEqual([
    { tokens: 10, bytes: 20, nats: 10 },
    { tokens: 15, bytes: 30, nats: 15 },
  ]);
  expect(scored.interval).toBeNull();
});

test("from enough chunks there is an interval around the value", () => {
  const n = 128 * MIN_CHUNKS;
  const { interval, bitsPerByte } = scoreText({ logProbabilities: Array.from({ length: n }, () => -4 * random.f64()), bytes: new Array(n).fill(4) });
  expect(interval?.value).toBe(bitsPerByte);
  expect(interval?.low).toBeLessThan(bitsPerByte);
  expect(interval?.high).toBeGreaterThan(bitsPerByte);
});

test("tokens that resemble their neighbours widen the interval of blocks", () => {
  const independent = Array.from({ length: 12_800 }, () => -4 * random.f64());
  const alike = Array.from({ length: 12_800 }, (_, i) => independent[Math.floor(i / 100)]);
  const bytes = new Array(12_800).fill(4);
  const width = (logProbabilities: number[]) => {
    const { interval } = scoreText({ logProbabilities, bytes });
    return interval ? interval.high - interval.low : 0;
  };
  expect(width(alike)).toBeGreaterThan(5 * width(independent));
});

test("a small difference on the same tokens is seen through large variation of the text", () => {
  const bytes = new Array(12_800).fill(4);
  const first = Array.from({ length: 12_800 }, () => -4 * random.f64());
  const second = first.map((v) => v * 1.01 - 0.001 * random.f64());
  const one = scoreText({ logProbabilities: first, bytes });
  const { ratio, ratioInterval, difference, differenceInterval } = compareScores({ logProbabilities: first, bytes }, { logProbabilities: second, bytes });
  expect(ratio).toBeCloseTo(1.0103, 3);
  expect(difference).toBeCloseTo(one.bitsPerByte * 0.0103, 4);
  expect(ratioInterval?.low).toBeGreaterThan(1.009);
  expect(ratioInterval?.high).toBeLessThan(1.012);
  expect(differenceInterval?.low).toBeGreaterThan(0);
});

test("a model against itself differs by nothing", () => {
  const scores = { logProbabilities: Array.from({ length: 2000 }, () => -random.f64()), bytes: new Array(2000).fill(1) };
  expect(compareScores(scores, scores)).toMatchObject({ difference: 0, ratio: 1, ratioInterval: { value: 1, low: 1, high: 1 } });
});

test.each<[string, () => unknown, string]>([
  ["a probability above 1", () => scoreText({ logProbabilities: [0.1], bytes: [1] }), "session.nan"],
  ["a log probability that is not a number", () => scoreText({ logProbabilities: [Number.NaN], bytes: [1] }), "session.nan"],
  ["a probability of 0", () => scoreText({ logProbabilities: [-Infinity], bytes: [1] }), "session.nan"],
  ["byte counts missing", () => scoreText({ logProbabilities: [-1, -1], bytes: [1] }), "usage"],
  ["half a byte", () => scoreText({ logProbabilities: [-1], bytes: [0.5] }), "usage"],
  ["no text", () => scoreText({ logProbabilities: [], bytes: [] }), "usage"],
  ["blocks of nothing", () => scoreText({ logProbabilities: [-1], bytes: [1] }, { chunk: 0 }), "usage"],
  ["other tokens", () => compareScores({ logProbabilities: [-1], bytes: [1] }, { logProbabilities: [-1], bytes: [2] }), "usage"],
])("%s: refused", (_, call, code) => {
  expect(call).toThrowError(expect.objectContaining({ code }));
});
