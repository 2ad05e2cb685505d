// What tests of mode core share: texts, and what stands in an engine's memory.
import type { Tally } from "../../runtime/cores/rank.ts";
import { readList } from "../../runtime/ops/select/list.ts";
import { countsOf, coreOf as listOf, massOf } from "../../runtime/plan/neurons.ts";
import type { CoreOptions } from "../../runtime/session/coreoptions.ts";
import type { Model } from "../../runtime/session/model.ts";
import type { Session } from "../../runtime/session/session.ts";
import { tokensOf } from "./tiny.ts";

export const VOCAB = 300;
export const NEURONS = 96;
/** Those of a core of 0.3, in whole blocks. */
export const KEPT = 32;
export const STABLE: CoreOptions = { guide: "stable", beta: 0.3 };
export const PROMPT = tokensOf(21, VOCAB);
export const MORE = tokensOf(6, VOCAB, 11);

export const bitsOf = (f: Float32Array) => [...new Int32Array(f.buffer, f.byteOffset, f.length)];
export const u32 = (model: Model, name: string) => {
  const b = model.engine.program.view(name);
  return new Uint32Array(b.buffer, b.byteOffset, b.length >> 2);
};
export const f32 = (model: Model, name: string) => {
  const b = model.engine.program.view(name);
  return new Float32Array(b.buffer, b.byteOffset, b.length >> 2);
};
/** Layers that have a core unless others are named. */
export const inner = (model: Model) => model.engine.ffn.names.slice(1, 3);
export const tallyOf = (model: Model, layer: string): Tally => ({ counts: u32(model, countsOf(layer)).slice(0, NEURONS), mass: f32(model, massOf(layer)).slice(0, NEURONS) });
export const core = (model: Model, layer: string) => readList(u32(model, listOf(layer)))?.slice();

/** Logits behind each of some tokens that are decoded. */
export async function decode(session: Session, tokens: Uint32Array): Promise<number[][]> {
  const out: number[][] = [];
  for (const t of tokens) out.push(bitsOf(await session.next(t)));
  return out;
}
