// Schemes and ranks under a budget: which choices are worth it, what fits, and a file that keeps to it.
import { describe, expect, test } from "vitest";
import { createRandom } from "../../runtime/num/random.ts";
import { parseBytes } from "../../tools/cli/units.ts";
import { chooseWithin, lowerHull, withinBudget } from "../../tools/compress/budget.ts";
import { openCheckpoint } from "../../tools/compress/checkpoint.ts";
import type { Choice, Group } from "../../tools/compress/choices.ts";
import { compressModel } from "../../tools/compress/compress.ts";
import { recipeNamed } from "../../tools/compress/recipe.ts";
import { memorySink } from "../support/memory.ts";
import { environment, tinyCheckpoint } from "../support/tiny.ts";

const choice = (bytes: number, error: number): Choice => ({ scheme: "q8", rank: 0, bytes, error });
const group = (...choices: Choice[]): Group => ({ rule: { match: ".*", scheme: "q8" }, weights: [], choices });
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

test("choices that cost more and err more, or that a mixture of others beats, are left out", () => {
  const [small, dominated, above, middle, close] = [choice(10, 8), choice(12, 9), choice(19, 6), choice(20, 3), choice(40, 1)];
  expect(lowerHull([close, above, dominated, small, middle])).toEqual([small, middle, close]);
});

test("what is chosen fits, and no other choice that fits is better by more than one step", () => {
  const random = createRandom(3);
  const groups = Array.from({ length: 4 }, () => group(...Array.from({ length: 4 }, (_, i) => choice(10 + 10 * i + random.below(9), 1 / (1 + i) + random.f64() / 8))));
  const all = groups.reduce<Choice[][]>((sets, g) => sets.flatMap((s) => g.choices.map((c) => [...s, c])), [[]]);
  const step = Math.max(...groups.flatMap((g) => lowerHull(g.choices).slice(1).map((c, i) => lowerHull(g.choices)[i].error - c.error))); // biome-ignore format: one line
  for (const budget of [80, 100, 120, 140, 170]) {
    const chosen = chooseWithin(groups, budget + 5, 5);
    expect(sum(chosen.map((c) => c.bytes))).toBeLessThanOrEqual(budget);
    const best = Math.min(...all.filter((s) => sum(s.map((c) => c.bytes)) <= budget).map((s) => sum(s.map((c) => c.error))));
    expect(sum(chosen.map((c) => c.error))).toBeLessThanOrEqual(best + step);
  }
});

test("a budget that nothing fits in says what the smallest takes", () => {
  expect(() => chooseWithin([group(choice(10, 1)), group(choice(30, 1))], 20, 5)).toThrow(
    expect.objectContaining({ code: "recipe.invalid", message: expect.stringContaining("the smallest takes 45") }),
  );
});

test.each([["60MB", 60e6], ["1.5 GB", 1.5e9], ["4096", 4096], ["12k", 12000], ["0", 0]])("%s is a size", (text, bytes) => expect(parseBytes(text)).toBe(bytes)); // biome-ignore format: a table
test.each(["", "MB", "-1MB", "1e9", "60 tons"])("%s is none", (text) => expect(parseBytes(text)).toBeUndefined());

describe("a model under a budget", () => {
  const text = { name: "t", text: "What is written here is written for a count of bytes. ".repeat(60) };

  async function compressed(recipe: string, budget: number) {
    const checkpoint = await openCheckpoint((await tinyCheckpoint()).folder);
    const env = await environment();
    const o = { recipe: recipeNamed(recipe), calibration: { text, tokens: 500 } };
    const chosen = await withinBudget(checkpoint, env, o, budget);
    const sink = memorySink();
    const report = await compressModel(checkpoint, sink, env, { ...o, recipe: chosen });
    return { chosen, report, bytes: (sink.bytes() as Uint8Array).length };
  }

  test.each(["w4-gptq", "24w4-eora", "24v8w4-eora", "w4-svd"])("%s: the file keeps to it; more bytes, less predicted error", async (recipe) => {
    const errors: number[] = [];
    for (const budget of [130e3, 190e3]) {
      const { report, bytes, chosen } = await compressed(recipe, budget);
      expect(bytes).toBeLessThanOrEqual(budget);
      errors.push(sum(report.matrices.map((m) => (m.path ?? m).output?.predicted ?? 0)));
      expect(new Set(chosen.rules.map((r) => r.scheme)).size).toBeGreaterThan(1);
    }
    expect(errors[1]).toBeLessThan(errors[0]);
  });
});
