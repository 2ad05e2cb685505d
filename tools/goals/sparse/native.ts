// Decoding that leaves out neurons against native llama.cpp, which reads them all, on a Q4_0 file of the same shape (Arcee's: no gate, ReLU²), all in turn.
import { architecture } from "../../../models/arcee/model.ts";
import { playContest } from "../../../test/peers/contest.ts";
import { type Contest, type Entrant, LLAMA } from "../../../test/peers/entrants.ts";
import { type Player, promptTokens } from "../../../test/peers/players/player.ts";
import { Stage } from "../../../test/peers/stage.ts";
import { ARCEE, arceeFile } from "../../../test/peers/synthetic-arcee.ts";
import type { Recipe } from "../../compress/recipe.ts";
import { judge } from "../byo/contests.ts";
import type { Absent, GoalContext, Measured } from "../goal.ts";
import { enableRelaxed } from "../slice/model.ts";
import { boundOf, engineOf } from "./models.ts";

const SHARE = 0.1;
/** Every matrix in four bits, as in the file: head too. */
const INT4: Recipe = {
  name: "int4n",
  summary: "every matrix int4, feed-forward layers by neurons",
  method: "rtn",
  rules: [
    { match: "\\.ffn\\.(up|down)\\.weight$", scheme: "q4n" },
    { match: ".*", scheme: "q4g32" },
  ],
  cache: "f16",
};
const graph = () =>
  architecture.build(
    {
      model_type: "arcee",
      hidden_act: "relu2",
      hidden_size: ARCEE.width,
      intermediate_size: ARCEE.hidden,
      num_hidden_layers: ARCEE.layers,
      num_attention_heads: ARCEE.heads,
      num_key_value_heads: ARCEE.kvHeads,
      vocab_size: ARCEE.vocab,
      max_position_embeddings: ARCEE.context,
      rope_theta: ARCEE.ropeBase,
      tie_word_embeddings: false,
      rms_norm_eps: 1e-5,
    },
    { cache: "f16" },
  );

interface Sparse extends Entrant {
  /** How far leaving out neurons can go, by bytes; known once it has played. */
  bound: string;
}

/** Our engine in this process, with made-up weights of its own and the greatest tenth of the neurons. */
function entrant(): Sparse {
  const ours: Sparse = {
    id: "skint int4, a tenth of the neurons",
    bound: "",
    async open(): Promise<Player> {
      enableRelaxed();
      const engine = await engineOf(graph(), INT4);
      engine.ffn.set({ mode: "topk", topk: Math.round(SHARE * ARCEE.hidden) });
      ours.bound = boundOf(engine, SHARE);
      return {
        engine: `build ${engine.device.build}`,
        async play({ prompt, decode }) {
          const begin = performance.now();
          await engine.run("prefill", promptTokens(prompt), 0);
          const first = performance.now();
          for (let i = 0; i < decode; i++) await engine.run("decode", Uint32Array.of(3 + ((7 * i) % 256)), prompt + i);
          return { prefillMs: first - begin, decodeMs: performance.now() - first };
        },
        async close() {
          engine.program.close();
        },
      };
    },
  };
  return ours;
}

/** Rate of our decoding with a tenth of the neurons over the faster of llama.cpp's JavaScript API and a C driver. */
export async function tenthOverLlama(context: GoalContext): Promise<Measured | Absent> {
  const ours = entrant();
  const contest: Contest = { name: "arcee-native-1t", threads: 1, works: { decode: { prompt: 32, decode: 48 } }, rounds: 7, entrants: [...LLAMA, ours] };
  const stage = new Stage({ ...context, file: arceeFile });
  try {
    const judged = judge(await playContest(contest, stage, context), { contest: contest.name, figure: "decode", ours: ours.id });
    return "absent" in judged ? judged : { ...judged, note: `${judged.note}; ${ours.bound}` };
  } finally {
    await stage.close();
  }
}
