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
  ["core", { mode: "core" }],
  ["core:auto", { mode: "core", guide: "auto" }],
  ["core:0.4,0.2", { mode: "core", alpha: 0.4, beta: 0.2 }],
  ["core:stable,0.3", { mode: "core", guide: "stable", alpha: 0.3 }],
  ["core:0.4,similar,0.2,magnitude,refresh=64,window=8", { mode: "core", guide: "similar", alpha: 0.4, beta: 0.2, signal: "magnitude", refresh: 64, window: 8 }],
])("--ffn %s", (text, want) => {
  expect(parseFfn(text)).toEqual(want);
});

test.each([
  "",
  "half",
  "exact:1",
  "topk:",
  "topk:x",
  "topk:1:2",
  "core:",
  "core:half",
  "core:0.1,0.2,0.3",
  "core:auto,stable",
  "core:refresh=",
  "core:refresh=x",
  "core:step=1",
  "core:store=",
  "core:store=disk",
])("--ffn %j is refused", (text) => {
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
  expect(ffnLine({ mode: "exact", why: "as asked", steps: 4, skipped: 1 / 3, limit: { share: 0.7, from: "measured" }, layers: [layer] })).toBe(
    "; feed-forward exact (as asked): 33.3 % of its rows left out, lists too long in 25.0 % of layers (limit 70.0 %, measured)",
  );
  expect(ffnLine(undefined)).toBe("");
});

test("of a core the line says by which guide it was made, of how many tokens, why, and how often anew", () => {
  const layer = { layer: "a", mode: "core" as const, neurons: 100, steps: 4, skipped: { first: 0.8, up: 0.8, down: 0.8 }, fallbacks: 0, limit: 75 };
  const core = {
    guide: "auto" as const,
    made: "similar" as const,
    why: "auto: 9 prompt tokens are fewer than 64",
    alpha: 0.4,
    beta: 0.2,
    tokens: 9,
    cluster: 3,
    refreshes: 2,
    store: "compact" as const,
    storeBytes: 1_230_000,
  };
  const report = { mode: "core" as const, why: "as asked", steps: 4, skipped: 0.8, limit: { share: 0.75, from: "default" as const }, layers: [layer] };
  expect(ffnLine({ ...report, core })).toBe(
    "; feed-forward core, similar (cluster 3) after 9 prompt tokens (auto: 9 prompt tokens are fewer than 64), made anew 2 times, compact: 1.2 MB of rows copied: 80.0 % of its rows left out",
  );
  expect(
    ffnLine({ ...report, core: { guide: "auto", made: "none", why: "no prompt was counted", alpha: 0.4, beta: 0.2, tokens: 0, refreshes: 0, store: "gather", storeBytes: 0 } }),
  ).toBe("; feed-forward core (no prompt was counted): 80.0 % of its rows left out");
});
