// Where two models part: both read the same text, and the values between layers are compared. A layer's loss is what the relative squared
// difference grows by from its input to its output; a layer may also make up for what came before it.
import { SkintError, throwIfAborted } from "../../runtime/errors.ts";
import type { Model } from "../../runtime/session/model.ts";

export interface LayerLoss {
  readonly layer: string;
  /** ‖b − a‖² / ‖a‖² of the values that enter and leave it, over all tokens. */
  readonly before: number;
  readonly after: number;
}

const LAYER = /^(layers\.\d+)\.out$/;

/** Points between layers that both models have, in order: the input of the first layer, then each output. */
export function pointsBetween(points: Readonly<Record<string, string>>): string[] {
  const layers = Object.keys(points).flatMap((p) => LAYER.exec(p)?.[1] ?? []);
  return layers.length ? [`${layers[0]}.in`, ...layers.map((l) => `${l}.out`)] : [];
}

/** @param models loaded with taps at `points` and the same batch @param text token ids, cut at the context */
export async function lossesOf([a, b]: readonly [Model, Model], points: readonly string[], text: Uint32Array, signal?: AbortSignal): Promise<LayerLoss[]> {
  const sums = points.map(() => ({ difference: 0, energy: 0 }));
  const { batch, context } = a.engine.options;
  for (let at = 0; at < Math.min(text.length, context); at += batch) {
    throwIfAborted(signal, "the comparison");
    const tokens = text.subarray(at, Math.min(at + batch, context, text.length));
    await a.engine.run("prefill", tokens, at);
    await b.engine.run("prefill", tokens, at);
    points.forEach((point, p) => {
      const [x, y] = [a.engine.tap(point), b.engine.tap(point)];
      if (x.length !== y.length)
        throw new SkintError("usage", `${point} is ${x.length / batch} wide in one model and ${y.length / batch} in the other; compare models of one shape`);
      const length = (x.length / batch) * tokens.length;
      for (let i = 0; i < length; i++) {
        sums[p].difference += (y[i] - x[i]) ** 2;
        sums[p].energy += x[i] ** 2;
      }
    });
  }
  const share = sums.map(({ difference, energy }) => (energy > 0 ? difference / energy : 0));
  return points.slice(1).map((point, i) => ({ layer: point.replace(/\.out$/, ""), before: share[i], after: share[i + 1] }));
}
