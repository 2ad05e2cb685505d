// Gram matrices XᵀX of rows of f32 that come in pieces, summed in f64 (assembly/linalg/gram.kernel.ts states the error).
import { roundup } from "../../../runtime/num/int.ts";
import type { Linalg, Matrix } from "./linalg.ts";

const PANEL = 8;

export class Gram {
  private readonly sum: Matrix;
  rows = 0;

  /** @param k columns of X. The sum stands on the stack of `la`: give it back with what it was made after. */
  constructor(
    private readonly la: Linalg,
    readonly k: number,
  ) {
    const kp = roundup(k, PANEL);
    this.sum = la.matrix(kp, kp);
  }

  /** Adds rows x f32 [rows, k]. */
  add(x: Float32Array, rows: number): void {
    const { la, k, sum } = this;
    if (rows === 0) return;
    this.rows += rows;
    la.scope(() => {
      const plain = la.floats(rows * k);
      plain.values.set(x.subarray(0, rows * k));
      const panels = la.floats(rows * sum.rows);
      const units = sum.rows / PANEL;
      la.run([
        { kernel: "panels", units, a: plain.at, c: panels.at, m: rows, n: k, lda: k },
        { kernel: "gram", units, a: panels.at, c: sum.at, m: rows, ldc: sum.stride },
      ]);
    });
  }

  /** XᵀX so far, both triangles, f64 [k, k]. */
  values(): Float64Array {
    const { k, sum } = this;
    const from = this.la.view(sum);
    const out = new Float64Array(k * k);
    for (let i = 0; i < k; i++)
      for (let j = i; j < k; j++) {
        out[i * k + j] = from[i * sum.stride + j];
        out[j * k + i] = out[i * k + j];
      }
    return out;
  }
}
