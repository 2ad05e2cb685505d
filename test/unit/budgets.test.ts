// Sizes are added up by budget, and a budget that is over or matches nothing says so.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { judgeSizes } from "../../tools/dev/budgets.ts";

test("over, under and absent", () => {
  const root = mkdtempSync(join(tmpdir(), "skint-size-"));
  try {
    mkdirSync(join(root, "core"));
    writeFileSync(join(root, "core/a.wasm"), Buffer.alloc(60));
    writeFileSync(join(root, "core/b.wasm"), Buffer.alloc(50));
    writeFileSync(join(root, "core/b.wat"), Buffer.alloc(5000));
    writeFileSync(join(root, "node.js"), Buffer.alloc(10));
    writeFileSync(join(root, "web.js"), Buffer.alloc(10));
    writeFileSync(join(root, "web-worker.js"), Buffer.alloc(20));
    const judged = judgeSizes(root, {
      core: { files: "core/*.wasm", bytes: 100 },
      node: { files: "node.js", bytes: 10 },
      browser: { files: "browser.js", bytes: 10 },
      web: { files: "web*.js", bytes: 30 },
    });
    expect(judged.map(({ name, bytes, ok }) => ({ name, bytes, ok }))).toEqual([
      { name: "core", bytes: 110, ok: false },
      { name: "node", bytes: 10, ok: true },
      { name: "browser", bytes: 0, ok: null },
      { name: "web", bytes: 30, ok: true },
    ]);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
