// Round to nearest: every weight goes to the nearest code of its scheme, block of rows by block of rows. No calibration.
import { type Method, packInRuns } from "../method.ts";

export const method: Method = {
  name: "rtn",
  summary: "round to nearest, no calibration",
  compress: (job) => packInRuns(job, ({ scheme, k }, w, _row, rows, out) => scheme.encode(w, rows, k, out)),
};
