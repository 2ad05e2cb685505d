// docs/adding-a-*.md, done once: the files of their code blocks are put into a copy of the tree, generated, built, typed, linted and run.
// A block that names a file after its language (```ts path/of/file.ts, ```c …, ```ld …) is that file.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MCUS } from "../../targets/devices/mcu/catalogue.gen.ts";
import { lacksAgent } from "../../targets/hosts/node/agents/lines.ts";
import { BUILDS } from "../../tools/gen/scan.ts";

const DOCS = ["kernel", "op", "model", "verb", "board", "protocol", "mcu"].map((name) => `docs/adding-a-${name}.md`);
const COPIED = ["runtime", "assembly", "targets", "models", "tools", "test", "biome.json", ".gitignore", "asconfig.json", "package.json", "tsconfig.json", "vitest.config.ts"];
/** Kernel families that the copy keeps: enough for the docs, and quick to compile. */
const FAMILIES = ["add", "scale", "lib"];

const copy = mkdtempSync(join(tmpdir(), "skint-docs-"));
const added: string[] = [];

function node(args: string[], env: Record<string, string> = {}): string {
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_ENV|TEST$)/.test(name)));
  try {
    return execFileSync(process.execPath, args, { cwd: copy, env: { ...clean, ...env }, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (e) {
    const { stdout, stderr } = e as { stdout: string; stderr: string };
    throw new Error(`node ${args.join(" ")} failed in the copy:\n${stdout}${stderr}`);
  }
}

function blocksOf(doc: string): { path: string; text: string }[] {
  return [...readFileSync(doc, "utf8").matchAll(/^```(?:ts|c|ld) (\S+)\n([\s\S]*?)^```$/gm)].map(([, path, text]) => ({ path, text }));
}

beforeAll(() => {
  for (const path of COPIED) cpSync(path, join(copy, path), { recursive: true, filter: (from) => !from.endsWith(".safetensors") });
  symlinkSync(resolve("node_modules"), join(copy, "node_modules"));
  for (const e of readdirSync(join(copy, "assembly"), { withFileTypes: true }))
    if (e.isDirectory() && !FAMILIES.includes(e.name)) rmSync(join(copy, "assembly", e.name), { recursive: true });
  for (const { path, text } of DOCS.flatMap(blocksOf)) {
    mkdirSync(dirname(join(copy, path)), { recursive: true });
    writeFileSync(join(copy, path), text);
    added.push(path);
  }
  node(["tools/dev/ts.mjs", "tools/gen/main.ts"]);
}, 120_000);

afterAll(() => rmSync(copy, { recursive: true, force: true }));

test("each doc adds files, and none of them exists", () => {
  for (const doc of DOCS) expect(blocksOf(doc).length, doc).toBeGreaterThan(0);
  for (const path of added) expect(() => readFileSync(path), `${path} exists; the doc needs another example`).toThrow();
});

test("the added files keep the style of the house", () => {
  node(["node_modules/@biomejs/biome/bin/biome", "check", ...added.filter((f) => f.endsWith(".ts"))]);
}, 60_000);

test("the added files have types, the catalogues that list them too", () => {
  const files = [
    ...added.filter((f) => f.endsWith(".ts") && !f.startsWith("assembly/")),
    "models/catalogue.gen.ts",
    "runtime/ops/catalogue.gen.ts",
    "runtime/ops/references.gen.ts",
  ];
  writeFileSync(join(copy, "tsconfig.added.json"), JSON.stringify({ extends: "./tsconfig.json", files, include: [] }));
  node(["node_modules/typescript/bin/tsc", "-p", "tsconfig.added.json"]);
}, 120_000);

describe("kernel and op", () => {
  beforeAll(() => void node(["tools/dev/ts.mjs", "tools/dev/build.ts", "--core"]), 120_000);

  test.each(["add", "scale"])(
    "the kernels of %s pass its cases",
    (op) => {
      expect(node(["node_modules/vitest/vitest.mjs", "run", "test/kernels/kernels.test.ts"], { SKINT_OP: op })).toContain("1 passed");
    },
    120_000,
  );

  test("the builds contain them", () => {
    const catalogue = readFileSync(join(copy, "targets/devices/wasm/catalogue.gen.ts"), "utf8");
    expect(catalogue).toContain("add_f32__relaxed");
    expect(catalogue.match(/scale_f32__scalar/g)).toHaveLength(BUILDS.length);
  });
});

test("the board is listed, and an image could be made for it", () => {
  writeFileSync(
    join(copy, "tools/try.ts"),
    `import { clockOf } from "../targets/devices/fpga/board.ts";
import { BOARDS } from "../targets/devices/fpga/boards/catalogue.gen.ts";
import { script } from "./flash/image.ts";
console.log(JSON.stringify({ clock: clockOf(BOARDS.bench), script: script(BOARDS.bench, "0123456789abcdef") }));`,
  );
  const { clock, script } = JSON.parse(node(["tools/dev/ts.mjs", "tools/try.ts"]));
  expect(clock).toBe(24);
  expect(script).toContain("-set BOARD 64'h68636e6562");
});

test("the model builds a graph that passes the check", () => {
  writeFileSync(
    join(copy, "tools/try.ts"),
    `import { ARCHITECTURES } from "../models/catalogue.gen.ts";
import { checkGraph } from "../runtime/graph/check.ts";
const { bigram } = ARCHITECTURES;
const graph = bigram.build({ vocab_size: 300, hidden_size: 64 }, { cache: "f16" });
checkGraph(graph);
const weights = graph.tensors.filter((t) => t.role === "weight").map((t) => bigram.locate(t.name)[0].name);
console.log(JSON.stringify({ vocab: graph.vocab, weights }));`,
  );
  expect(JSON.parse(node(["tools/dev/ts.mjs", "tools/try.ts"]))).toEqual({ vocab: 300, weights: ["transformer.wte.weight", "lm_head.weight"] });
});

test("the verb runs", () => {
  expect(node(["tools/dev/ts.mjs", "tools/skint.ts", "--help"])).toContain("print the SHA-256 of a file");
  writeFileSync(join(copy, "abc"), "abc");
  const answer = JSON.parse(node(["tools/dev/ts.mjs", "tools/skint.ts", "hash", "abc", "--json"]));
  expect(answer).toEqual({ file: "abc", sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" });
});

test("the protocol takes an image to its board", () => {
  const answer = JSON.parse(node(["tools/dev/ts.mjs", "tools/skint.ts", "flash", "biome.json", "--board", "letterbox", "--port", "twin", "--json"]));
  expect(answer).toMatchObject({ board: "letterbox", id: "LTR1", start: 0x400, booted: true, bytes: readFileSync("biome.json").length });
});

test("the MCU's agent is made, runs, and is exact", async ({ skip }) => {
  const why = await lacksAgent(MCUS["mps2-an385"]);
  if (why) skip(why);
  expect(node(["node_modules/vitest/vitest.mjs", "run", "test/device/mcu/agents.test.ts", "-t", "mps2-an386"])).toContain("2 passed");
}, 120_000);
