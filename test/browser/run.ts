// What a page does with a model: the text and the bits that models.ts has Node make.
import "./door.ts";
import type { Run } from "./models.ts";

export interface PageRun {
  readonly build: string;
  readonly lanes: number;
  readonly whySingle?: string;
  readonly run: Run;
}

/** Runs in the page, so it stands alone: as runInNode. */
export async function runInPage({ name, options, prompt }: { name: string; options: object; prompt: number[] }): Promise<PageRun> {
  const model = await skint.load(`models/${name}`, options);
  const session = model.session();
  const bits = (logits: Float32Array) => Array.from(new Uint32Array(logits.buffer, logits.byteOffset, logits.length));
  const first = bits(await session.feed(Uint32Array.from(prompt)));
  const tokens: number[] = [];
  for await (const { token } of session.generate(Uint32Array.from(prompt), { maxTokens: 64, temperature: 0, ignoreEos: true })) if (token >= 0) tokens.push(token);
  const last = bits(await session.feed(Uint32Array.from([...prompt, ...tokens])));
  const { build, lanes, whySingle } = model;
  model.close();
  return { build, lanes, whySingle, run: { tokens, bits: [...first, ...last] } };
}
