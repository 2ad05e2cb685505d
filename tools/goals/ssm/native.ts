// int8 decoding of Mamba-130M's shape against native llama.cpp on a Q8_0 file of it, all in turn: each reads the same short prompt and decodes greedily.
import { playContest } from "../../../test/peers/contest.ts";
import { type Contest, type Entrant, LLAMA } from "../../../test/peers/entrants.ts";
import { type Player, promptTokens } from "../../../test/peers/players/player.ts";
import { Stage } from "../../../test/peers/stage.ts";
import { mambaFile } from "../../../test/peers/synthetic-mamba.ts";
import { judge } from "../byo/contests.ts";
import type { Absent, GoalContext, Measured } from "../goal.ts";
import { enableRelaxed } from "../slice/model.ts";
import { engineOf } from "./models.ts";

const OURS = "skint quamba";

/** Our engine in this process, with made-up weights of its own. */
async function player(): Promise<Player> {
  enableRelaxed();
  const engine = await engineOf("quamba", { threads: 1 });
  return {
    engine: `build ${engine.device.build}`,
    async play({ prompt, decode }) {
      const begin = performance.now();
      let logits = await engine.run("prefill", promptTokens(prompt), 0);
      const first = performance.now();
      for (let i = 0; i < decode; i++) logits = await engine.run("decode", Uint32Array.of(topOf(logits)), prompt + i);
      return { prefillMs: first - begin, decodeMs: performance.now() - first };
    },
    async close() {
      engine.program.close();
    },
  };
}

function topOf(logits: Float32Array): number {
  let top = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i] > logits[top]) top = i;
  return top;
}

const ours: Entrant = { id: OURS, open: player };

const CONTEST: Contest = { name: "mamba-native-1t", threads: 1, works: { decode: { prompt: 32, decode: 48 } }, rounds: 7, entrants: [...LLAMA, ours] };

/** Rate of our int8 decoding over the faster of llama.cpp's JavaScript API and a C driver. */
export async function int8OverLlama(context: GoalContext): Promise<Measured | Absent> {
  const stage = new Stage({ ...context, file: mambaFile });
  try {
    return judge(await playContest(CONTEST, stage, context), { contest: CONTEST.name, figure: "decode", ours: OURS });
  } finally {
    await stage.close();
  }
}
