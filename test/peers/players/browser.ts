// Players in pages of one headless Chromium, all cross-origin isolated: Skint's browser host, and the two releases of wllama.
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import "../../browser/door.ts";
import { openPage } from "../../browser/chromium.ts";
import { peerFile } from "../peers.ts";
import type { Stage } from "../stage.ts";
import { type Played, type Player, promptTokens, type Work } from "./player.ts";

/** What a page is asked to do, by a function it keeps under this name. */
declare global {
  var play: (work: Work & { readonly tokens: readonly number[] }) => Promise<Played>;
}

async function open(stage: Stage): Promise<Page> {
  const page = await openPage(await stage.browser(), (await stage.server()).origin, []);
  page.setDefaultTimeout(180_000);
  return page;
}

async function player(stage: Stage, page: Page, engine: string): Promise<Player> {
  const version = (await stage.browser()).version();
  return {
    engine: `${engine}, Chromium ${version}`,
    async play(work) {
      await page.bringToFront();
      return page.evaluate((given) => play(given), { ...work, tokens: [...promptTokens(work.prompt)] });
    },
    close: () => page.close(),
  };
}

export async function openSkintPage(stage: Stage, recipe: string, threads: number): Promise<Player> {
  const url = await stage.offer(`${recipe}.skint`, await stage.pack(recipe));
  const page = await open(stage);
  const build = await page.evaluate(
    async ({ url, threads }) => {
      const model = await skint.load(url, { threads, context: 1024, cache: "off" });
      globalThis.play = async ({ tokens, decode }) => {
        const begin = performance.now();
        let [first, end] = [0, 0];
        for await (const { token } of model.session().generate(Uint32Array.from(tokens), { maxTokens: decode + 1, temperature: 0, ignoreEos: true })) {
          if (token < 0) continue;
          end = performance.now();
          first ||= end;
        }
        return { prefillMs: first - begin, decodeMs: end - first };
      };
      return model.build;
    },
    { url, threads },
  );
  return player(stage, page, `Skint ${build}`);
}

/** What is used of wllama, release 2 and release 3. */
interface Wllama {
  loadModel(files: Blob[], options: object): Promise<void>;
  isMultithread(): boolean;
  getNumThreads(): number;
  kvClear(): Promise<void>;
  samplingInit(options: object): Promise<void>;
  decode(tokens: number[], options: object): Promise<unknown>;
  samplingSample(): Promise<{ token: number }>;
  samplingAccept(tokens: number[]): Promise<void>;
  createCompletion(options: object): Promise<{ timings: { prompt_n: number; prompt_ms: number; predicted_n: number; predicted_ms: number } }>;
}
interface WllamaModule {
  Wllama: { new (paths: object, options: object): Wllama; getLibllamaVersion(): string };
}

export interface WllamaRelease {
  readonly id: string;
  /** Folder below node_modules. */
  readonly folder: string;
  readonly major: 2 | 3;
}

export async function openWllamaPage(stage: Stage, { id, folder, major }: WllamaRelease, threads: number): Promise<Player> {
  const { version } = JSON.parse(readFileSync(peerFile(`${folder}/package.json`), "utf8"));
  const scripts = await stage.offerPeer(id, `${folder}/esm`);
  const model = await stage.offer("model.gguf", await stage.gguf());
  const page = await open(stage);
  const about = await page.evaluate(
    async ({ scripts, model, threads, major }) => {
      const { Wllama }: WllamaModule = await import(`${scripts}/index.js`);
      const at = (file: string) => new URL(`${scripts}/${file}`, document.baseURI).href;
      const paths =
        major === 3
          ? { default: at("wasm/wllama.wasm") }
          : { "single-thread/wllama.wasm": at("single-thread/wllama.wasm"), "multi-thread/wllama.wasm": at("multi-thread/wllama.wasm") };
      const wllama = new Wllama(paths, { suppressNativeLog: true });
      const options = { n_ctx: 1024, n_batch: 512, n_threads: threads, ...(major === 3 ? { n_gpu_layers: 0, warmup: false } : {}) };
      await wllama.loadModel([await (await fetch(model)).blob()], options);

      /** Step by step from outside, as its own completion does. */
      const playSteps: typeof play = async ({ tokens, decode }) => {
        await wllama.kvClear();
        await wllama.samplingInit({ temp: 0 });
        const begin = performance.now();
        await wllama.decode([...tokens], {});
        let { token } = await wllama.samplingSample();
        const first = performance.now();
        for (let i = 0; i < decode; i++) {
          await wllama.samplingAccept([token]);
          await wllama.decode([token], {});
          ({ token } = await wllama.samplingSample());
        }
        return { prefillMs: first - begin, decodeMs: performance.now() - first };
      };

      /** A whole completion, by its own clock, which starts decoding behind the first token. */
      const playCompletion: typeof play = async ({ tokens, decode }) => {
        const prompt = String.fromCharCode(...tokens.map((_, i) => 33 + (i % 90)));
        const { timings: t } = await wllama.createCompletion({ prompt, max_tokens: decode + 1, temperature: 0, top_k: 1, ignore_eos: true, cache_prompt: false });
        if (t.prompt_n !== tokens.length || t.predicted_n !== decode + 1) throw new Error(`wllama did other work: ${JSON.stringify(t)}`);
        return { prefillMs: t.prompt_ms, decodeMs: t.predicted_ms };
      };
      globalThis.play = major === 3 ? playCompletion : playSteps;
      return { llama: Wllama.getLibllamaVersion(), multi: wllama.isMultithread(), used: wllama.getNumThreads() };
    },
    { scripts, model, threads, major },
  );
  return player(stage, page, `wllama ${version} (llama.cpp ${about.llama}, ${about.used} threads${about.multi ? ", multi-thread build" : ""})`);
}
