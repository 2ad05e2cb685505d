// The pages at the root and in docs/ name what exists: links lead to files, the README's table holds every verb.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { COMMANDS } from "../../tools/catalogue.gen.ts";

const PAGES = [".", "docs"].flatMap((dir) =>
  readdirSync(dir)
    .filter((f) => f.endsWith(".md"))
    .map((f) => join(dir, f)),
);

test.each(PAGES)("links of %s lead somewhere", (page) => {
  const links = [...readFileSync(page, "utf8").matchAll(/\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)/g)].map((m) => m[1]);
  expect(links.filter((l) => !existsSync(join(dirname(page), l)))).toEqual([]);
});

test("the README has a row for every verb", () => {
  const readme = readFileSync("README.md", "utf8");
  for (const name of Object.keys(COMMANDS)) expect(readme).toMatch(new RegExp(`^\\| \`skint ${name}[ \`]`, "m"));
});

test("scripts that pages tell to run exist", () => {
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8"));
  const named = PAGES.flatMap((page) => [...readFileSync(page, "utf8").matchAll(/npm run ([\w:]+)/g)].map((m) => m[1]));
  expect(named.filter((n) => !scripts[n])).toEqual([]);
});
