// Goals of compression: orders of methods on trained models, what low rank wins back, honest files, runs that grow with layers and go on.
import { bitsHonest, hashesThatHold } from "../compress/honest.ts";
import { ordersThatHold, sharedOverRow, wonBackByEighth, wonBackBySixteenth } from "../compress/orders.ts";
import { growthWithLayers, resumedAlike, smolPeak, smolSeconds } from "../compress/runs.ts";
import type { Area } from "../goal.ts";

const REAL = ["w4-gptq", "24w4-eora", "q161-learned"];

export const area: Area = {
  name: "compress",
  goals: [
    { id: "compress.orders", figure: "expected orders of methods that hold", unit: "share", must: { op: ">=", value: 0.9 }, measure: ordersThatHold },
    { id: "compress.eora_gap_d16", figure: "log-perplexity gap of 24w4 won back at rank d/16", unit: "share", must: { op: ">=", value: 0.25 }, measure: wonBackBySixteenth },
    { id: "compress.eora_gap_d8", figure: "log-perplexity gap of 24w4 won back at rank d/8", unit: "share", must: { op: ">=", value: 0.4 }, measure: wonBackByEighth },
    {
      id: "compress.shared_vs_row",
      figure: "places shared by 8 rows + EoRA d/8 over places of each row, bits per byte",
      unit: "ratio",
      must: { op: "<=", value: 1.005 },
      measure: sharedOverRow,
    },
    { id: "compress.bits_honest", figure: "worst relative difference of file bytes and accounted bits", unit: "ratio", must: { op: "<=", value: 0.01 }, measure: bitsHonest },
    { id: "compress.wc_hash", figure: "layers whose packed weights are those that EoRA was fitted to", unit: "share", must: { op: "=", value: 1 }, measure: hashesThatHold },
    { id: "compress.smol_w4gptq_s", figure: "SmolLM2-135M by w4-gptq", unit: "s", must: { op: "<=", value: 360 }, measure: smolSeconds(REAL[0]) },
    { id: "compress.smol_24w4eora_s", figure: "SmolLM2-135M by 24w4-eora", unit: "s", must: { op: "<=", value: 720 }, measure: smolSeconds(REAL[1]) },
    { id: "compress.smol_q161_s", figure: "SmolLM2-135M by q161-learned", unit: "s", must: { op: "<=", value: 720 }, measure: smolSeconds(REAL[2]) },
    { id: "compress.peak_mb", figure: "greatest memory of those", unit: "MB", must: { op: "<=", value: 3000 }, measure: smolPeak(REAL) },
    { id: "compress.linear", figure: "time a layer at 8 layers over at 2", unit: "ratio", must: { op: "<=", value: 1.15 }, measure: growthWithLayers },
    { id: "compress.resume", figure: "stopped runs that end with the same bytes, of 20", unit: "runs", must: { op: "=", value: 20 }, measure: resumedAlike },
  ],
};
