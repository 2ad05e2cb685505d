// Bad input, command by command: the exit code, the code of the error, and that the message names what is wrong and what to do.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { safetensorsOf, type Tiny, tinyCheckpoint } from "../support/tiny.ts";
import { type Bench, bench, changed } from "./skint.ts";

let b: Bench;
let tiny: Tiny;

beforeAll(async () => {
  b = bench();
  tiny = await tinyCheckpoint();
  b.checkpoint("tiny", tiny.files);
  b.json("compress", "tiny", "--recipe", "w8", "--out", "w8.skint");
  writeFileSync(b.path("note.txt"), "not a model, but a text of some length that has nothing to do with one\n");
  writeFileSync(b.path("empty.skint"), "");
});
afterAll(() => b.remove());

function refused(args: string[]): { exit: number | null; code: string; message: string } {
  const { exit, out } = b.skint(...args, "--json");
  const { code, message } = JSON.parse(out).error;
  return { exit, code, message };
}

const config = (change: Record<string, unknown>) => JSON.stringify({ ...tiny.config, ...change });

/** A folder that lacks or garbles one thing → how compressing it ends. */
const FOLDERS: Readonly<
  Record<string, readonly [file: string, content: () => string | Uint8Array | undefined | Promise<Uint8Array>, code: string, exit: number, message: RegExp]>
> = {
  "unknown architecture": ["config.json", () => config({ model_type: "mamba9" }), "model.architecture", 1, /model_type "mamba9".*supported are .*llama/],
  "no architecture": ["config.json", () => config({ model_type: undefined }), "model.architecture", 1, /model_type.*supported are/],
  "architecture __proto__": ["config.json", () => config({ model_type: "__proto__" }), "model.architecture", 1, /supported are/],
  "no config.json": ["config.json", () => undefined, "file.missing", 3, /holds no config\.json/],
  "config that is no JSON": ["config.json", () => "{", "format.header", 1, /config\.json/],
  "config without a width": ["config.json", () => config({ hidden_size: undefined }), "model.config", 1, /hidden_size is undefined, a whole number/],
  "config with an impossible width": ["config.json", () => config({ hidden_size: -64 }), "model.config", 1, /hidden_size is -64/],
  "config with heads that do not divide": [
    "config.json",
    () => config({ num_key_value_heads: 3 }),
    "model.config",
    1,
    /num_key_value_heads is 3, a divisor of the 4 attention heads/,
  ],
  "config with an unknown activation": ["config.json", () => config({ hidden_act: "mish" }), "model.config", 1, /hidden_act is "mish", one of silu/],
  "config with another rope scaling": ["config.json", () => config({ rope_scaling: { rope_type: "yarn" } }), "model.config", 1, /rope_scaling type "yarn".*supported are/],
  "no tokenizer.json": ["tokenizer.json", () => undefined, "file.missing", 3, /holds no tokenizer\.json/],
  "no weights": ["model.safetensors", () => undefined, "file.missing", 3, /holds neither model\.safetensors nor model\.safetensors\.index\.json/],
  "weights cut short": ["model.safetensors", () => (tiny.files.get("model.safetensors") as Uint8Array).slice(0, 5000), "format.truncated", 1, /model\.safetensors|header/],
  "weights of another width": [
    "config.json",
    () => config({ intermediate_size: 97 }),
    "format.shape",
    1,
    /tensor model\.layers\.0\.mlp\.\w+_proj\.weight has the shape \[\d+, \d+\], config\.json implies \[\d+, \d+\]/,
  ],
  "weights of too few layers": ["config.json", () => config({ num_hidden_layers: 3 }), "model.tensor", 1, /holds no tensor model\.layers\.2\..*which llama needs/],
  "weights with NaN": [
    "model.safetensors",
    () => {
      const name = "model.layers.1.mlp.up_proj.weight";
      const values = Float32Array.from(tiny.weights.get(name)?.values ?? []);
      values[70] = Number.NaN;
      return safetensorsOf(new Map([...tiny.weights, [name, { shape: [96, 64], values }] as const]), "F32");
    },
    "model.tensor",
    1,
    /tensor model\.layers\.1\.mlp\.up_proj\.weight holds NaN at index \[1, 6\]/,
  ],
  "a tokenizer_config.json cut short": ["tokenizer_config.json", () => '{"bos_token": ', "format.header", 1, /tokenizer_config\.json/],
  "a tokenizer_config.json that is nested without end": ["tokenizer_config.json", () => "[".repeat(100_000), "format.limit", 1, /tokenizer_config\.json/],
  "a card.json that is no JSON": ["card.json", () => "name: tiny", "format.header", 1, /card\.json/],
  "a chat template that is no text": ["chat_template.jinja", () => Uint8Array.of(0x7b, 0xff, 0xfe), "format.header", 1, /chat_template\.jinja/],
  "a chat template as large as a model": ["chat_template.jinja", () => new Uint8Array(5_000_000).fill(0x20), "format.limit", 1, /chat_template\.jinja has 5000000 bytes/],
  "weights of a type that is none": [
    "model.safetensors",
    () => {
      const text = new TextDecoder("latin1").decode(tiny.files.get("model.safetensors"));
      const at = text.indexOf('"F32"', text.indexOf("layers.0.mlp.up_proj"));
      const bytes = (tiny.files.get("model.safetensors") as Uint8Array).slice();
      bytes.set(new TextEncoder().encode('"I32"'), at);
      return bytes;
    },
    "format.dtype",
    1,
    /model\.layers\.0\.mlp\.up_proj\.weight.*I32/,
  ],
};

