// Each house rule fires on a small made-up tree, and says nothing about a clean one. Offending words are put together here so
// that the rules do not find this file.
import { expect, test } from "vitest";
import { dependenciesHaveReasons, errorCodesAreTested, lockIsWhole, opsAreWhole } from "../../tools/dev/rules/complete.ts";
import { filesAreShort, noLeftovers, noLoneTests, noMachinePaths, noVectorConstants, papersArePresent, skipsHaveReasons } from "../../tools/dev/rules/files.ts";
import { importsOf, importsRunOneWay, noHostGlobals } from "../../tools/dev/rules/imports.ts";
import { fakeTree, type Rule } from "../../tools/dev/rules/tree.ts";

const places = (rule: Rule, files: Record<string, string>) => rule(fakeTree(files)).map((f) => (f.line ? `${f.path}:${f.line}` : f.path));

test("imports run one way", () => {
  const bad = {
    "runtime/a.ts": `import { x } from "./b.ts";\nimport { readFileSync } from "node:fs";`,
    "runtime/b.ts": `export { x } from "../models/llama/model.ts";`,
    "runtime/c.ts": `const t = await import("../targets/hosts/node/index.ts");`,
    "runtime/d.ts": `import type { Verb } from "../tools/verb.ts";`,
    "models/llama/model.ts": `import { probe } from "../../targets/devices/wasm/probe.ts";`,
    "models/llama/names.ts": `import x from "left-pad";`,
    "targets/devices/wasm/a.ts": `import { x } from "../../hosts/node/index.ts";`,
    "targets/hosts/node/a.ts": `import { x } from "../../../tools/dev/build.ts";`,
    "assembly/add/f32.simd.ts": `import { X } from "../../runtime/errors.ts";`,
  };
  expect(places(importsRunOneWay, bad)).toEqual([
    "assembly/add/f32.simd.ts:1",
    "models/llama/model.ts:1",
    "models/llama/names.ts:1",
    "runtime/a.ts:2",
    "runtime/b.ts:1",
    "runtime/c.ts:1",
    "runtime/d.ts:1",
    "targets/devices/wasm/a.ts:1",
    "targets/hosts/node/a.ts:1",
  ]);
  const good = {
    "runtime/text/a.ts": `import { Tokenizer } from "@huggingface/tokenizers";\nimport { E } from "../errors.ts";`,
    "models/llama/model.ts": `import { block } from "../blocks/ffn.ts";\nimport { op } from "../../runtime/ops/define.ts";`,
    "targets/hosts/node/a.ts": `import { cpus } from "node:os";\nimport { x } from "../../devices/wasm/load.ts";`,
    "tools/run/command.ts": `import { load } from "../../targets/hosts/node/index.ts";\nimport { A } from "../../models/catalogue.gen.ts";`,
    "test/x.test.ts": `import { x } from "../tools/dev/rules.ts";`,
  };
  expect(places(importsRunOneWay, good)).toEqual([]);
});

test("imports are read in every form", () => {
  const text = `import "./a.ts";\nimport { b,\n  c } from './b.ts';\nexport * from "./c.ts";\nawait import("./d.ts");\nimport.meta.glob<{ x: number }>("./e*.ts");`;
  expect(importsOf(text).map((i) => i.name)).toEqual(["./a.ts", "./b.ts", "./c.ts", "./d.ts", "./e*.ts"]);
});

test("runtime uses no global of one host", () => {
  expect(places(noHostGlobals, { "runtime/a.ts": "const e = process.env;", "models/b.ts": "await fetch(url);", "targets/hosts/node/c.ts": "process.exit(1);" })).toEqual([
    "models/b.ts:1",
    "runtime/a.ts:1",
  ]);
  const good = `// process.env is not for here\nfunction f(document: string[]) { return document.length; }\nthis.process.end();\nthrow new Error("fetch(again)");`;
  expect(places(noHostGlobals, { "runtime/a.ts": good })).toEqual([]);
});

test("hand-written files are short", () => {
  const long = "x;\n".repeat(401);
  expect(places(filesAreShort, { "runtime/a.ts": long, "runtime/b.gen.ts": long, "models/x/heldout.txt": long, "runtime/c.ts": "x;\n".repeat(400) })).toEqual(["runtime/a.ts"]);
});

test("no test stands alone", () => {
  const lone = `describe${".only"}("x", () => {});`;
  expect(places(noLoneTests, { "test/a.test.ts": `\n${lone}`, "runtime/a.ts": lone, "test/b.test.ts": "const only = 1; test(only);" })).toEqual(["test/a.test.ts:2"]);
});

