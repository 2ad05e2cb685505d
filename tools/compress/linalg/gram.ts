// Gram matrices XᵀX of rows of f32 that come in pieces, summed in f64 (assembly/linalg/gram.kernel.ts states the error).
import { roundup } from "../../../runtime/num/int.ts";
import type { Linalg, Matrix } from "./linalg.ts";

const PANEL = 8;
/** Rows that are gathered before they are summed: a multiple of the 64 whose products the kernel sums in f32. */
const GATHERED = 256;

export class Gram {
  private readonly sum: Matrix;
  private readonly gathered: { readonly at: number; readonly values: Float32Array };
  private waiting = 0;

  /** @param k columns of X. The sum stands on the stack of `la`: give it back with what it was made after. */
  constructor(
    private readonly la: Linalg,
    readonly k: number,
  ) {
    const kp = roundup(k, PANEL);
    this.sum = la.matrix(kp, kp);
    this.gathered = la.floats(GATHERED * k);
  }

  /** Adds rows x f32 [rows, k]. How rows are cut into pieces changes no bit of the sum. */
  add(x: Float32Array, rows: number): void {
    for (let row = 0; row < rows; ) {
      const here = Math.min(GATHERED - this.waiting, rows - row);
      this.gathered.values.set(x.subarray(row * this.k, (row + here) * this.k), this.waiting * this.k);
      this.waiting += here;
      row += here;
      if (this.waiting === GATHERED) this.flush();
    }
  }

  private flush(): void {
    const { la, k, sum, gathered, waiting: rows } = this;
    this.waiting = 0;
    if (rows === 0) return;
    la.scope(() => {
      const panels = la.floats(rows * sum.rows);
      const units = sum.rows / PANEL;
      la.run([
        { kernel: "panels", units, a: gathered.at, c: panels.at, m: rows, n: k, lda: k },
        { kernel: "gram", units, a: panels.at, c: sum.at, m: rows, ldc: sum.stride },
      ]);
    });
  }

  /** XᵀX of all rows, both triangles, f64 [k, k]. Nothing is added after it. */
  values(): Float64Array {
    this.flush();
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
