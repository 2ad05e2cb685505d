// The golden self-test: a few tokens whose logits were hashed when the model was written. All builds give the same bits, so another
// hash means that weights, kernels or engine are not what they were.
import { SkintError } from "../errors.ts";
import type { HasherFactory } from "../io/hash.ts";
import type { Engine } from "./engine.ts";

export interface Golden {
  readonly tokens: readonly number[];
  /** SHA-256 of the f32 logits behind the last token. */
  readonly sha256: string;
}

const LENGTH = 8;

/** Eight tokens spread over the vocabulary. */
export function goldenTokens(vocab: number): number[] {
  return Array.from({ length: LENGTH }, (_, i) => Math.floor(((i + 0.5) * vocab) / LENGTH));
}

async function digest(engine: Engine, tokens: readonly number[], sha256: HasherFactory): Promise<string> {
  const { batch } = engine.options;
  let logits = new Float32Array() as Float32Array<ArrayBufferLike>;
  for (let at = 0; at < tokens.length; at += batch) logits = await engine.run("prefill", Uint32Array.from(tokens.slice(at, at + batch)), at);
  const hash = sha256();
  hash.update(new Uint8Array(logits.buffer, logits.byteOffset, logits.byteLength));
  return hash.digest();
}

export async function makeGolden(engine: Engine, sha256: HasherFactory): Promise<Golden> {
  const tokens = goldenTokens(engine.graph.vocab).slice(0, Math.min(LENGTH, engine.options.context));
  return { tokens, sha256: await digest(engine, tokens, sha256) };
}

/** Throws `model.golden` if the engine does not give the numbers the model was written with. */
export async function checkGolden(engine: Engine, text: string, sha256: HasherFactory): Promise<void> {
  const golden = parseGolden(text, engine.graph.vocab);
  if (golden.tokens.length > engine.options.context) return;
  const got = await digest(engine, golden.tokens, sha256);
  if (got !== golden.sha256)
    throw new SkintError(
      "model.golden",
      `the golden self-test on build ${engine.device.build} gave logits that hash to ${got.slice(0, 16)}…, the file says ${golden.sha256.slice(0, 16)}…; compress the model again, and run skint doctor to see whether this build is sound`,
    );
}

function parseGolden(text: string, vocab: number): Golden {
  const fail = (cause?: unknown) =>
    new SkintError("format.header", "the golden document is malformed; write the file again with skint compress", { what: "skint.golden" }, { cause });
  let g: Golden;
  try {
    g = JSON.parse(text);
  } catch (e) {
    throw fail(e);
  }
  const fine =
    Array.isArray(g?.tokens) && g.tokens.length > 0 && g.tokens.length <= 64 && g.tokens.every((t) => Number.isInteger(t) && t >= 0 && t < vocab) && typeof g.sha256 === "string";
  if (!fine) throw fail();
  return g;
}
