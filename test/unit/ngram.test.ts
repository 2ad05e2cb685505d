import { expect, test } from "vitest";
import { bitsPerByte, KneserNey } from "../../tools/goals/ngram.ts";

/** A fixed corpus with repeats: token 0 starts each document, as our own documents start. */
function corpus(documents: number, vocab: number): Int32Array[] {
  let state = 1;
  const next = (n: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 16) % n;
  };
  return Array.from({ length: documents }, () => {
    const tokens = [0];
    for (let i = 0; i < 40; i++) tokens.push(1 + ((tokens[i] * 2 + next(3) * next(2)) % (vocab - 2)));
    return Int32Array.from(tokens);
  });
}

test("probabilities sum to one after any context, seen or not, empty or longer than the order", () => {
  const vocab = 12;
  const model = new KneserNey(5, vocab);
  model.train(corpus(30, vocab));
  for (const context of [[], [0], [0, 1], [0, 1, 3], [3, 7, 4, 9], [9, 9, 9, 9], [11], [0, 1, 3, 7, 4, 9, 8]]) {
    let sum = 0;
    for (let token = 0; token < vocab; token++) sum += Math.exp(model.logProb(context, token));
    expect(sum, `after ${context}`).toBeCloseTo(1, 12);
  }
});

test("a bigram model by hand", () => {
  // Documents 0 1 2 and 0 1 3 over 5 tokens. Too few n-grams for the discount formula: the fallback 0.5, 1, 1.5 applies.
  const model = new KneserNey(2, 5);
  model.train([
    [0, 1, 2],
    [0, 1, 3],
  ]);
  // Unigram counts are numbers of different tokens before: 1, 2 and 3 each follow one token; 0 follows none.
  const seen = 0.5 / 3 + (1.5 / 3) * (1 / 5);
  const unseen = (1.5 / 3) * (1 / 5);
  expect(Math.exp(model.logProb([], 1))).toBeCloseTo(seen, 14);
  expect(Math.exp(model.logProb([], 4))).toBeCloseTo(unseen, 14);
  // c(0 1) = 2, so D = 1 and γ(0) = 1/2. c(1 2) = c(1 3) = 1, so D = 0.5 and γ(1) = (0.5 + 0.5)/2.
  expect(Math.exp(model.logProb([0], 1))).toBeCloseTo(1 / 2 + seen / 2, 14);
  expect(Math.exp(model.logProb([0], 4))).toBeCloseTo(unseen / 2, 14);
  expect(Math.exp(model.logProb([1], 2))).toBeCloseTo(0.5 / 2 + seen / 2, 14);
  // 2 was only seen at the end of a document: the unigram alone.
  expect(Math.exp(model.logProb([2], 3))).toBeCloseTo(seen, 14);
  const bits = -Math.log2(1 / 2 + seen / 2) - Math.log2(0.5 / 2 + seen / 2);
  expect(bitsPerByte(model, [[0, 1, 2]], 4)).toBeCloseTo(bits / 4, 14);
});

test("an n-gram at the start of a document counts its occurrences, not what precedes it", () => {
  // Order 3: the bigram 0 1 starts both documents and counts 2; the bigram 1 2 has one left neighbour and counts 1.
  const model = new KneserNey(3, 4);
  model.train([
    [0, 1, 2],
    [0, 1, 2],
  ]);
  const unigram = 0.5 / 2 + ((0.5 + 0.5) / 2) * (1 / 4); // 1 and 2 have one left neighbour each
  expect(Math.exp(model.logProb([0], 1))).toBeCloseTo((2 - 1) / 2 + (1 / 2) * unigram, 14);
  expect(Math.exp(model.logProb([1], 2))).toBeCloseTo((1 - 0.5) / 1 + (0.5 / 1) * unigram, 14);
});

test("discounts follow the counts of counts", () => {
  // Order 1, where counts are occurrences: four tokens once, three twice, two three times, one four times.
  const model = new KneserNey(1, 20);
  const times = [1, 1, 1, 1, 2, 2, 2, 3, 3, 4];
  model.train([[0, ...times.flatMap((n, i) => Array<number>(n).fill(i + 1))]]);
  const y = 4 / (4 + 2 * 3);
  const [, d1, d2, d3] = model.discounts[1];
  expect(d1).toBeCloseTo(1 - (2 * y * 3) / 4, 14);
  expect(d2).toBeCloseTo(2 - (3 * y * 2) / 3, 14);
  expect(d3).toBeCloseTo(3 - (4 * y * 1) / 2, 14);
});

test("a token outside the vocabulary is refused", () => {
  const model = new KneserNey(2, 5);
  expect(() => model.train([[0, 5]])).toThrow(RangeError);
  expect(() => model.logProb([7], 1)).toThrow(RangeError);
});