test("no skip without a reason", () => {
  const bad = ["skip", "skipIf(x)", "todo"].map((w) => `test${"."}${w}("x", () => {});`).join("\n");
  expect(places(skipsHaveReasons, { "test/a.test.ts": bad, "test/b.test.ts": `test("x", (context) => context.skip("no board"));` })).toEqual([
    "test/a.test.ts:1",
    "test/a.test.ts:2",
    "test/a.test.ts:3",
  ]);
});

test("no reminders", () => {
  expect(places(noLeftovers, { "runtime/a.ts": `// ${"TO"}DO later`, "docs/x.md": `${"FIX"}ME`, "runtime/b.ts": "const TODOS = 1;" })).toEqual(["docs/x.md:1", "runtime/a.ts:1"]);
});

test("no path of one machine", () => {
  const bad = { "tools/a.ts": `open("${"/ho"}me/me/x")`, "docs/a.md": `see ${"/wo"}rk/x`, "b.json": `"C:${"\\Users"}\\\\me"` };
  expect(places(noMachinePaths, bad)).toEqual(["b.json:1", "docs/a.md:1", "tools/a.ts:1"]);
  expect(places(noMachinePaths, { "a.ts": `"https://x.org/home/y"; a/work/b; "/tmp/x"; "./home/x"` })).toEqual([]);
});

test("no vector is made of constants in a kernel", () => {
  const bad = {
    "assembly/a/f32.simd.ts": "const m = i8x16.splat(0x0f);\nv128.splat<i16>(-1);\nf32x4.splat(<f32>1.5);",
    "assembly/lib/x.ts": "i32x4.splat(1)\nf32x4.splat(LOG2E)\nconst m = i8x16(0, 2, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);",
  };
  expect(places(noVectorConstants, bad)).toEqual([
    "assembly/a/f32.simd.ts:1",
    "assembly/a/f32.simd.ts:2",
    "assembly/a/f32.simd.ts:3",
    "assembly/lib/x.ts:1",
    "assembly/lib/x.ts:2",
    "assembly/lib/x.ts:3",
  ]);
  expect(places(noVectorConstants, { "assembly/a/f32.simd.ts": "f32x4.splat(scale); i32x4.splat(0); i32x4(0, 0, 0, 0); // splat(3)", "test/a.ts": "splat(1)" })).toEqual([]);
});

test("licence and notice are there", () => {
  expect(places(papersArePresent, { LICENSE: "" })).toEqual(["NOTICE"]);
});

test("an op has its definition, reference and cases", () => {
  expect(places(opsAreWhole, { "runtime/ops/add/op.ts": "", "runtime/ops/add/reference.ts": "", "test/kernels/add.cases.ts": "", "runtime/ops/define.ts": "" })).toEqual([]);
  expect(places(opsAreWhole, { "runtime/ops/mul/op.ts": "" })).toEqual(["runtime/ops/mul/reference.ts", "test/kernels/mul.cases.ts"]);
});

test("every error code is named by a test", () => {
  const table = `export const ERROR_CODES = {\n  "made.up": "x",\n  alone: "y",\n} as const;`;
  const found = errorCodesAreTested(fakeTree({ "runtime/errors.ts": table, "test/a.test.ts": `expect(e.code).toBe("made.up")` }));
  expect(found.map((f) => f.what)).toEqual([`no file under test/ names the code "alone"; provoke the error in a test`]);
});

test("every dependency has its line", () => {
  const manifest = JSON.stringify({ dependencies: { a: "1" }, devDependencies: { "@b/c": "1" } });
  const found = dependenciesHaveReasons(fakeTree({ "package.json": manifest, "docs/dependencies.md": "| `a` | why |" }));
  expect(found.map((f) => f.what)).toEqual(["has no line for @b/c; say what it is for and why it is not ours"]);
});

test("the lock holds every package", () => {
  const packages = {
    "": { dependencies: { a: "1" } },
    "node_modules/a": { optionalDependencies: { "a-linux": "1", "a-darwin": "1" }, dependencies: { b: "2" } },
    "node_modules/a/node_modules/b": {},
    "node_modules/a-linux": {},
  };
  const found = lockIsWhole(fakeTree({ "package-lock.json": JSON.stringify({ packages }) }));
  expect(found.map((f) => f.what)).toEqual(["has no entry for a-darwin, which node_modules/a wants; npm ci would fail: put it back as it was"]);
});
