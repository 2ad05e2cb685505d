// What a compression method is: it turns a matrix of weights into the packed bytes of a scheme. One file a method in methods/.
import type { Scheme } from "../../runtime/quant/scheme.ts";

/** One matrix W [n, k] of the checkpoint, read in runs of rows. */
export interface MatrixJob {
  readonly name: string;
  readonly n: number;
  readonly k: number;
  readonly scheme: Scheme;
  /** Rows [row, row + rows) as f32 [rows, k]; checked to be finite. */
  read(row: number, rows: number): Promise<Float32Array>;
  /** Takes the packed bytes in order. */
  write(packed: Uint8Array): Promise<void>;
}

/** Sums over a matrix: the relative error is sqrt(error / weight). */
export interface MatrixReport {
  readonly name: string;
  readonly scheme: string;
  readonly n: number;
  readonly k: number;
  readonly bytes: number;
  /** Σ (w − ŵ)² over Σ w². */
  readonly relativeSquaredError: number;
}

export interface Method {
  readonly name: string;
  readonly summary: string;
  compress(job: MatrixJob): Promise<MatrixReport>;
}
