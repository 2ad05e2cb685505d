// Compressing a sharded checkpoint of 400 MB takes no more memory than six times its largest tensor and 200 MB.
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Large, writeLarge } from "./large.ts";
import { type Bench, bench } from "./skint.ts";

let b: Bench;
let large: Large;

beforeAll(() => {
  b = bench();
  large = writeLarge(b.path("large"), { width: 1024, layers: 6, heads: 16, kvheads: 4, dh: 64, hidden: 10240, context: 2048, dtype: "F16" }, 4);
  expect(large.bytes).toBeGreaterThan(400e6);
  expect(large.largest).toBeLessThan(22e6);
});
afterAll(() => b.remove());

/** Peak of resident memory of a command, in bytes. */
function peakOf(...args: string[]): number {
  const hook = `import { writeSync } from "node:fs"; process.on("exit", () => writeSync(2, "peak " + process.resourceUsage().maxRSS));`;
  const env = { ...process.env, NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(hook)}` };
  const { status, stderr } = spawnSync(process.execPath, [resolve("dist/skint.js"), ...args], { cwd: b.dir, env, encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringMatching(/^peak \d+$/) });
  return 1024 * Number(stderr.slice(5));
}

test.each(["w4", "w8", "f16", "f32"])("recipe %s", { timeout: 240_000 }, (recipe) => {
  const peak = peakOf("compress", "large", "--recipe", recipe, "--golden", "never", "--out", `${recipe}.skint`);
  expect(peak).toBeLessThanOrEqual(6 * large.largest + 200e6);
  expect(b.json("inspect", `${recipe}.skint`, "--context", "16").recipe).toBe(recipe);
});
