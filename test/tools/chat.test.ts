// `skint chat` as a program: turns by the model's template, the cache kept between them, the ends of answers, and its failures.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Tiny, tinyCheckpoint } from "../support/tiny.ts";
import { byteLevelConfig } from "../support/tokenizers.ts";
import { type Bench, bench, changed } from "./skint.ts";

const CHATML =
  "{% for m in messages %}{{ '<|begin|>' + m.role + '\n' + m.content + '<|end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|begin|>assistant\n' }}{% endif %}";
const SCRIPT = resolve("dist/skint.js");
const GREEDY = ["--temperature", "0", "--max-tokens", "8", "--threads", "1"];

let b: Bench;
let tiny: Tiny;

const config = (more: object) => JSON.stringify({ ...JSON.parse(byteLevelConfig()), ...more });

beforeAll(async () => {
  b = bench();
  tiny = await tinyCheckpoint({ context: 512 });
  b.checkpoint("chatty", changed(tiny, "tokenizer_config.json", config({ chat_template: CHATML })));
  b.checkpoint("plain", changed(tiny, "tokenizer_config.json", config({})));
  b.checkpoint("endless", changed(tiny, "tokenizer_config.json", config({ chat_template: "{% for a in range(99999999) %}x{% endfor %}" })));
});
afterAll(() => b.remove());

function chat(input: string, ...args: string[]): { exit: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, "chat", ...args], { cwd: b.dir, encoding: "utf8", input });
  return { exit: status, out: stdout, err: stderr };
}

function turns(input: string, ...args: string[]) {
  const { exit, out, err } = chat(input, ...args, ...GREEDY, "--json");
  expect({ exit, err }).toEqual({ exit: 0, err: "" });
  return out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

test("each line is a turn, and what was read before is in the cache", () => {
  const [first, second, ...rest] = turns("hello\n\nwhat now\n", "chatty");
  expect(rest).toEqual([]);
  expect(first).toMatchObject({ message: "hello", stopped: false, stats: { reusedTokens: 0, generatedTokens: 8, stop: "length" } });
  expect(second).toMatchObject({ message: "what now", stopped: false });
  expect(second.stats.reusedTokens).toBeGreaterThanOrEqual(first.stats.promptTokens - 1);
  expect(second.stats.promptTokens).toBeGreaterThan(second.stats.reusedTokens);
});

test("the prompt is what the template writes: run continues it with the same text", () => {
  const [{ answer, stats }] = turns("hello\n", "chatty", "--system", "Be kind.");
  const written = "<|begin|>system\nBe kind.<|end|>\n<|begin|>user\nhello<|end|>\n<|begin|>assistant\n";
  const run = b.json("run", "chatty", written, ...GREEDY);
  expect(run.stats.promptTokens).toBe(stats.promptTokens);
  expect(run.text).toBe(answer);
});

test("a template in a file of its own is the one that counts, and is given the tools", () => {
  const files = changed(tiny, "tokenizer_config.json", config({ chat_template: "never" }));
  files.set("chat_template.jinja", new TextEncoder().encode(`{% for t in tools or [] %}{{ t.function.name }} {% endfor %}${CHATML}`));
  b.checkpoint("equipped", files);
  writeFileSync(
    join(b.dir, "tools.json"),
    JSON.stringify([
      { type: "function", function: { name: "lamp" } },
      { type: "function", function: { name: "oven" } },
    ]),
  );
  const [{ answer, stats }] = turns("hello\n", "equipped", "--tools", "tools.json");
  const run = b.json("run", "equipped", "lamp oven <|begin|>user\nhello<|end|>\n<|begin|>assistant\n", ...GREEDY);
  expect(run.stats.promptTokens).toBe(stats.promptTokens);
  expect(run.text).toBe(answer);
});

test("an id that the model names as an end ends the answer", () => {
  const run = b.json("run", "chatty", "<|begin|>user\nhello<|end|>\n<|begin|>assistant\n", ...GREEDY);
  b.checkpoint("ending", changed(tiny, "tokenizer_config.json", config({ chat_template: CHATML, eog_token_ids: [run.tokens[0]] })));
  expect(turns("hello\n", "ending")[0]).toMatchObject({ answer: "", stats: { generatedTokens: 0, stop: "eos" } });
  expect(turns("hello\n", "ending", "--ignore-eos")[0].stats).toMatchObject({ generatedTokens: 8, stop: "length" });
});

test("as text: the answer, and a line about speed on standard error", () => {
  const [{ answer }] = turns("hello\n", "chatty");
  const { exit, out, err } = chat("hello", "chatty", ...GREEDY);
  expect({ exit, out }).toEqual({ exit: 0, out: `${answer}\n` });
  expect(err).toMatch(/prompt tokens .* ended by length\n$/);
});

test("nothing to say is no failure", () => {
  expect(chat("", "chatty")).toMatchObject({ exit: 0, out: "" });
});

test.each([
  ["a model without a template", ["plain"], "model.template", /carries no chat template.*skint run/],
  ["a template that loops", ["endless"], "model.template", /range of 99999999/],
  ["a model that is not there", ["nowhere"], "file.missing", /nowhere/],
  ["tools that are not there", ["chatty", "--tools", "nowhere.json"], "usage", /nowhere.json cannot be read/],
  ["tools that are no list", ["chatty", "--tools", "chatty/config.json"], "usage", /holds no list/],
  ["a talk longer than the context", ["chatty", "--context", "16"], "session.context", /context holds 16/],
])("%s", (_, args, code, says) => {
  const { exit, out } = chat("hello\n", ...args, "--json");
  expect(JSON.parse(out).error).toMatchObject({ code, message: expect.stringMatching(says) });
  expect(exit).toBe({ "file.missing": 3, usage: 2 }[code] ?? 1);
});

test("SIGINT between the turns of a pipe ends the talk with 130", async () => {
  const child = spawn(process.execPath, [SCRIPT, "chat", "chatty", ...GREEDY, "--json"], { cwd: b.dir, stdio: ["pipe", "pipe", "ignore"] });
  child.stdin.write("hello\n");
  await once(child.stdout, "data");
  child.kill("SIGINT");
  expect((await once(child, "close"))[0]).toBe(130);
});