test.each(Object.entries(FOLDERS))("compress: %s", async (name, [file, content, code, exit, message]) => {
  const folder = b.checkpoint(name.replaceAll(" ", "-"), changed(tiny, file, await content()));
  const before = readdirSync(b.dir);
  const got = refused(["compress", folder, "--out", "out.skint"]);
  expect(got).toMatchObject({ code, exit });
  expect(got.message).toMatch(message);
  expect(readdirSync(b.dir), "nothing is left behind").toEqual(before);
  expect(refused(["run", folder, "hello"]).code, "run reads the folder the same way").toBe(code);
});

/** A command line → how it ends. */
const CALLS: readonly (readonly [args: string[], code: string, exit: number, message: RegExp])[] = [
  [["compress", "nowhere"], "file.missing", 3, /there is no nowhere.*\.gguf/],
  [["compress", "note.txt"], "file.missing", 3, /note\.txt/],
  [["compress", "tiny", "--recipe", "w3"], "recipe.invalid", 1, /there is no recipe w3; recipes are f32, .*w4kv8/],
  [["compress", "tiny", "--recipe", "nowhere.json"], "file.missing", 3, /nowhere\.json/],
  [["compress", "tiny", "--out", "nowhere/out.skint"], "file.missing", 3, /nowhere/],
  [["compress", "tiny", "--golden", "sometimes"], "usage", 2, /golden/],
  [["run", "nowhere.skint", "hello"], "file.missing", 3, /there is no nowhere\.skint; give a model\.skint/],
  [["run", "note.txt", "hello"], "format.limit", 1, /note\.txt: .*not a safetensors file/],
  [["run", "empty.skint", "hello"], "format.truncated", 1, /empty\.skint/],
  [["run", "tiny/model.safetensors", "hello"], "format.header", 1, /not a Skint pack/],
  [["run", "w8.skint", "hello", "--recipe", "w4"], "usage", 2, /compressed already/],
  [["run", "tiny", "hello", "--recipe", "w3"], "recipe.invalid", 1, /no recipe w3/],
  [
    ["run", "w8.skint", "hello ".repeat(40), "--context", "16"],
    "session.context",
    1,
    /the text has \d+ tokens, the context holds 16; shorten it, or load with a longer context \(the model allows 160\)/,
  ],
  [["run", "w8.skint", "hello", "--context", "161"], "usage", 2, /161.*1 to 160/],
  [["run", "w8.skint", ""], "usage", 2, /at least one token/],
  [["run", "w8.skint", "hello", "--temperature", "-1"], "usage", 2, /--temperature is "-1"; give a number from 0 to 1000/],
  [["run", "w8.skint", "hello", "--top-p", "1.5"], "usage", 2, /--top-p is "1\.5"/],
  [["run", "w8.skint", "hello", "--top-p", "0"], "usage", 2, /topP|top-p/],
  [["run", "w8.skint", "hello", "--min-p", "two"], "usage", 2, /--min-p is "two"/],
  [["run", "w8.skint", "hello", "--top-k", "2.5"], "usage", 2, /--top-k/],
  [["run", "w8.skint", "hello", "--repeat-penalty", "0"], "usage", 2, /repeatPenalty|repeat-penalty/],
  [["run", "w8.skint", "hello", "--max-tokens", "0"], "usage", 2, /--max-tokens/],
  [["run", "w8.skint", "hello", "--threads", "0"], "usage", 2, /--threads/],
  [["run", "w8.skint", "hello", "--isa", "avx"], "usage", 2, /isa/],
  [["eval", "w8.skint"], "usage", 2, /one file; give one or more models, then the text/],
  [["compare", "w8.skint", "w8.skint", "nowhere.txt"], "file.missing", 3, /the text nowhere\.txt cannot be read/],
  [["eval", "w8.skint", "nowhere.txt"], "file.missing", 3, /the text nowhere\.txt cannot be read/],
  [["eval", "w8.skint", "note.txt", "--window", "8", "--stride", "9"], "usage", 2, /--stride 9 is longer than the window of 8/],
  [["eval", "w8.skint", "note.txt", "--against", "nowhere.skint"], "file.missing", 3, /nowhere\.skint/],
  [["bench", "w8.skint", "--against", "nowhere.json"], "file.missing", 3, /nowhere\.json/],
  [["inspect", "nowhere.skint"], "file.missing", 3, /nowhere\.skint/],
];

