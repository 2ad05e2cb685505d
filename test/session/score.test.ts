// Scores are what the logits of single steps say: window by window, each prediction once.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { SkintError } from "../../runtime/errors.ts";
import type { Model } from "../../runtime/session/model.ts";
import { logSoftmaxAt } from "../../runtime/stats/perplexity.ts";
import { open, pack, tinyCheckpoint, tokensOf } from "../support/tiny.ts";

const CONTEXT = 24;
const tokens = tokensOf(61, 300);
let bytes: Uint8Array;
let model: Model;

beforeAll(async () => {
  bytes = (await pack(await tinyCheckpoint(), "f16")).bytes;
  model = await open(bytes, { context: CONTEXT, batch: 5, score: true });
});
afterAll(() => model.close());

/** Log probability of tokens[i + 1], the model having seen tokens from `start` on. */
async function stepByStep(start: number, i: number): Promise<number> {
  const session = model.session();
  let logits = await session.feed(tokens.subarray(start, start + 1));
  for (let at = start + 1; at <= i; at++) logits = await session.next(tokens[at]);
  return logSoftmaxAt(logits, tokens[i + 1]);
}

test("within one window every prediction is that of a step", async () => {
  const piece = tokens.subarray(0, CONTEXT + 1);
  const scores = await model.score(piece, { window: CONTEXT, stride: CONTEXT });
  expect(scores).toHaveLength(CONTEXT);
  for (let i = 0; i < CONTEXT; i++) expect(scores[i], `token ${i + 1}`).toBe(await stepByStep(0, i));
});

test.each([
  [24, 24],
  [24, 12],
  [24, 7],
  [10, 1],
  [1, 1],
])("window %i, stride %i: the first window scores all, each later one its last stride", async (window, stride) => {
  const scores = await model.score(tokens, { window, stride });
  for (let i = 0; i < tokens.length - 1; i++) {
    // the first window that reaches prediction i
    const start = i < window ? 0 : Math.ceil((i + 1 - window) / stride) * stride;
    expect(scores[i], `token ${i + 1} from ${start}`).toBe(await stepByStep(start, i));
  }
});

test("nothing to predict gives no scores", async () => {
  expect(await model.score(tokens.subarray(0, 1), { window: 8, stride: 4 })).toHaveLength(0);
  expect(await model.score(tokens.subarray(0, 0), { window: 8, stride: 4 })).toHaveLength(0);
});

test.each([
  [25, 5],
  [0, 1],
  [8, 0],
  [8, 9],
  [8, 2.5],
])("a window of %f with a stride of %f is refused", async (window, stride) => {
  const error: SkintError = await model.score(tokens, { window, stride }).then(
    () => expect.unreachable("it should have failed"),
    (e) => e,
  );
  expect(error.code).toBe("usage");
});

test("a model loaded without room for scores says so", async () => {
  const other = await open(bytes);
  await expect(other.score(tokens, { window: 8, stride: 8 })).rejects.toMatchObject({ code: "usage" });
  other.close();
});

test("a score can be stopped, reports progress, and takes the cache from a session", async () => {
  const done: number[] = [];
  await model.score(tokens, { window: 20, stride: 10, onProgress: (n, total) => done.push(n / total) });
  expect(done.at(-1)).toBe(1);
  expect(done).toEqual([...done].sort((a, b) => a - b));
  await expect(model.score(tokens, { window: 20, stride: 10, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "aborted" });
  const session = model.session();
  const want = (await session.feed(tokens.subarray(0, 9))).slice();
  await model.score(tokens, { window: 20, stride: 10 });
  expect(await session.feed(tokens.subarray(0, 9))).toEqual(want);
});
