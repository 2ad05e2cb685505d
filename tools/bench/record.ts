// Puts timings, machine and engine into a result record.
import type { Model } from "../../runtime/session/model.ts";
import { figureOf, type Origin, RECORD_VERSION, type ResultRecord } from "../../runtime/stats/record.ts";
import { judgeSteadiness } from "../../runtime/stats/steady.ts";
import type { WasmDevice } from "../../targets/devices/wasm/device.ts";
import { probe } from "../../targets/devices/wasm/probe.ts";
import { peakMemory, readEngine, readMachine, summariseMachine } from "../../targets/hosts/node/machine.ts";
import { ranOn } from "../cli/model.ts";
import type { Timings } from "./measure.ts";

export interface Measured {
  readonly model: Model;
  readonly device: WasmDevice;
  readonly tuned: boolean;
  readonly bytes: number;
  readonly loadMs: readonly number[];
  readonly promptTokens: number;
  readonly timings: Timings;
}

/** Here and now. */
export function origin(): Origin {
  const features = Object.entries(probe()).filter(([, v]) => v === true);
  return { date: new Date().toISOString(), machine: summariseMachine(readMachine()), engine: readEngine(), features: features.map(([name]) => name) };
}

export function toRecord({ model, device, tuned, bytes, loadMs, promptTokens, timings: t }: Measured): ResultRecord {
  const { verdict, reason } = judgeSteadiness(t.decodeMs);
  const ran = ranOn({ device, tuned });
  const ffn = model.engine.ffn.report();
  const per = (ms: readonly number[], tokens: number) => ms.map((v) => (1000 * tokens) / v);
  return {
    version: RECORD_VERSION,
    ...origin(),
    builds: [ran.build],
    ...(tuned ? { tuned } : {}),
    ...(ran.fallbacks.length ? { fallbacks: ran.fallbacks } : {}),
    model: { name: String(model.card.name ?? model.name), hash: model.hash, bytes },
    recipe: model.recipe,
    threads: device.lanes,
    figures: [
      figureOf("decode.rate", "tokens/s", "higher", per(t.decodeMs, 1)),
      figureOf("load", "ms", "lower", loadMs),
      figureOf("warmup.prefill", "ms", "lower", [t.coldPrefillMs]),
      figureOf("warmup.decode", "ms", "lower", [t.coldDecodeMs]),
      figureOf("prefill.rate", "tokens/s", "higher", per(t.prefillMs, promptTokens)),
      figureOf("first_token", "ms", "lower", t.firstTokenMs),
      figureOf("decode.step", "ms", "lower", t.decodeMs),
      figureOf("memory.peak", "B", "lower", [peakMemory()]),
      figureOf("memory.device", "B", "lower", [model.engine.program.memoryBytes]),
      ...(ffn ? [figureOf(`ffn.${ffn.mode}.skipped`, "share", "higher", [ffn.skipped])] : []),
    ],
    verdict: { verdict, reason },
  };
}
