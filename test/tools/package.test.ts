// The package as its users get it: packed, installed in an empty folder without anything for developers, run; the README's lines included.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeEach, expect, test } from "vitest";

const dir = mkdtempSync(join(tmpdir(), "skint-package-"));
const app = join(dir, "app");
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_ENV|TEST$|npm_)/.test(name)));

function run(command: string, args: string[], cwd: string): string {
  return execFileSync(command, args, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** Why it could not be installed, if the registry was needed and out of reach. */
function install(): string | undefined {
  const [{ filename }] = JSON.parse(run("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", dir], "."));
  mkdirSync(app);
  writeFileSync(join(app, "package.json"), JSON.stringify({ private: true, type: "module" }));
  try {
    run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", join(dir, filename)], app);
  } catch (e) {
    const { stderr } = e as { stderr: string };
    if (/ENOTCACHED|EAI_AGAIN|ECONNREFUSED|ENOTFOUND|ETIMEDOUT|network/.test(stderr))
      return "the package's dependencies are neither in npm's cache nor can the registry be reached";
    throw e;
  }
  return undefined;
}

let absent: string | undefined;
let installed = false;
beforeEach((context) => {
  if (!installed) absent = install();
  installed = true;
  if (absent) context.skip(absent);
}, 120_000);

afterAll(() => rmSync(dir, { recursive: true, force: true }));

const skint = (...args: string[]) => run(join(app, "node_modules/.bin/skint"), args, app);

test("nothing for developers comes along", () => {
  const scoped = (name: string) => (name.startsWith("@") ? readdirSync(join(app, "node_modules", name)).map((n) => `${name}/${n}`) : [name]);
  const packages = readdirSync(join(app, "node_modules"))
    .filter((n) => !n.startsWith("."))
    .flatMap(scoped);
  expect(packages.sort()).toEqual(["@huggingface/jinja", "@huggingface/tokenizers", "commander", "picocolors", "skint"]);
  const files = readdirSync(join(app, "node_modules/skint"), { recursive: true }) as string[];
  expect(files.filter((f) => /\.(wat|tsbuildinfo)$|^(test|tools|assembly|runtime)\b/.test(f))).toEqual([]);
  for (const f of ["LICENSE", "NOTICE", "README.md", "dist/core/scalar.wasm"]) expect(files).toContain(f);
});

test("the installed command compresses and runs the model it brought along", () => {
  expect(JSON.parse(skint("doctor", "--json")).builds[0].state).toBe("ready");
  skint("compress", "node_modules/skint/models/tiny-swiglu", "--recipe", "w4", "--out", "model.skint");
  const { text } = JSON.parse(skint("run", "model.skint", "In the beginning", "--max-tokens", "8", "--json"));
  expect(text.length).toBeGreaterThan(0);
});

test("the README's library lines run, and have types", () => {
  if (!existsSync(join(app, "model.skint"))) skint("compress", "node_modules/skint/models/tiny-swiglu", "--recipe", "w4", "--out", "model.skint");
  const code = /```js\n([\s\S]*?)```/.exec(readFileSync("README.md", "utf8"))?.[1] as string;
  writeFileSync(join(app, "readme.mjs"), code);
  expect(run(process.execPath, ["readme.mjs"], app).length).toBeGreaterThan(20);
  writeFileSync(join(app, "readme.mts"), code.replace(/process\.stdout\.write/, "((s: string) => s)"));
  const tsc = resolve("node_modules/typescript/bin/tsc");
  const types = ["--typeRoots", resolve("node_modules/@types"), "--types", "node"];
  run(process.execPath, [tsc, "--noEmit", "--strict", "--target", "es2022", "--module", "nodenext", ...types, "readme.mts"], app);
});
