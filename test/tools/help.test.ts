// What `skint --help` and every verb's --help print is reviewed text: test/tools/help.golden.txt. SKINT_UPDATE=1 rewrites it.
import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { COMMANDS } from "../../tools/catalogue.gen.ts";
import { main } from "../../tools/cli/program.ts";
import { captureIo } from "./io.ts";

const GOLDEN = "test/tools/help.golden.txt";

async function help(argv: string[]): Promise<string> {
  const io = captureIo();
  expect(await main([...argv, "--help"], Object.values(COMMANDS), io, "0.0.0")).toBe(0);
  return `$ skint ${[...argv, "--help"].join(" ")}\n${io.stdout}`;
}

test("help texts are as reviewed", async () => {
  const pages = [await help([])];
  for (const verb of Object.values(COMMANDS)) {
    pages.push(await help([verb.name]));
    for (const inner of verb.verbs ?? []) pages.push(await help([verb.name, inner.name]));
  }
  const text = pages.join("\n");
  if (process.env.SKINT_UPDATE) writeFileSync(GOLDEN, text);
  expect(text, "if the new text is right: SKINT_UPDATE=1 npx vitest run test/tools/help.test.ts").toBe(readFileSync(GOLDEN, "utf8"));
});

test("every verb has an example that calls it, and a summary of one short line", () => {
  const called = Object.values(COMMANDS).flatMap((verb) => [{ verb, name: verb.name }, ...(verb.verbs ?? []).map((v) => ({ verb: v, name: `${verb.name} ${v.name}` }))]);
  for (const { verb, name } of called) {
    expect(verb.example.split("\n").every((l) => l.includes(`skint ${name}`))).toBe(true);
    expect(verb.summary.length).toBeLessThanOrEqual(80);
  }
});
