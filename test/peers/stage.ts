// What players share: the GGUF file, its packs by recipe, and one headless Chromium with a server of isolated pages. Each is made when it is first
// wanted and gone after `close`, but for the GGUF file, which the cache keeps.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { SkintError } from "../../runtime/errors.ts";
import { createFile } from "../../targets/hosts/node/files.ts";
import { openDevice } from "../../tools/cli/model.ts";
import { compressModel } from "../../tools/compress/compress.ts";
import { openAny } from "../../tools/compress/open.ts";
import { type Recipe, recipeNamed } from "../../tools/compress/recipe.ts";
import { launch } from "../browser/chromium.ts";
import { serve, type TestServer } from "../browser/server.ts";
import { peerFile } from "./peers.ts";
import { SMOL, type SyntheticShape, syntheticFile } from "./synthetic.ts";

/** Every matrix as the peers hold it: four bits, embedding and head too. The recipe w4 keeps those at eight. */
const INT4: Recipe = { name: "int4", summary: "every matrix int4 in groups of 32", method: "rtn", rules: [{ match: ".*", scheme: "q4g32" }], cache: "f16" };

/** wllama's scripts are one file with workers inside it as blobs and `eval` in the glue of Emscripten; Skint needs none of that. */
const CSP = "default-src 'self' blob: data:; script-src 'self' 'wasm-unsafe-eval' 'unsafe-eval' blob:; worker-src 'self' blob:";

export interface StageOptions {
  readonly shape?: SyntheticShape;
  /** Makes another file than one of a shape. */
  readonly file?: () => Promise<string>;
  readonly signal?: AbortSignal;
  readonly note?: (line: string) => void;
}

export class Stage {
  readonly note: (line: string) => void;
  private folder: string | undefined;
  private readonly made = new Map<string, Promise<unknown>>();

  constructor(private readonly options: StageOptions = {}) {
    this.note = options.note ?? (() => {});
  }

  /** The outcome of `make`, which runs once for a name; a failure is remembered too. */
  private once<T>(name: string, make: () => Promise<T>): Promise<T> {
    if (!this.made.has(name)) this.made.set(name, make());
    return this.made.get(name) as Promise<T>;
  }

  gguf(): Promise<string> {
    return this.once("gguf", () => this.options.file?.() ?? syntheticFile(this.options.shape ?? SMOL));
  }

  /** Path of the file as a model.skint. */
  pack(recipe: string): Promise<string> {
    return this.once(`pack ${recipe}`, async () => {
      this.note(`  compressing with recipe ${recipe}`);
      this.folder ??= mkdtempSync(join(tmpdir(), "skint-stage-"));
      const path = join(this.folder, `${recipe}.skint`);
      const checkpoint = await openAny(await this.gguf());
      try {
        const { env } = await openDevice({ threads: 1 });
        const named = recipe === INT4.name ? INT4 : recipeNamed(recipe);
        await compressModel(checkpoint, await createFile(path), env, { recipe: named, golden: "never", signal: this.options.signal });
      } finally {
        await checkpoint.store.close();
      }
      return path;
    });
  }

  /** Throws `device.unavailable` where there is no Chromium. */
  browser(): Promise<Browser> {
    return this.once("browser", async () => {
      const browser = await launch();
      if (typeof browser === "string") throw new SkintError("device.unavailable", browser, { what: "chromium" });
      return browser;
    });
  }

  /** Cross-origin isolated pages that see dist/, and under /models/ whatever was put there. */
  server(): Promise<TestServer> {
    return this.once("server", () => serve({ isolated: true, csp: CSP }));
  }

  /** Puts a file on the server; returns its address. */
  async offer(name: string, path: string): Promise<string> {
    const { models } = await this.server();
    if (!models.has(name)) models.set(name, { bytes: readFileSync(path) });
    return `/models/${name}`;
  }

  /** Puts the scripts and programs of a peer's package on the server; returns the address of their folder. */
  async offerPeer(name: string, folder: string): Promise<string> {
    const root = peerFile(folder);
    for (const file of readdirSync(root, { recursive: true, encoding: "utf8" })) if (/\.(wasm|js)$/.test(file)) await this.offer(`${name}/${file}`, join(root, file));
    return `/models/${name}`;
  }

  async close(): Promise<void> {
    const outcome = (name: string) => this.made.get(name)?.catch(() => undefined);
    await ((await outcome("browser")) as Browser | undefined)?.close();
    await ((await outcome("server")) as TestServer | undefined)?.close();
    if (this.folder) rmSync(this.folder, { recursive: true, force: true });
  }
}
