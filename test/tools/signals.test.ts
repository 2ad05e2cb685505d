// Ctrl-C on a real process: the first lets the work clean up, the second does not wait.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";

function start(cleanupMs: number) {
  const child = spawn(process.execPath, ["tools/dev/ts.mjs", "test/tools/hang.ts", String(cleanupMs)], { stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  child.stdout.on("data", (d) => (out += d));
  child.stderr.on("data", (d) => (out += d));
  const said = async (text: string) => {
    while (!out.includes(text)) await new Promise((r) => setTimeout(r, 10));
  };
  return { child, said, output: () => out };
}

test.each(["SIGINT", "SIGTERM"] as const)("%s lets the work clean up", async (signal) => {
  const { child, said, output } = start(10);
  await said("waiting");
  child.kill(signal);
  const [code] = await once(child, "exit");
  expect(code).toBe(130);
  expect(output()).toContain("stopping; once more to leave at once");
  expect(output()).toContain("cleaned up");
});

test("the second one leaves at once", async () => {
  const { child, said, output } = start(50_000);
  await said("waiting");
  child.kill("SIGINT");
  await said("stopping");
  child.kill("SIGINT");
  const [code] = await once(child, "exit");
  expect(code).toBe(130);
  expect(output()).not.toContain("cleaned up");
});
