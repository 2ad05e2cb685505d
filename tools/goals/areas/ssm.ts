// Goals of state-space models: right in f32, nearly as good in int8, and faster than what else runs in a browser.
import type { Absent, Area, Goal, GoalContext, Measured } from "../goal.ts";
import { chunksOverRows } from "../ssm/chunks.ts";
import { equalEverywhere } from "../ssm/equal.ts";
import { growth } from "../ssm/flat.ts";
import { int8OverLlama } from "../ssm/native.ts";
import { decodeOverOrt, prefillOverLoop, prefillOverScan } from "../ssm/ort.ts";
import { parity } from "../ssm/parity.ts";
import { costOfQuamba } from "../ssm/quality.ts";
import { rwkv } from "../ssm/rwkv.ts";
import { int8OverF32, scanOverC, scanOverScript } from "../ssm/speed.ts";
import { claims } from "../ssm/synthetic.ts";

async function shareOfClaims(): Promise<Measured> {
  const all = claims();
  const failed = all.filter((c) => !c.holds);
  return {
    value: (all.length - failed.length) / all.length,
    note: `${all.length} claims: ${[...new Set(all.map((c) => c.figures))].join("; ")}${failed.map((c) => `; fails: ${c.claim} (${c.figures})`).join("")}`,
  };
}

type Line = readonly [id: string, figure: string, unit: string, op: Goal["must"]["op"], bound: number, measure: (context: GoalContext) => Promise<Measured | Absent>];

const LINES: readonly Line[] = [
  ["parity", "f32 logits of tiny-mamba and of made-up Mamba and Mamba-2 configs against JAX and transformers, max relative", "ratio", "<=", 1e-4, parity],
  ["rwkv", "logits of a trained RWKV-5.2 against those stored by rwkv.cpp, max relative", "ratio", "<=", 1e-5, rwkv],
  ["quamba_bpb", "relative bits-per-byte cost of tiny-mamba in quamba, held-out", "ratio", "<=", 0.01, costOfQuamba],
  ["synthetic", "claims of Quamba that hold on made-up signals", "share", "=", 1, shareOfClaims],
  ["scan_js", "f32 scan step of 1536 channels and 16 states over plain JavaScript, 1 thread", "ratio", ">=", 10, scanOverScript],
  ["c", "the same over plain C at -O3 -march=native", "ratio", ">=", 0.5, scanOverC],
  ["chunks", "Mamba-2's scan of 128 tokens by chunks over one token after the other, 24 heads of 64 with 128 states, 1 thread", "ratio", ">=", 1.1, chunksOverRows],
  ["int8_f32", "int8 decode over our own f32 decode, Mamba-130M's shape, 1 thread", "ratio", ">=", 2.5, int8OverF32],
  ["native", "int8 decode over native llama.cpp Q8_0, the faster of its JavaScript API and a C driver, Mamba-130M's shape, 1 thread", "ratio", ">=", 1, int8OverLlama],
  ["ort_decode", "int8 decode over the faster onnxruntime-web step graph (f32, int8), Mamba-130M's shape, 1 thread", "ratio", ">=", 4, decodeOverOrt],
  ["ort_prefill", "int8 prefill of 512 tokens over onnxruntime-web's loop around its step, Mamba-130M's shape, 1 thread", "ratio", ">=", 20, prefillOverLoop],
  ["ort_scan", "the same over the fastest graph whose products take all tokens and that loops over the recurrence alone", "ratio", ">=", 1, prefillOverScan],
  ["flat", "growth of memory over 100,000 steps of tiny-mamba", "bytes", "=", 0, growth],
  ["equal", "runs of tiny-mamba that give the bits of one scalar thread: builds, threads, Chromium", "share", "=", 1, equalEverywhere],
];

export const area: Area = {
  name: "ssm",
  goals: LINES.map(([id, figure, unit, op, value, measure]) => ({ id: `ssm.${id}`, figure, unit, must: { op, value }, measure })),
};
