// Round to nearest: every weight goes to the nearest code of its scheme, block of rows by block of rows. No calibration.
import { roundup } from "../../../runtime/num/int.ts";
import { BLOCK_ROWS } from "../../../runtime/quant/scheme.ts";
import type { MatrixJob, MatrixReport, Method } from "../method.ts";

/** Bytes of f32 weights handled at a time. */
const CHUNK = 4 * 2 ** 20;

async function compress(job: MatrixJob): Promise<MatrixReport> {
  const { name, n, k, scheme } = job;
  const step = Math.max(BLOCK_ROWS, Math.floor(CHUNK / (4 * k) / BLOCK_ROWS) * BLOCK_ROWS);
  let bytes = 0;
  let error = 0;
  let energy = 0;
  for (let row = 0; row < n; row += step) {
    const rows = Math.min(step, n - row);
    const w = await job.read(row, rows);
    const packed = new Uint8Array(scheme.bytes(roundup(rows, BLOCK_ROWS), k));
    scheme.encode(w, rows, k, packed);
    const back = scheme.decode(packed, rows, k);
    for (let i = 0; i < w.length; i++) {
      error += (w[i] - back[i]) ** 2;
      energy += w[i] ** 2;
    }
    await job.write(packed);
    bytes += packed.length;
  }
  return { name, scheme: scheme.name, n, k, bytes, relativeSquaredError: energy ? error / energy : 0 };
}

export const method: Method = { name: "rtn", summary: "round to nearest, no calibration", compress };
