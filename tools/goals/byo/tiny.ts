// The two other models of the house: how well they predict, and how few neurons of tiny-relu are awake.
import { documentsOf, splitOfCard } from "../../eval/evaluate.ts";
import type { Absent, GoalContext, Measured } from "../goal.ts";
import { withModel } from "../slice/model.ts";
import { heldOut, ratioToFiveGram } from "../slice/quality.ts";

const RELU = "models/tiny-relu";
/** Tokens that the model sees at once. */
const WINDOW = 512;

/** Worst bits per byte over the 5-gram model's. */
export async function worstToFiveGram(context: GoalContext): Promise<Measured | Absent> {
  const ratios: Measured[] = [];
  for (const folder of [RELU, "models/tiny-mamba"]) {
    const ratio = await ratioToFiveGram(context, folder);
    if ("absent" in ratio) return ratio;
    ratios.push(ratio);
  }
  const worst = ratios.reduce((a, b) => (a.value > b.value ? a : b));
  return { ...worst, note: ratios.map((r) => r.note).join("; ") };
}

/** Mean fraction of the hidden neurons of tiny-relu (f32) that are not zero, over all layers and tokens of the held-out text. */
export async function activeFraction({ signal }: GoalContext): Promise<Measured> {
  const points = (await withModel("f32", {}, async ({ engine }) => Object.keys(engine.graph.points), RELU)).filter((p) => /^layers\.\d+\.ffn\.hidden$/.test(p));
  return withModel(
    "f32",
    { context: WINDOW, batch: WINDOW, taps: points },
    async (model) => {
      const { engine } = model;
      const awake = points.map(() => 0);
      let seen = 0;
      for (const document of documentsOf(model, heldOut(), splitOfCard(model.card)))
        for (let i = 0; i < document.length; i += WINDOW) {
          signal.throwIfAborted();
          const window = document.subarray(i, i + WINDOW);
          await engine.run("prefill", window, 0);
          seen += window.length;
          points.forEach((point, layer) => {
            const hidden = engine.tap(point);
            const width = hidden.length / WINDOW;
            awake[layer] += nonzero(hidden.subarray(0, width * window.length)) / width;
          });
        }
      const shares = awake.map((sum) => sum / seen);
      return {
        value: shares.reduce((a, b) => a + b) / shares.length,
        low: Math.min(...shares),
        high: Math.max(...shares),
        note: `by layer ${shares.map((s) => s.toFixed(3)).join(" ")}; interval = least and greatest layer`,
      };
    },
    RELU,
  );
}

function nonzero(values: Float32Array): number {
  let n = 0;
  for (const v of values) if (v !== 0) n++;
  return n;
}
