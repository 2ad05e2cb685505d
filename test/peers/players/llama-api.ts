// Plays llama.cpp through the JavaScript API of node-llama-cpp: node tools/dev/ts.mjs <this> <model.gguf> <threads>.
import { resolve } from "node:path";
import { LIBRARY } from "../llama.ts";
import { importPeer } from "../peers.ts";
import { answerLines, promptTokens } from "./player.ts";

/** What is used of node-llama-cpp 3.22. */
interface Library {
  getLlama(options: Readonly<Record<string, unknown>>): Promise<{
    readonly llamaCppRelease: { readonly repo: string; readonly release: string };
    readonly systemInfo: string;
    loadModel(options: { modelPath: string; gpuLayers: number }): Promise<{
      createContext(options: Readonly<Record<string, unknown>>): Promise<{ getSequence(): Sequence }>;
    }>;
    dispose(): Promise<void>;
  }>;
}
interface Sequence {
  clearHistory(): Promise<void>;
  evaluate(tokens: readonly number[], options: { temperature: number }): AsyncGenerator<number, void>;
}

const [path, threads] = process.argv.slice(2);
const CONTEXT = 1024;

const { getLlama } = await importPeer<Library>(LIBRARY);
const llama = await getLlama({ gpu: false, build: "never", skipDownload: true, progressLogs: false, maxThreads: Number(threads) });
const model = await llama.loadModel({ modelPath: resolve(path), gpuLayers: 0 });
const context = await model.createContext({ contextSize: CONTEXT, batchSize: 512, sequences: 1, threads: Number(threads) });
const sequence = context.getSequence();
const { repo, release } = llama.llamaCppRelease;

await answerLines(`${repo} ${release}, JavaScript API; ${llama.systemInfo}`, async ({ prompt, decode }) => {
  await sequence.clearHistory();
  const begin = performance.now();
  const tokens = sequence.evaluate([...promptTokens(prompt)], { temperature: 0 });
  await tokens.next();
  const first = performance.now();
  for (let i = 0; i < decode; i++) if ((await tokens.next()).done) throw new Error(`llama.cpp ended after ${i} tokens of ${decode}`);
  const end = performance.now();
  await tokens.return();
  return { prefillMs: first - begin, decodeMs: end - first };
});
await llama.dispose();
