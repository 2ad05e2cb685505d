// Every golden vector and rule of exactness that the goal sparse.specs counts holds.
import { expect, test } from "vitest";
import { RULES } from "../../tools/goals/sparse/specs.ts";

test.each(RULES)("$name", async ({ holds }) => {
  expect(await holds()).toBe(true);
});
