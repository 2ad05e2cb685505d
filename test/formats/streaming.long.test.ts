// Peak memory of writing and loading a large pack: in a process of its own, so that nothing else is counted.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

test("200 MB are written from small chunks, and verified, with less than 100 MB more memory", () => {
  const folder = mkdtempSync(join(tmpdir(), "skint-"));
  try {
    const file = join(folder, "model.skint");
    const { stdout, stderr, status } = spawnSync(process.execPath, ["tools/dev/ts.mjs", "test/formats/streaming.ts", file], { encoding: "utf8" });
    expect(stderr).toBe("");
    expect(status).toBe(0);
    expect(statSync(file).size).toBeGreaterThan(200e6);
    const { grown } = JSON.parse(stdout) as { grown: number };
    expect(grown).toBeLessThan(100e6);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
