// Plays Skint in Node: node tools/dev/ts.mjs <this> <model.skint> <threads> <isa>.

import { loadModel } from "../../../runtime/session/model.ts";
import { createSampler } from "../../../runtime/session/sample.ts";
import type { WasmOptions } from "../../../targets/devices/wasm/device.ts";
import { openFile } from "../../../targets/hosts/node/files.ts";
import { openDevice } from "../../../tools/cli/model.ts";
import { answerLines, promptTokens, type Work } from "./player.ts";

const [path, threads, isa] = process.argv.slice(2);
const CONTEXT = 1024;

const { device, env } = await openDevice({ threads: Number(threads), isa: isa as WasmOptions["isa"] });
const model = await loadModel(await openFile(path), env, { context: CONTEXT });
const sampler = createSampler({ temperature: 0 }, model.engine.graph.vocab);
const flags = process.execArgv.filter((flag) => flag.startsWith("--experimental-wasm"));

await answerLines(`Skint ${[device.build, `Node ${process.versions.node}`, ...flags].join(", ")}`, async ({ prompt, decode }: Work) => {
  const session = model.session();
  const begin = performance.now();
  let token = sampler.next(await session.feed(promptTokens(prompt)));
  const first = performance.now();
  for (let i = 0; i < decode; i++) token = sampler.next(await session.next(token));
  return { prefillMs: first - begin, decodeMs: performance.now() - first };
});
model.close();
