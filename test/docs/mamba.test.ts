// docs/mamba.md: its program runs as it stands and prints what the page says; commands it names have the flags that it gives them. What the commands
// do in full: mamba.long.test.ts.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openCheckpoint } from "../../tools/compress/checkpoint.ts";
import { compressModel } from "../../tools/compress/compress.ts";
import { recipeNamed } from "../../tools/compress/recipe.ts";
import { mambaFolder } from "../support/mamba.ts";
import { memorySink } from "../support/memory.ts";
import { environment } from "../support/tiny.ts";
import { type Bench, bench } from "../tools/skint.ts";

const PAGE = readFileSync("docs/mamba.md", "utf8");
const LAYERS = 2;

let b: Bench;

beforeAll(async () => {
  b = bench();
  mkdirSync(b.path("node_modules"));
  symlinkSync(resolve("."), b.path("node_modules/skint"));
  const text = "In the beginning was a text that is as long as it must be to be drawn from. ".repeat(16);
  const sink = memorySink();
  const checkpoint = await openCheckpoint(await mambaFolder({ width: 64, layers: LAYERS }));
  const recipe = { ...recipeNamed("quamba"), scan: { states: "f32", clip: 1 } } as const;
  await compressModel(checkpoint, sink, await environment(), { recipe, calibration: { text: { name: "text", text }, tokens: 200 } });
  await checkpoint.store.close();
  writeFileSync(b.path("mamba-int8.skint"), sink.bytes() as Uint8Array);
});
afterAll(() => b.remove());

test("the program goes on from a saved state and prints a count for each layer", () => {
  const programs = [...PAGE.matchAll(/^```js\n([\s\S]*?)^```$/gm)].map(([, program]) => program);
  expect(programs).toHaveLength(1);
  writeFileSync(b.path("program.mjs"), programs[0]);
  const printed = execFileSync(process.execPath, ["program.mjs"], { cwd: b.dir, encoding: "utf8" });
  expect(printed.match(/scan: 'layers\.\d+\.mixer\.scan'/g)).toHaveLength(LAYERS);
});

test("every flag of its commands is one that the verb's help has", () => {
  const commands = [...PAGE.matchAll(/^ {4}npx skint (\w+)(.*)$/gm)].map(([, verb, rest]) => ({ verb, flags: rest.match(/--[\w-]+/g) ?? [] }));
  expect(new Set(commands.map((c) => c.verb))).toEqual(new Set(["compress", "eval", "run", "drift", "bench"]));
  const helps = new Map([...new Set(commands.map((c) => c.verb))].map((verb) => [verb, b.skint(verb, "--help").out]));
  for (const { verb, flags } of commands) for (const flag of flags) expect(helps.get(verb)).toContain(flag);
});
