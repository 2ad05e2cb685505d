// --ffn and the rule of a recipe: what is understood, what is refused, and the words about it.
import { expect, test } from "vitest";
import { ffnLine, parseFfn } from "../../tools/cli/ffn.ts";
import { parseRecipe } from "../../tools/compress/recipe.ts";

test.each([
  ["exact", { mode: "exact" }],
  ["dense", { mode: "dense" }],
  ["cett", { mode: "cett" }],
  ["cett:0.02", { mode: "cett", eps: 0.02 }],
  ["topk:64", { mode: "topk", topk: 64 }],
])("--ffn %s", (text, want) => {
  expect(parseFfn(text)).toEqual(want);
});

test.each(["", "half", "core", "exact:1", "topk:", "topk:x", "topk:1:2"])("--ffn %j is refused", (text) => {
  expect(() => parseFfn(text)).toThrow(/--ffn is/);
});

const recipe = (scheme: string, ffn: unknown) => JSON.stringify({ name: "r", method: "rtn", cache: "f16", rules: [{ match: ".*", scheme, ffn }] });

test("a rule may say what a layer leaves out", () => {
  expect(parseRecipe(recipe("q4n", { mode: "topk", topk: 5 })).rules[0].ffn).toEqual({ mode: "topk", topk: 5 });
});

test.each([{ mode: "topk" }, { mode: "core" }, { mode: "half" }, { mode: "cett", eps: -1 }, { mode: "topk", topk: 1.5 }, null])("the rule %j is refused", (ffn) => {
  expect(() => parseRecipe(recipe("q4n", ffn))).toThrow(/recipe/);
});

test("only q4n lies by neurons", () => {
  expect(() => parseRecipe(recipe("q4g32", { mode: "exact" }))).toThrow(/only q4n lies by neurons/);
});

test("the line says mode, why, share, and how often lists were too long", () => {
  const layer = { layer: "a", mode: "exact" as const, neurons: 10, steps: 4, skipped: { first: 0, up: 0.5, down: 0.5 }, fallbacks: 1, limit: 7 };
  expect(ffnLine({ mode: "exact", why: "as asked", steps: 4, skipped: 1 / 3, layers: [layer] })).toBe(
    "; feed-forward exact (as asked): 33.3 % of its rows left out, lists too long in 25.0 % of layers",
  );
  expect(ffnLine(undefined)).toBe("");
});
