// The package's door in browsers: the export condition leads to files that are there, and the bundle asks for nothing that browsers lack.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

test("the export condition `browser` leads to the browser's door", () => {
  const { exports } = JSON.parse(readFileSync("package.json", "utf8"));
  for (const file of Object.values(exports["."].browser) as string[]) expect(existsSync(file), file).toBe(true);
  const resolve = (...flags: string[]) =>
    execFileSync(process.execPath, [...flags, "--input-type=module", "-e", "console.log(import.meta.resolve('skint'))"], { encoding: "utf8" });
  expect(resolve("--conditions=browser")).toMatch(/dist\/browser\.js$/m);
  expect(resolve()).toMatch(/dist\/node\.js$/m);
});

test.each(["browser.js", "browser-worker.js", "browser-lane.js"])("%s stands alone: no imports, no eval", (name) => {
  const text = readFileSync(`dist/${name}`, "utf8");
  expect(text.match(/\bfrom\s*"|\bimport\s*[("]|\brequire\(|\beval\(|new Function\b|createObjectURL/g)).toBeNull();
});
