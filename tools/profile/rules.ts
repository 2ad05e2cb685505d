// What a study makes feed-forward layers leave out, written straight to their control words: thousands of rules are tried, and norms need not be made
// anew for each. All of them are the run-time's own: mode cett drops neurons with |h_i| · norm_i < eps, so that norms of 1 make it a threshold on |h_i|,
// and norms of 0 and of a great number a set of neurons to keep. Steps of many tokens keep to them as well as single ones, with the same bits.

import { CONTROL, FFN_MODES, type FfnMode } from "../../runtime/ops/select/control.ts";
import { controlOf, normsOf } from "../../runtime/plan/neurons.ts";
import type { Engine } from "../../runtime/session/engine.ts";

/** Keeps every neuron that is not 0. */
const GREAT = 2 ** 126;

const asF32 = (bytes: Uint8Array) => new Float32Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.length / 4));
const asU32 = (bytes: Uint8Array) => new Uint32Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.length / 4));

export class Rules {
  /** @param norms ‖w_i‖ of each layer's neurons, by name */
  constructor(
    private readonly engine: Engine,
    private readonly norms: ReadonlyMap<string, Float32Array>,
  ) {}

  private mode(layer: string, mode: FfnMode): Uint32Array {
    const control = asU32(this.engine.program.view(controlOf(layer)));
    control[CONTROL.mode] = FFN_MODES.indexOf(mode);
    control[CONTROL.warm] = 0;
    return control;
  }

  private below(layer: string, eps: number, norms: (place: Float32Array) => void): void {
    const control = this.mode(layer, "cett");
    asF32(new Uint8Array(control.buffer, control.byteOffset, control.byteLength))[CONTROL.eps] = eps;
    norms(asF32(this.engine.program.view(normsOf(layer))));
  }

  /** Nothing is left out. */
  dense(): void {
    for (const layer of this.norms.keys()) this.mode(layer, "dense");
  }

  /** Contributions |h_i| ‖w_i‖ below eps are. */
  cett(layer: string, eps: number): void {
    this.below(layer, eps, (place) => place.set(this.norms.get(layer) as Float32Array));
  }

  /** Values |h_i| below eps are. */
  threshold(layer: string, eps: number): void {
    this.below(layer, eps, (place) => place.fill(1));
  }

  /** All but the k greatest activations are. */
  topk(layer: string, k: number): void {
    this.mode(layer, "topk")[CONTROL.topk] = k;
  }

  /** All but these neurons are. */
  keep(layer: string, neurons: ArrayLike<number>): void {
    this.below(layer, 1, (place) => {
      place.fill(0);
      for (let i = 0; i < neurons.length; i++) place[neurons[i]] = GREAT;
    });
  }
}