test.each(CALLS)("%j ends with %s, exit %i", (args, code, exit, message) => {
  const got = refused(args);
  expect(got).toMatchObject({ code, exit });
  expect(got.message).toMatch(message);
});

test("without --json the message is for people, on standard error", () => {
  const { exit, out, err } = b.skint("compress", "no-tokenizer.json");
  expect({ exit, out }).toEqual({ exit: 3, out: "" });
  expect(err).toMatch(/^skint: .*holds no tokenizer\.json.*\n {2}file\.missing: .*\n$/);
});

test("an existing file stays as it was when compressing over it fails", () => {
  const before = readFileSync(b.path("w8.skint"));
  expect(refused(["compress", "weights-with-NaN", "--out", "w8.skint"]).code).toBe("model.tensor");
  expect(readFileSync(b.path("w8.skint"))).toEqual(before);
});

test("a recipe file chooses schemes by rule; a malformed one says what is wrong", () => {
  const recipe = {
    name: "mine",
    method: "rtn",
    cache: "f16",
    rules: [
      { match: "ffn", scheme: "q4g32" },
      { match: ".*", scheme: "q8" },
    ],
  };
  const write = (value: unknown) => writeFileSync(b.path("mine.json"), typeof value === "string" ? value : JSON.stringify(value));
  write(recipe);
  b.json("compress", "tiny", "--recipe", "mine.json", "--out", "mine.skint");
  expect(Object.keys(b.json("inspect", "mine.skint").schemes).sort()).toEqual(["q4g32", "q8", "vectors"]);
  for (const [value, message] of [
    ["{", /not JSON/],
    ["null", /no name or no rules/],
    [{ ...recipe, cache: "f64" }, /cache is "f64"/],
    [{ ...recipe, method: "magic" }, /method "magic"/],
    [{ ...recipe, method: "__proto__" }, /method "__proto__"/],
    [{ ...recipe, rules: [{ match: ".*", scheme: "q3" }] }, /scheme/],
    [{ ...recipe, rules: [{ match: ".*", scheme: "q8", act: "u8tok" }] }, /q8 is multiplied with: had8, i8static, i8tok, u7tok;/],
    [{ ...recipe, rules: [{ match: ".*", scheme: "q4g32", act: "u7tok" }] }, /q4g32 is multiplied with: had8, i8g32, i8static, i8tok;/],
    [{ ...recipe, rules: [{ match: ".*", scheme: "f32", act: "i8tok" }] }, /takes plain floats/],
    [{ ...recipe, rules: [{ match: ".*", scheme: "q8", act: "__proto__" }] }, /no activation format/],
    [{ ...recipe, rules: [{ match: ".*", scheme: "q161" }] }, /gives the embedding embed\.weight a scheme that no embedding can have/],
    [{ ...recipe, rules: [{ match: ".*", scheme: "q8", rank: 0 }] }, /rank is 0, not 1 … 4096, a share of the columns below 1, or "auto"/],
    [{ ...recipe, rules: [{ match: ".*", scheme: "q8", rank: "32" }] }, /rank is 32, not/],
    [{ ...recipe, rules: [{ match: ".*", scheme: "q8", up: "q8" }] }, /rank is undefined/],
    [{ ...recipe, rules: [{ match: ".*", scheme: "q8", rank: 8, act: "i8static" }] }, /a path beside activations of a static range/],
    [{ ...recipe, rules: [{ match: ".*", scheme: "q8", rank: 1.5 }] }, /rank is 1.5, not/],
    [{ ...recipe, rules: [{ match: ".*", scheme: "q8", rank: 8, shared: 1 }] }, /says shared 1, neither true nor false/],
    [{ ...recipe, rules: [{ match: ".*", scheme: "q8", shared: true }] }, /has a path whose rank is undefined/],
    [{ ...recipe, rules: [{ match: ".*", scheme: "q8", rank: 8, power: 2 }] }, /power is 2, none of 0, 0.5, 1/],
    [{ ...recipe, rules: [{ match: ".*", scheme: "q8", rank: 8, down: "q161" }] }, /a path in q161, which no path can have/],
    [{ ...recipe, rules: [{ match: ".*", scheme: "q8", rank: 8, up: "__proto__" }] }, /a path in __proto__/],
    [{ ...recipe, rules: [{ match: "(", scheme: "q8" }] }, /regular expression/],
    [{ ...recipe, rules: [{ match: "ffn", scheme: "q8" }] }, /has no rule for embed\.weight/],
  ] as const) {
    write(value);
    const got = refused(["compress", "tiny", "--recipe", "mine.json", "--out", "out.skint"]);
    expect(got).toMatchObject({ code: "recipe.invalid", exit: 1 });
    expect(got.message).toMatch(message);
  }
});
