// A job for a compression method, made of a matrix and inputs, as calibration would hand it over.
import type { IntegerScheme, MinimumScheme, Scheme } from "../../runtime/quant/scheme.ts";
import type { InputStatistics } from "../../tools/compress/calibrate/statistics.ts";
import { Collector, NEEDS } from "../../tools/compress/calibrate/statistics.ts";
import type { Linalg } from "../../tools/compress/linalg/linalg.ts";
import type { MatrixReport, Method, Settings } from "../../tools/compress/method.ts";

/** Statistics of x f32 [t, k]; the last `held` rows are kept apart. */
export function statisticsOf(la: Linalg, x: Float32Array, t: number, k: number, held = 0): InputStatistics {
  return la.scope(() => {
    const c = new Collector(la, "test.in", k, new Set(NEEDS), held);
    c.add(x, t - held);
    c.hold(x.subarray((t - held) * k), held);
    return c.result();
  });
}

export interface Compressed {
  readonly report: MatrixReport;
  readonly packed: Uint8Array;
  /** What the packed bytes stand for, f32 [n, k]. */
  readonly back: Float32Array;
}

export async function compressWith(method: Method, la: Linalg, inputs: InputStatistics, scheme: Scheme, w: Float32Array, n: number, settings: Settings = {}): Promise<Compressed> {
  const { k } = inputs;
  const chunks: Uint8Array[] = [];
  const report = await method.compress({
    name: "test.weight",
    n,
    k,
    scheme,
    dtype: "F32",
    settings: { ...method.settings, ...settings },
    read: async (row, rows) => w.slice(row * k, (row + rows) * k),
    write: async (bytes) => void chunks.push(bytes),
    calibrated: { inputs, la },
  });
  const packed = Buffer.concat(chunks);
  return { report, packed, back: scheme.decode(packed, n, k) };
}

/** ‖(W − Ŵ) xᵀ‖² over rows x [t, k], in f64. */
export function outputError(w: Float32Array, back: Float32Array, n: number, x: Float32Array, t: number, k: number): number {
  let sum = 0;
  for (let row = 0; row < n; row++)
    for (let i = 0; i < t; i++) {
      let dot = 0;
      for (let j = 0; j < k; j++) dot += (w[row * k + j] - back[row * k + j]) * x[i * k + j];
      sum += dot * dot;
    }
  return sum;
}

export type Codes = IntegerScheme | MinimumScheme;
