// Measures a loaded model: prefill, decode, time to first token. Times in milliseconds, tokens are made up (seeded): speed does not depend on them.
import { throwIfAborted } from "../../runtime/errors.ts";
import { turn } from "../../runtime/io/turn.ts";
import { createRandom } from "../../runtime/num/random.ts";
import type { Engine } from "../../runtime/session/engine.ts";
import { decodeToken, readPrompt } from "../../runtime/session/prompt.ts";
import { createSampler, type Sampler } from "../../runtime/session/sample.ts";
import { TextCore } from "../../runtime/session/textcore.ts";

export interface BenchOptions {
  readonly promptTokens: number;
  readonly decodeTokens: number;
  readonly rounds: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface Timings {
  /** First prefill and decode after loading. */
  readonly coldPrefillMs: number;
  readonly coldDecodeMs: number;
  /** One a round: the whole prompt. */
  readonly prefillMs: number[];
  /** One a round: prompt and choice of the first token. */
  readonly firstTokenMs: number[];
  /** One a token, all rounds. */
  readonly decodeMs: number[];
}

export async function measure(engine: Engine, now: () => number, o: BenchOptions): Promise<Timings> {
  const random = createRandom(1);
  const vocab = engine.graph.vocab;
  const prompt = Uint32Array.from({ length: o.promptTokens }, () => random.below(vocab));
  const sampler = createSampler({ temperature: 0 }, vocab);
  const prefillMs: number[] = [];
  const firstTokenMs: number[] = [];
  const decodeMs: number[] = [];
  const warm = await round(engine, prompt, Math.min(o.decodeTokens, 8), now, sampler);
  for (let r = 0; r < o.rounds; r++) {
    throwIfAborted(o.signal, "the benchmark");
    o.onProgress?.(r, o.rounds);
    const t = await round(engine, prompt, o.decodeTokens, now, sampler);
    prefillMs.push(t.prefillMs);
    firstTokenMs.push(t.firstTokenMs);
    decodeMs.push(...t.decodeMs);
    await turn();
  }
  return { coldPrefillMs: warm.prefillMs, coldDecodeMs: warm.decodeMs[0] ?? 0, prefillMs, firstTokenMs, decodeMs };
}

async function round(engine: Engine, prompt: Uint32Array, decodeTokens: number, now: () => number, sampler: Sampler) {
  const core = new TextCore();
  const start = now();
  let at = 0;
  const logits = await readPrompt(engine, core, prompt, 0, (piece) => {
    at += piece.length;
    return engine.run("prefill", piece, at - piece.length);
  });
  const prefillMs = now() - start;
  let token = sampler.next(logits, engine.peaks);
  const firstTokenMs = now() - start;
  const decodeMs: number[] = [];
  for (let i = 0; i < decodeTokens; i++) {
    const begin = now();
    const fed = Uint32Array.of(token);
    token = sampler.next(await decodeToken(engine, core, (plan) => engine.run(plan, fed, prompt.length + i)), engine.peaks);
    decodeMs.push(now() - begin);
  }
  return { prefillMs, firstTokenMs, decodeMs };
}
