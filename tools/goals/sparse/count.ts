// What counting core neurons costs: prompts of SmolLM2's shape read with and without it, in turns, one thread.
import { createRandom } from "../../../runtime/num/random.ts";
import type { Engine } from "../../../runtime/session/engine.ts";
import { readPrompt } from "../../../runtime/session/prompt.ts";
import { TextCore } from "../../../runtime/session/textcore.ts";
import { bootstrapRatio } from "../../../runtime/stats/bootstrap.ts";
import type { GoalContext, Measured } from "../goal.ts";
import { enableRelaxed } from "../slice/model.ts";
import { engineOf, smolGraph } from "./models.ts";

const TOKENS = 128;
const ROUNDS = 15;
const WARM = 3;

/** Milliseconds of a prompt, with what is made of the counts at its end. */
async function read(engine: Engine, prompt: Uint32Array): Promise<number> {
  const begin = performance.now();
  let at = 0;
  await readPrompt(engine, new TextCore(), prompt, 0, (piece) => {
    at += piece.length;
    return engine.run("prefill", piece, at - piece.length);
  });
  return performance.now() - begin;
}

/** Share of the time of reading a prompt that counting takes. */
export async function countCost({ signal }: GoalContext): Promise<Measured> {
  enableRelaxed();
  const engine = await engineOf(smolGraph(), "w4n");
  try {
    const random = createRandom(1);
    const [plain, counting]: [number[], number[]] = [[], []];
    for (let round = -WARM; round < ROUNDS; round++) {
      signal.throwIfAborted();
      const prompt = Uint32Array.from({ length: TOKENS }, () => random.below(engine.graph.vocab));
      engine.ffn.set({ mode: "exact" });
      const without = await read(engine, prompt);
      engine.ffn.set({ mode: "core", guide: "auto" });
      const withCores = await read(engine, prompt);
      if (round < 0) continue;
      plain.push(without);
      counting.push(withCores);
    }
    const { value, low, high } = bootstrapRatio(plain, counting, "median");
    const layers = engine.ffn.report()?.layers.filter((l) => l.mode === "core").length;
    return {
      value: 1 - value,
      low: 1 - (high ?? value),
      high: 1 - (low ?? value),
      note: `${ROUNDS} prompts of ${TOKENS} tokens in turns, guide auto, ${layers} of 30 layers counted, cores made of the counts`,
    };
  } finally {
    engine.program.close();
  }
}
