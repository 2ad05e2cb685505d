// docs/mamba.md: its commands, one after the other in one folder, as they stand.
import { existsSync, readFileSync, symlinkSync } from "node:fs";
import { resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Bench, bench } from "../tools/skint.ts";

const COMMANDS = [...readFileSync("docs/mamba.md", "utf8").matchAll(/^ {4}npx skint (.*)$/gm)].map(([, command]) => command);
const FILES = ["mamba-int8.skint", "mamba-f32.skint", "mamba-i8.skint", "genesis.state", "drift.svg"];

let b: Bench;

beforeAll(() => {
  b = bench();
  symlinkSync(resolve("models"), b.path("models"));
});
afterAll(() => b.remove());

/** Words of a command line; double quotes hold one together. */
const words = (line: string) => [...line.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word);

test.each(COMMANDS)("skint %s", { timeout: 900_000 }, (command) => {
  const { exit, out, err } = b.skint(...words(command));
  expect(exit, err).toBe(0);
  expect(out.trim()).not.toBe("");
});

test("they have written what the page names", () => {
  expect(FILES.filter((file) => !existsSync(b.path(file)))).toEqual([]);
});
