// Recipes: every built-in one can be written as a file, and what a file may not say of the scheme `source`.
import { expect, test } from "vitest";
import { parseRecipe, RECIPES } from "../../tools/compress/recipe.ts";

test.each(RECIPES.map((r) => [r.name, r] as const))("%s is accepted as a file and comes back the same", (_, recipe) => {
  expect(parseRecipe(JSON.stringify(recipe))).toEqual(recipe);
});

test.each([
  ["u7tok", /source is multiplied with: .*i8g32, .*i8tok/],
  ["split161", /no activation format/],
  ["__proto__", /no activation format/],
])("source with %s is refused: no scheme that it becomes is multiplied with it", (act, why) => {
  const recipe = { name: "mine", method: "source", cache: "f16", rules: [{ match: ".*", scheme: "source", act }] };
  expect(() => parseRecipe(JSON.stringify(recipe))).toThrowError(expect.objectContaining({ code: "recipe.invalid", message: expect.stringMatching(why) }));
});
