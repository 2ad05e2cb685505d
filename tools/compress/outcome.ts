// What compressing a matrix does to its outputs: ‖(W − Ŵ) x‖² over ‖W x‖², predicted by the Gram matrix of the calibration inputs and measured
// on inputs that calibration has not seen. Float inputs: what rounding activations costs comes on top.
import type { InputStatistics } from "./calibrate/statistics.ts";
import type { Linalg, Matrix } from "./linalg/linalg.ts";
import { energy, timesTransposed } from "./linalg/product.ts";
import type { OutputShares } from "./method.ts";

interface Sums {
  error: number;
  energy: number;
}

const share = ({ error, energy }: Sums) => (energy > 0 ? error / energy : 0);

export class OutputError {
  private readonly predicted: Sums = { error: 0, energy: 0 };
  private readonly measured: Sums = { error: 0, energy: 0 };

  /** @param inputs with a Gram matrix */
  constructor(
    private readonly la: Linalg,
    private readonly inputs: InputStatistics,
  ) {}

  /** Adds rows: w f32 [rows, k] as they were, `back` as the packed bytes stand for. */
  add(w: Float32Array, back: Float32Array, rows: number): void {
    const { la, inputs, predicted, measured } = this;
    const { k, held } = inputs;
    la.scope(() => {
      const before = la.from(w, rows, k);
      const lost = la.matrix(rows, k);
      la.view(lost).set(w.map((v, i) => v - back[i]));
      la.scope(() => {
        const gram = la.from(inputs.gram as Float64Array, k, k);
        predicted.error += energy(la, lost, gram);
        predicted.energy += energy(la, before, gram);
      });
      const x = la.from(held, held.length / k, k);
      measured.error += this.outputEnergy(lost, x);
      measured.energy += this.outputEnergy(before, x);
    });
  }

  /** Σ over rows of w and x of (w · x)². */
  private outputEnergy(w: Matrix, x: Matrix): number {
    return this.la.scope(() => this.la.view(timesTransposed(this.la, w, x)).reduce((sum, v) => sum + v * v, 0));
  }

  result(): OutputShares {
    return { predicted: share(this.predicted), measured: share(this.measured) };
  }
}
