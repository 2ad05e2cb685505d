// Goals of "bring your own model": a GGUF file of anybody's gives what llama.cpp gives.
import { runAttack, SUITES, type Verdict } from "../../../test/attacks/run.ts";
import { equalInBrowser } from "../byo/browser.ts";
import { fromContest } from "../byo/contests.ts";
import { exactImports } from "../byo/exact.ts";
import { costInNats } from "../byo/kl.ts";
import { agreement, distance, perplexity } from "../byo/parity.ts";
import { activeFraction, worstToFiveGram } from "../byo/tiny.ts";
import type { Area, Goal, Measured } from "../goal.ts";

async function attacksHandled(): Promise<Measured> {
  const suites = SUITES.filter(({ name }) => !/^(safetensors|skint) /.test(name));
  const verdicts: Verdict[] = [];
  for (const suite of suites) for (const name of Object.keys(suite.attacks)) verdicts.push(await runAttack(suite, name));
  const failed = verdicts.filter((v) => !v.ok);
  return {
    value: (verdicts.length - failed.length) / verdicts.length,
    note: `${verdicts.length} files: ${suites.map(({ name }) => name).join(", ")}${failed.length ? `; failed: ${failed.map((v) => `${v.name} (${v.reason})`).join(", ")}` : ""}`,
  };
}

const DECODE = [
  ["byo.decode_wllama_1t", "int4 decode over the faster wllama, same Chromium, 1 thread", 8, "browser-1t", "skint page int4"],
  ["byo.decode_wllama_2t", "int4 decode over the faster wllama, same Chromium, 2 threads", 8, "browser-2t", "skint page int4"],
  ["byo.decode_native_1t", "int4 decode over native llama.cpp Q4_0, 1 thread", 0.5, "native-1t", "skint int4"],
] as const;

export const area: Area = {
  name: "byo",
  goals: [
    { id: "byo.top1", figure: "teacher-forced top-1 agreement with llama.cpp, same f32 weights", unit: "share", must: { op: ">=", value: 0.995 }, measure: agreement },
    { id: "byo.dlogp", figure: "mean absolute difference of ln p to llama.cpp", unit: "nats", must: { op: "<=", value: 0.01 }, measure: distance },
    { id: "byo.ppl", figure: "relative perplexity difference to llama.cpp", unit: "ratio", must: { op: "<=", value: 0.003 }, measure: perplexity },
    { id: "byo.q4g32m_exact", figure: "weights of GGUF Q4_0, Q4_1 and Q4_K that q4g32m holds exactly", unit: "share", must: { op: "=", value: 1 }, measure: exactImports },
    {
      id: "byo.kl_q4",
      figure: "KL(f32 ‖ q4g32m + int8 activations, as recipe source has them: i8g32) a token",
      unit: "nats",
      must: { op: "<=", value: 0.03 },
      measure: costInNats,
    },
    ...DECODE.map(
      ([id, figure, value, contest, ours]): Goal => ({ id, figure, unit: "ratio", must: { op: ">=", value }, measure: fromContest({ contest, figure: "decode", ours }) }),
    ),
    { id: "byo.browser_equal", figure: "cases in which Chromium gives Node's tokens and bits", unit: "share", must: { op: "=", value: 1 }, measure: equalInBrowser },
    {
      id: "byo.attacks",
      figure: "malformed GGUF files, and what is made of them, handled with a typed error",
      unit: "share",
      must: { op: "=", value: 1 },
      measure: attacksHandled,
    },
    { id: "byo.relu_active", figure: "mean active fraction of tiny-relu's neurons, held-out", unit: "share", must: { op: "<=", value: 0.15 }, measure: activeFraction },
    {
      id: "byo.tiny_bpb",
      figure: "worst held-out bits per byte of tiny-relu and tiny-mamba over the 5-gram",
      unit: "ratio",
      must: { op: "<=", value: 0.95 },
      measure: worstToFiveGram,
    },
  ],
};
