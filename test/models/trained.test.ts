// The models of the house against the framework that trained them (models/*/oracle.json), and what eight and four bits cost them.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import type { Model, ModelOptions } from "../../runtime/session/model.ts";
import { compareScores, type Scores, scoreText } from "../../runtime/stats/perplexity.ts";
import { openFolder } from "../../targets/hosts/node/files.ts";
import { openCheckpoint } from "../../tools/compress/checkpoint.ts";
import { compressModel } from "../../tools/compress/compress.ts";
import { recipeNamed } from "../../tools/compress/recipe.ts";
import { evaluate, splitOfCard } from "../../tools/eval/evaluate.ts";
import { activeFraction } from "../../tools/goals/byo/tiny.ts";
import type { Measured } from "../../tools/goals/goal.ts";
import { memorySink } from "../support/memory.ts";
import { relativeError } from "../support/oracle-llama.ts";
import { environment, open } from "../support/tiny.ts";

/** All were trained without it. */
const HELD_OUT = readFileSync("models/tiny-swiglu/heldout.txt", "utf8");
const TOKENS = 3000;

interface Oracle {
  readonly tokens: number[];
  /** Positions whose logits are stored, f32 [positions, vocab] in base64. */
  readonly positions: number[];
  readonly vocab: number;
  readonly logits: string;
  readonly prompt: number[];
  readonly greedy: number[];
}

const trained = readdirSync("models").filter((name) => existsSync(`models/${name}/oracle.json`));

test("all models that the training has a recipe for are here", () => {
  const recipes = [...readFileSync("models/training/recipes.py", "utf8").matchAll(/^ {4}"(tiny-\w+)": Recipe/gm)].map(([, name]) => name);
  expect(recipes.length).toBeGreaterThan(2);
  expect(trained.toSorted()).toEqual(recipes.toSorted());
});

test("as few neurons of tiny-relu are awake as its card says", async () => {
  const { evaluation } = JSON.parse(readFileSync("models/tiny-relu/card.json", "utf8"));
  const { value } = (await activeFraction({ signal: new AbortController().signal, note: () => {} })) as Measured;
  // The card's windows overlap, so that it counts some tokens in another context.
  expect(Math.abs(value / evaluation.active_fraction - 1)).toBeLessThan(0.03);
});

describe.each(trained)("%s", (name) => {
  const folder = `models/${name}`;
  const packs = new Map<string, Uint8Array>();
  let oracle: Oracle;

  beforeAll(async () => {
    oracle = JSON.parse(readFileSync(`${folder}/oracle.json`, "utf8"));
    for (const recipe of ["f32", "w8", "w4", "w4kv8"]) {
      const checkpoint = await openCheckpoint(await openFolder(folder));
      const sink = memorySink();
      await compressModel(checkpoint, sink, await environment(), { recipe: recipeNamed(recipe), golden: "auto" });
      await checkpoint.store.close();
      packs.set(recipe, sink.bytes() as Uint8Array);
    }
  });

  async function withModel<T>(recipe: string, options: ModelOptions, use: (model: Model) => Promise<T>): Promise<T> {
    const model = await open(packs.get(recipe) as Uint8Array, options);
    try {
      return await use(model);
    } finally {
      model.close();
    }
  }

  const scoreOf = (recipe: string): Promise<Scores> =>
    withModel(recipe, { score: true, context: 256 }, (model) => evaluate(model, HELD_OUT, { split: splitOfCard(model.card), window: 256, stride: 128, tokens: TOKENS }));

  test("f32 logits are those of the training framework to 1e-4, at every stored position", async () => {
    const bytes = Buffer.from(oracle.logits, "base64");
    const want = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    expect(oracle.positions.length).toBeGreaterThan(8);
    await withModel("f32", {}, async (model) => {
      const session = model.session();
      for (const [i, position] of oracle.positions.entries()) {
        const got = await session.feed(Uint32Array.from(oracle.tokens.slice(0, position + 1)));
        expect(relativeError(got, want.subarray(i * oracle.vocab, (i + 1) * oracle.vocab)), `position ${position}`).toBeLessThanOrEqual(1e-4);
      }
    });
  });

  test("the greedy continuation is that of the training framework", async () => {
    await withModel("f32", {}, async (model) => {
      const made: number[] = [];
      for await (const { token } of model.session().generate(Uint32Array.from(oracle.prompt), { temperature: 0, maxTokens: oracle.greedy.length, ignoreEos: true }))
        if (token >= 0) made.push(token);
      expect(made).toEqual(oracle.greedy);
    });
  });

  test("the tokenizer makes the oracle's tokens of the held-out text", async () => {
    await withModel("w4", {}, async (model) => {
      const tokens = model.session().encode(HELD_OUT.slice(0, 2000));
      expect([...tokens.subarray(0, oracle.prompt.length)]).toEqual(oracle.prompt);
    });
  });

  test("eight and four bits cost at most 1 % and 2 % bits per byte on a part of the held-out text", async () => {
    const full = await scoreOf("f32");
    expect(full.logProbabilities).toHaveLength(TOKENS);
    expect(scoreText(full).bitsPerByte, "an untrained model has 3.3").toBeLessThan(1.7);
    for (const [recipe, most] of [
      ["w8", 0.01],
      ["w4", 0.02],
      ["w4kv8", 0.02],
    ] as const) {
      const { ratio } = compareScores(full, await scoreOf(recipe));
      expect(ratio - 1, recipe).toBeLessThanOrEqual(most);
    }
    expect(compareScores(full, await scoreOf("w8")).ratio, "the comparison compares").not.toBe(1);
  });
});
