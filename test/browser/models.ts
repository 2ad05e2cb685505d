// Tiny packs for pages under test, and what Node makes of them.
import type { WasmOptions } from "../../targets/devices/wasm/device.ts";
import { mambaFolder } from "../support/mamba.ts";
import { open, pack, packFolder, TINY, tinyCheckpoint, tokensOf } from "../support/tiny.ts";

export const RECIPES = ["f32", "w8", "w4"] as const;
export const PROMPT = [...tokensOf(80, TINY.vocab)];

/** Tokens of a greedy text, and the bits of the logits behind the prompt and behind the text. */
export interface Run {
  readonly tokens: readonly number[];
  readonly bits: readonly number[];
}

/** By recipe. A little wider than other tiny models, so that lanes share the work. */
export async function packs(): Promise<Map<string, Uint8Array>> {
  const tiny = await tinyCheckpoint({ width: 128, hidden: 352, heads: 8, kvheads: 4, seed: 3 });
  const made = new Map<string, Uint8Array>();
  for (const recipe of RECIPES) made.set(`${recipe}.skint`, (await pack(tiny, recipe, "auto")).bytes);
  made.set("mamba.skint", (await packFolder(await mambaFolder(), "w8", "auto")).bytes);
  return made;
}

export async function runInNode(bytes: Uint8Array, options: WasmOptions): Promise<Run> {
  const model = await open(bytes, options);
  try {
    const session = model.session();
    const bits = (logits: Float32Array) => Array.from(new Uint32Array(logits.slice().buffer));
    const first = bits(await session.feed(Uint32Array.from(PROMPT)));
    const tokens: number[] = [];
    for await (const { token } of session.generate(Uint32Array.from(PROMPT), { maxTokens: 64, temperature: 0, ignoreEos: true })) if (token >= 0) tokens.push(token);
    const last = bits(await session.feed(Uint32Array.from([...PROMPT, ...tokens])));
    return { tokens, bits: [...first, ...last] };
  } finally {
    model.close();
  }
}
